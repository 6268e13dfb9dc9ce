"""Numbered steps on the terminal: a progress bar during a step, then its duration and results."""

import contextlib
import time
from collections.abc import Iterator

import keras
from rich.console import Console
from rich.markup import escape
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    SpinnerColumn,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)


class Steps:
    """The steps of one run, in order.

    Args:
        console: the `rich` console to print to.
        total: number of steps.

    Attributes:
        seconds: duration of each finished step by title.
    """

    def __init__(self, console: Console, total: int):
        self.console = console
        self.total = total
        self.seconds: dict[str, float] = {}

    @contextlib.contextmanager
    def step(self, title: str) -> Iterator["Step"]:
        """Run one step. Its lines are printed under its title at the end."""
        number = len(self.seconds) + 1
        start = time.perf_counter()
        bar = Progress(
            SpinnerColumn(),
            TextColumn(f"{number:>2}/{self.total}  {title}"),
            TimeElapsedColumn(),
            console=self.console,
            transient=True,
            disable=not self.console.is_terminal,
        )
        with bar:
            step = Step(bar)
            yield step
        self.seconds[title] = time.perf_counter() - start
        self.console.print(
            f"[green]✓[/green] {number:>2}/{self.total}  [bold]{title}[/bold]  [dim]{self.seconds[title]:.1f} s[/dim]"
        )
        for line in step.lines:
            self.console.print(f"         {line}")


class Step(keras.callbacks.Callback):
    """A running step, and the Keras callback that updates its progress bar during training."""

    def __init__(self, bar: Progress):
        super().__init__()
        self.lines: list[str] = []
        self._bar = bar
        self._task = bar.add_task("", total=None, loss="")
        self._first = 0  # batches of the epochs before

    def add_line(self, line: str) -> None:
        """Add a line to print under the title."""
        self.lines.append(escape(line))

    def expect(self, batches: int) -> "Step":
        """Set the number of training batches; returns this step, to be passed as a callback."""
        fill = (
            BarColumn(bar_width=24),
            MofNCompleteColumn(),
            TextColumn("{task.fields[loss]}"),
            TimeRemainingColumn(),
        )
        self._bar.columns = (*self._bar.columns[:2], *fill)
        self._bar.update(self._task, total=batches)
        return self

    def on_epoch_begin(self, epoch, logs=None):
        """Count the batches of the epochs before."""
        self._first = epoch * self.params["steps"]

    def on_train_batch_end(self, batch, logs=None):
        """Update the progress bar."""
        loss = (logs or {}).get("loss")
        self._bar.update(self._task, completed=self._first + batch + 1, loss="" if loss is None else f"loss {loss:.3f}")
