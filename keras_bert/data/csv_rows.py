"""Rows of CSV text: cells in double quotes may contain separators, quotation marks and line breaks."""

import collections
import csv
from collections.abc import Callable, Iterator

MAX_CELL = 2**24  # characters; a larger limit would read a file with an unclosed quotation mark into memory


class _Lines:
    """Iterator over lines for `csv.reader`, which can go back to the second line of a row."""

    def __init__(self, lines: Iterator[tuple[int, str]]):
        self._lines, self._again = lines, collections.deque()
        self.row = []  # the lines of the current row

    def __iter__(self):
        return self

    def __next__(self) -> str:
        self.row.append(self._again.popleft() if self._again else next(self._lines))
        return self.row[-1][1] + "\n"

    def reread(self) -> None:
        """Go back to the second line of the row. A quotation mark in the first one may have hidden their ends."""
        self._again.extendleft(reversed(self.row[1:]))
        self.row = self.row[:1]


def csv_rows(
    lines: Iterator[tuple[int, str]], delimiter: str, reject: Callable[[str, str], None]
) -> Iterator[tuple[int, list[str], Callable]]:
    """Yield the rows of CSV text. Blank lines are skipped.

    Args:
        lines: line numbers and lines without their ends.
        delimiter: the character between two cells.
        reject: called for a malformed row, with what is expected and what was found. If it returns, the row's first
            line is skipped.

    Yields:
        The number of the row's first line, its cells, and a function that goes back to the row's second line.
    """
    csv.field_size_limit(MAX_CELL)
    source = _Lines(lines)
    reader = csv.reader(source, delimiter=delimiter, strict=True)
    while True:
        source.row = []
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            reject("be a well-formed CSV file", f"line {source.row[0][0]} ({error})")
            source.reread()
            continue
        if len(source.row) > 1 or source.row[0][1].strip():
            yield source.row[0][0], cells, source.reread
