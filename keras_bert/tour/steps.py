"""Numbered steps on the terminal: a bar while one runs, its time and its findings when it is done."""

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
        console: where they are shown.
        total: how many there will be.

    Attributes:
        seconds: what each step took, by its title.
    """

    def __init__(self, console: Console, total: int):
        self.console = console
        self.total = total
        self.seconds: dict[str, float] = {}

    @contextlib.contextmanager
    def step(self, title: str) -> Iterator["Step"]:
        """One step; what it says is shown under its title when it is done."""
        number = len(self.seconds) + 1
        begun = time.perf_counter()
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
        self.seconds[title] = time.perf_counter() - begun
        self.console.print(
            f"[green]✓[/green] {number:>2}/{self.total}  [bold]{title}[/bold]  [dim]{self.seconds[title]:.1f} s[/dim]"
        )
        for line in step.said:
            self.console.print(f"         {line}")


class Step(keras.callbacks.Callback):
    """A step under way; it is also the callback that moves its bar while a model trains."""

    def __init__(self, bar: Progress):
        super().__init__()
        self.said: list[str] = []
        self._bar = bar
        self._task = bar.add_task("", total=None, shown="")

    def say(self, line: str) -> None:
        """A line to stand under the title."""
        self.said.append(escape(line))

    def expect(self, batches: int) -> "Step":
        """The number of batches that fill the bar; returns the step, to be given as a callback."""
        fill = (
            BarColumn(bar_width=24),
            MofNCompleteColumn(),
            TextColumn("{task.fields[shown]}"),
            TimeRemainingColumn(),
        )
        self._bar.columns = (*self._bar.columns[:2], *fill)
        self._bar.update(self._task, total=batches)
        return self

    def on_train_batch_end(self, batch, logs=None):
        """Move the bar."""
        loss = (logs or {}).get("loss")
        shown = "" if loss is None else f"loss {loss:.3f}"
        self._bar.update(self._task, completed=batch + 1, shown=shown)
