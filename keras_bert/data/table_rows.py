"""Rows of a table file: tab-separated, CSV, JSON Lines or Parquet, by the ending of its name."""

import csv
import json
from collections.abc import Iterator
from pathlib import Path

from keras_bert.data.files import OPENERS, check_file, read_lines
from keras_bert.errors import InputError
from keras_bert.extras import require

Rows = Iterator[tuple[int, list[str]]]


def open_rows(path: str | Path) -> tuple[list[str], Rows, str]:
    """Open a table.

    Args:
        path: `.csv`, `.jsonl` (one JSON object per line), `.parquet`, or any other name for tab-separated columns. All
            but Parquet may be compressed: `.csv.gz`, `.jsonl.xz`.

    Returns:
        The names of the columns; an iterator over pairs of the line number, from 1, and the cells of the row in the
        order of the columns; and what is numbered, `"line"` or `"row"`.

    Raises:
        InputError: the file cannot be read (see `read_lines`) or is not of its kind; a row does not have the columns of
            the first. Errors of later rows are raised by the iterator.

    Example:

    >>> import tempfile
    >>> path = Path(tempfile.mkdtemp()) / "dev.csv"
    >>> _ = path.write_text('sentence,label\\n"fine, really",1\\n')
    >>> header, rows, _ = open_rows(path)
    >>> header, list(rows)
    (['sentence', 'label'], [(2, ['fine, really', '1'])])
    """
    path = Path(path)
    suffix = next((each for each in reversed(path.suffixes) if each not in OPENERS), "")
    if suffix == ".parquet":
        return (*_parquet_rows(path), "row")
    rows = {".csv": _csv_rows, ".jsonl": _json_rows}.get(suffix, _tab_separated_rows)(path)
    header = next(rows, (0, None))[1]
    if header is None:
        raise InputError(f"`path` must be a file with text. Received: path={path} (only blank lines)")
    return header, _checked(rows, len(header), path), "line"


def _checked(rows: Rows, columns: int, path: Path) -> Rows:
    """Yield the rows, or raise InputError for the first that has another number of cells than the header."""
    for number, cells in rows:
        if len(cells) != columns:
            raise InputError(
                f"`path` must have {columns} columns in every line. "
                f"Received: path={path}, columns={len(cells)} in line {number}"
            )
        yield number, cells


def _tab_separated_rows(path: Path) -> Rows:
    """Yield the lines as lists of cells. Quotation marks have no special meaning, as in GLUE's files."""
    for number, line in read_lines(path):
        yield number, line.split("\t")


def _csv_rows(path: Path) -> Rows:
    """Yield the rows. Cells in double quotes may contain commas and line breaks. Blank lines are skipped."""
    reader = csv.reader((line + "\n" for _, line in read_lines(path)), strict=True)
    try:
        for cells in reader:
            if cells:
                yield reader.line_num, cells
    except csv.Error as error:
        raise InputError(
            f"`path` must be a CSV file. Received: path={path}, line {reader.line_num} ({error})"
        ) from None


def _json_rows(path: Path) -> Rows:
    """Yield the rows. The fields of the first object are the columns; later objects may have more, in any order."""
    header = None
    for number, line in read_lines(path):
        if not line.strip():
            continue
        try:
            row = json.loads(line)
        except ValueError as error:
            raise InputError(
                f"`path` must have one JSON object per line. Received: path={path}, line {number} ({error})"
            ) from None
        if not isinstance(row, dict):
            raise InputError(
                f"`path` must have one JSON object per line. Received: path={path}, {type(row).__name__} in line "
                f"{number}"
            )
        if header is None:
            header = list(row)
            yield number, header
        missing = [name for name in header if name not in row]
        if missing:
            raise InputError(
                f"`path` must have the fields of the first line in every line. Received: path={path}, no "
                f"{', '.join(missing)} in line {number}"
            )
        cells = [_cell(row[name]) for name in header]
        try:
            "".join(cells).encode()
        except UnicodeEncodeError:
            raise InputError(
                f"`path` must be valid Unicode. Received: path={path}, a lone surrogate in line {number}"
            ) from None
        yield number, cells


def _parquet_rows(path: Path) -> tuple[list[str], Rows]:
    parquet = require("pyarrow.parquet", "Parquet files")
    pyarrow = require("pyarrow", "Parquet files")
    check_file(path)
    damaged = (pyarrow.ArrowException, OSError)

    def invalid(error) -> InputError:
        reason = str(error).partition("\n")[0]
        return InputError(f"`path` must be a Parquet file. Received: path={path} ({reason})")

    def rows(table) -> Rows:
        number = 0
        try:
            for batch in table.iter_batches():
                for values in zip(*(column.to_pylist() for column in batch.columns), strict=True):
                    number += 1
                    yield number, [_cell(value) for value in values]
        except damaged as error:
            raise invalid(error) from None

    try:
        table = parquet.ParquetFile(path)
        return table.schema_arrow.names, rows(table)
    except damaged as error:
        raise invalid(error) from None


def _cell(value) -> str:
    """Return a value as a TSV file would have it: labels of a list are separated by commas, and None is empty.

    >>> _cell(["sad", "calm"]), _cell(True), _cell(None), _cell(2.5)
    ('sad,calm', '1', '', '2.5')
    """
    if isinstance(value, (list, tuple)):
        return ",".join(_cell(item) for item in value)
    if isinstance(value, bool):
        return str(int(value))
    return "" if value is None else str(value)
