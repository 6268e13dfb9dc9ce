"""Progress of long work on standard error: a bar on a terminal, otherwise a plain line about every 15 seconds."""

import contextlib
import time
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from keras_bert.system import error_stream

if TYPE_CHECKING:  # `Predictor` shows no progress by default, and then needs no rich
    from rich.console import Console

SECONDS_BETWEEN_LINES = 15.0


class PlainProgress:
    """Progress as plain lines, for logs: done, total, speed and remaining time, at most one line in 15 seconds.

    Args:
        console: where the lines are printed.
        title: first words of each line, such as `"predicting"`.
        unit: what is counted, in the plural.
        total: how many there are, or None if that is not known.
        done: how many are done at the start.

    Example:

    >>> from rich.console import Console
    >>> progress = PlainProgress(Console(), "predicting", "texts", 10_000)
    >>> progress.line(2_000, seconds=4.0)
    'predicting  2,000 of 10,000 texts  500.0 texts/s  16 s left'
    """

    def __init__(self, console: "Console", title: str, unit: str, total: int | None, done: int = 0):
        self.console, self.title, self.unit, self.total = console, title, unit, total
        self._done, self._time = done, time.monotonic()  # those of the last line

    def update(self, done: int, note: str = "") -> None:
        """Print a line if the last one is old enough.

        Args:
            done: how many are done.
            note: further text, such as the loss.
        """
        now = time.monotonic()
        if now - self._time >= SECONDS_BETWEEN_LINES:
            self.console.print(self.line(done, now - self._time, note), soft_wrap=True, markup=False)
            self._done, self._time = done, now

    def line(self, done: int, seconds: float, note: str = "") -> str:
        """Return the line to print. `seconds` is the time since the last one; it gives the speed."""
        speed = (done - self._done) / max(seconds, 1e-9)
        parts = [
            self.title,
            f"{done:,} {self.unit}" if self.total is None else f"{done:,} of {self.total:,} {self.unit}",
        ]
        parts += [note, f"{speed:,.1f} {self.unit}/s"]
        if self.total is not None and speed > 0:
            parts.append(f"{format_duration((self.total - done) / speed)} left")
        return "  ".join(part for part in parts if part)


def format_duration(seconds: float) -> str:
    """Return a time in the largest unit of which there are at least two.

    Example:

    >>> format_duration(59), format_duration(150), format_duration(10_000)
    ('59 s', '2 min', '2.8 h')
    """
    if seconds < 120:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 7200 else f"{seconds / 3600:.1f} h"


@contextlib.contextmanager
def show_progress(title: str, unit: str, total: int | None, show: bool = True) -> Iterator[Callable[[int], None]]:
    """Show the progress of a loop on standard error, and yield the function that advances it by a number.

    Args:
        title: label, such as `"predicting"`.
        unit: what is counted, in the plural.
        total: how many there are, or None if that is not known.
        show: False shows nothing.
    """
    if not show:
        yield lambda count: None
        return
    from rich.console import Console

    stream = error_stream()
    console = Console(file=stream, highlight=False, force_terminal=stream.isatty())
    if console.is_terminal or console.is_jupyter:
        from rich.progress import MofNCompleteColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

        columns = SpinnerColumn(), TextColumn(title), MofNCompleteColumn(), TimeElapsedColumn()
        with Progress(*columns, console=console, transient=True) as bar:
            row = bar.add_task(title, total=total)
            yield lambda count: bar.advance(row, count)
    else:
        progress, done = PlainProgress(console, title, unit, total), 0

        def advance(count: int) -> None:
            nonlocal done
            done += count
            progress.update(done)

        yield advance
