"""What a command shows: tables for people, or with `--json` one JSON object as the last line on standard output."""

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


def reporting(command: Callable[..., dict]) -> Callable[..., int]:
    """Give a command its `--json` and its console.

    The command gets a rich `console` as its first argument, prints for people there, and returns its facts as a dict.
    With `--json` everything printed goes to standard error, and the dict follows alone on standard output.
    """

    @click.option("--json", "as_json", is_flag=True, help="Print one JSON object as the last line; all else on stderr.")
    @functools.wraps(command)
    def run(*args, as_json: bool, **options) -> int:
        import_quietly("tensorflow")
        if not as_json:
            return _status(command(Console(highlight=False), *args, **options))
        with contextlib.redirect_stdout(sys.stderr):  # a library's print must not follow the last line
            facts = command(Console(highlight=False, stderr=True), *args, **options)
        click.echo(json.dumps(finite(facts), ensure_ascii=False))
        return _status(facts)

    return run


def _status(facts: dict) -> int:
    """The exit status: 1 for a check that did not pass."""
    return int(facts.get("passed") is False)


def finite(value):
    """The same facts with null for every number that JSON cannot write.

    >>> finite({"loss": float("nan"), "steps": [1, 2.5]})
    {'loss': None, 'steps': [1, 2.5]}
    """
    if isinstance(value, dict):
        return {str(key): finite(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [finite(item) for item in value]
    if hasattr(value, "tolist"):  # numpy's arrays and numbers
        return finite(value.tolist())
    return None if isinstance(value, float) and not math.isfinite(value) else value


def shorten(text: str, most: int = 70) -> str:
    """A text as one cell holds it: one line, cut with an ellipsis.

    >>> shorten("a very long text", 8)
    'a very …'
    """
    text = " ".join(text[: 4 * most].split())
    return text if len(text) <= most else text[: most - 1] + "…"


def show_table(console: Console, title: str, columns: Iterable[str], rows: Iterable[Iterable], right=()) -> None:
    """Print a table whose cells are shown as they are: text from a model or a user is no markup.

    Args:
        console: where to.
        title: what stands over it, on a line of its own.
        columns: the headings.
        rows: the cells, anything that `str` takes.
        right: the headings of the columns that hold numbers.
    """
    made = Table(header_style="dim", box=None, pad_edge=False, padding=(0, 2, 0, 0))
    for column in columns:
        made.add_column(column, justify="right" if column in right else "left", overflow="fold")
    for row in rows:
        made.add_row(*(Text(str(cell)) for cell in row))
    if title:
        console.print(Text(title, style="bold"))
    console.print(made)
