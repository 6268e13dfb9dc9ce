"""Output of the commands: tables, and with `--json` one JSON object as the last line on standard output."""

import contextlib
import functools
import json
import math
import sys
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

import click
from rich.cells import cell_len
from rich.console import Console
from rich.table import Table
from rich.text import Text

from keras_bert.cli.logging import import_quietly
from keras_bert.files import remove_unfinished
from keras_bert.working_folder import reserve

UNLIMITED = 10**6  # characters of a line
MAX_WORD = 20  # a longer word may be folded on a terminal


def json_output(command: Callable[..., dict] | None = None, *, model: bool = True) -> Callable[..., int]:
    """Add the option `--json` to a command.

    The command gets a rich `console` as its first argument, prints its tables there, and returns its results as a dict.
    With `--json` everything that is printed goes to standard error, and the dict follows on standard output.

    Args:
        command: a function of `console` and the command's options. None returns a decorator with the other arguments.
        model: whether the command runs a model. TensorFlow is then imported first, without its notices.

    Returns:
        The function that click calls. It returns the exit status: 1 if the results hold `passed=False`, else 0.
    """
    if command is None:
        return functools.partial(json_output, model=model)

    @click.option(
        "--json",
        "as_json",
        is_flag=True,
        help="Print the results as one JSON object, the last line on standard output. Everything else goes to "
        "standard error.",
    )
    @functools.wraps(command)
    def run(*args, as_json: bool, **options) -> int:
        with _reserved(options.get("out"), options.get("output")):
            if model:
                import_quietly("tensorflow")
            if as_json:
                with contextlib.redirect_stdout(sys.stderr):  # the output of a library must not follow the JSON line
                    results = command(_console(sys.stderr), *args, **options)
            else:
                results = command(_console(sys.stdout), *args, **options)
        if as_json:
            click.echo(json.dumps(replace_non_finite(results), ensure_ascii=False))
        return int(results.get("passed") is False)

    return run


@contextlib.contextmanager
def _reserved(out: Path | None, output: str | None) -> Iterator[None]:
    """Lock the folder of `--out`, before anything slow is done, and name what killed runs left for it or `--output`."""
    with contextlib.nullcontext([]) if out is None else reserve(out) as notes:
        for note in notes if output is None else remove_unfinished(output):
            print(f"left by a run that was killed: {note}", file=sys.stderr)
        yield


def _console(file) -> Console:
    """Return a console for a stream. A pipe or a file is no terminal, even if `FORCE_COLOR` is set, and lines that are
    written to it are not wrapped.
    """
    terminal = file.isatty()
    return Console(file=file, highlight=False, force_terminal=terminal, width=None if terminal else UNLIMITED)


def replace_non_finite(value):
    """Replace values that JSON cannot represent: NaN and infinity by None, NumPy arrays and numbers by those of Python.

    >>> replace_non_finite({"loss": float("nan"), "steps": [1, 2.5]})
    {'loss': None, 'steps': [1, 2.5]}
    """
    if isinstance(value, dict):
        return {str(key): replace_non_finite(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [replace_non_finite(item) for item in value]
    if hasattr(value, "tolist"):  # NumPy arrays and numbers
        return replace_non_finite(value.tolist())
    return None if isinstance(value, float) and not math.isfinite(value) else value


def shorten(console: Console, text: str, max_length: int = 70) -> str:
    """Put a text on one line, and cut it to `max_length` characters if it is shown on a terminal.

    What another program reads from a pipe or a file is never cut.

    >>> [shorten(Console(force_terminal=terminal), "a very long text", 8) for terminal in (True, False)]
    ['a very …', 'a very long text']
    """
    if not console.is_terminal:
        return " ".join(text.split())
    text = " ".join(text[: 4 * max_length].split())
    return text if len(text) <= max_length else text[: max_length - 1] + "…"


def show_table(console: Console, title: str, columns: Iterable[str], rows: Iterable[Iterable], right=()) -> None:
    """Print a table. On a terminal, long cells of text are folded; elsewhere each row is one line, however long.

    On a terminal that is too narrow for the numbers and the words of a table, each row is one line too. Cells are
    printed literally: `[b]` in a text is not interpreted as markup of rich.

    Args:
        console: the rich console to print on.
        title: line above the table; none if empty.
        columns: headings.
        rows: the cells of each row, converted by `str`.
        right: headings of the columns of numbers, which are aligned to the right and never folded.
    """
    from keras_bert.metrics.tables import format_table

    columns, rows, right = tuple(columns), [tuple(map(str, row)) for row in rows], tuple(right)
    widths = _column_widths(columns, rows, right, console.width) if console.is_terminal else None
    if widths is None:
        lines = format_table(columns, rows, right)
        console.out("\n".join([title, *lines] if title else lines), highlight=False)
        return
    table = Table(header_style="dim", box=None, pad_edge=False, padding=(0, 2, 0, 0))
    for column, width in zip(columns, widths, strict=True):
        justify = "right" if column in right else "left"
        table.add_column(Text(column), justify=justify, overflow="fold", width=width)
    for row in rows:
        table.add_row(*map(Text, row))
    if title:
        console.print(Text(title, style="bold"))
    console.print(table)


def _column_widths(columns: tuple, rows: list[tuple], right: tuple, total: int) -> list[int] | None:
    """Return widths of the columns of a table that fit in a total width, or None if there are none.

    Columns of numbers are never narrower than their longest cell: a folded number would look like two numbers. Those of
    text are at least as wide as their longest word. (rich makes all columns narrower in proportion.)
    """
    widths, smallest = [], []
    for heading, *cells in zip(columns, columns, *rows, strict=True):
        parts = cells if heading in right else [word[:MAX_WORD] for cell in cells for word in cell.split()]
        widths.append(max(1, *map(cell_len, cells)))
        smallest.append(max(map(cell_len, parts), default=1))
    excess = sum(widths) + 2 * (len(widths) - 1) - total
    for _ in range(excess):
        shrinkable = [i for i, width in enumerate(widths) if width > smallest[i]]
        if not shrinkable:
            return None
        widths[max(shrinkable, key=widths.__getitem__)] -= 1
    return widths


def show_metrics(console: Console, title: str, metrics: dict) -> None:
    """Print the metrics of a model as tables, see `kb.format_metrics`.

    Args:
        console: the rich console to print on.
        title: line above the tables.
        metrics: what `kb.evaluate` or `Predictor.evaluate` returned.
    """
    from keras_bert.metrics.tables import metric_tables

    console.print(Text(title, style="bold"), soft_wrap=True)
    for number, table in enumerate(metric_tables(metrics, console.width if console.is_terminal else None)):
        if number:
            console.print()
        show_table(console, table.title, table.columns, table.rows, table.right)
