"""Output of the commands: tables, and with `--json` one JSON object as the last line on standard output."""

import contextlib
import functools
import json
import math
import sys
from collections.abc import Callable, Iterable

import click
from rich.console import Console
from rich.table import Table
from rich.text import Text

from keras_bert.cli.logging import import_quietly


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
        if model:
            import_quietly("tensorflow")
        if as_json:
            with contextlib.redirect_stdout(sys.stderr):  # the output of a library must not follow the JSON line
                results = command(Console(highlight=False, stderr=True), *args, **options)
            click.echo(json.dumps(replace_non_finite(results), ensure_ascii=False))
        else:
            results = command(Console(highlight=False), *args, **options)
        return int(results.get("passed") is False)

    return run


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


def shorten(text: str, max_length: int = 70) -> str:
    """Cut a text to one line of at most `max_length` characters.

    >>> shorten("a very long text", 8)
    'a very …'
    """
    text = " ".join(text[: 4 * max_length].split())
    return text if len(text) <= max_length else text[: max_length - 1] + "…"


def show_table(console: Console, title: str, columns: Iterable[str], rows: Iterable[Iterable], right=()) -> None:
    """Print a table.

    Cells are printed literally: `[b]` in a text is not interpreted as markup of rich.

    Args:
        console: the rich console to print on.
        title: line above the table; none if empty.
        columns: headings.
        rows: the cells of each row, converted by `str`.
        right: headings of the columns that are aligned to the right, such as columns of numbers.
    """
    table = Table(header_style="dim", box=None, pad_edge=False, padding=(0, 2, 0, 0))
    for column in columns:
        table.add_column(column, justify="right" if column in right else "left", overflow="fold")
    for row in rows:
        table.add_row(*(Text(str(cell)) for cell in row))
    if title:
        console.print(Text(title, style="bold"))
    console.print(table)
