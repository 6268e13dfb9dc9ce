"""Rows of a table: tab-separated, CSV, JSON Lines or Parquet."""

import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path

from keras_bert.data.csv_rows import csv_rows
from keras_bert.data.files import OPENERS, check_file, read_lines, read_standard_input
from keras_bert.data.malformed import Malformed
from keras_bert.errors import InputError
from keras_bert.extras import require

Rows = Iterator[tuple[int, list]]
SUFFIXES = {".tsv": "tsv", ".csv": "csv", ".jsonl": "jsonl", ".ndjson": "jsonl", ".json": "jsonl"}
SUFFIXES |= {".parquet": "parquet"}
STANDARD_INPUT = "-"
MISSING = object()  # the cell of a JSON object that does not have the field
COLA = ("source", "label", "mark", "sentence")  # CoLA's files have no header line
ANNOTATION = re.compile(r"label\d")  # a column of SNLI and MNLI with the label of one annotator
NLI_LABELS = {"entailment", "neutral", "contradiction", "-", ""}


def format_of(path: str | Path, default: str = "tsv") -> str:
    """Return the format that the suffix of a file stands for, such as `csv` for `reviews.csv.gz`."""
    suffixes = [suffix for suffix in Path(path).suffixes if suffix not in OPENERS]
    return SUFFIXES.get(suffixes[-1].lower(), default) if suffixes else default


def open_rows(
    path: str | Path,
    file_format: str | None = None,
    argument: str = "path",
    malformed: Malformed | None = None,
) -> tuple[list[str], Rows, str]:
    """Open a table.

    - `tsv`: tabs separate the columns. Quotation marks have no special meaning, as in GLUE's files, unless all names of
      the header line are in quotation marks.
    - `csv`: cells in double quotes may contain commas, quotation marks and line breaks (RFC 4180). Where the header
      line has no comma, semicolons or tabs separate the columns.
    - `jsonl`: one JSON object per line. The fields of the first object are the columns; a later object may have others.
    - `parquet`.

    Blank lines are skipped. The rows of CoLA, which has no header line, and those of SNLI and MNLI with more or fewer
    labels of annotators than the header line, are read as published.

    Args:
        path: the file. All formats but Parquet may be compressed: `.csv.gz`, `.jsonl.xz`. `"-"` is standard input.
        file_format: one of the formats above. Default: that of the suffix, else `tsv`.
        argument: name of the argument in messages.
        malformed: what happens to malformed rows. None raises an error.

    Returns:
        The names of the columns; an iterator over pairs of the line number, from 1, and the cells of the row in the
        order of the columns; and what is numbered, `"line"` or `"row"`. Cells of JSON and Parquet have their types,
        and a field that an object lacks is `MISSING`.

    Raises:
        InputError: the file cannot be read (see `read_lines`) or is not of its format; a row does not have the columns
            of the first. Errors of later rows are raised by the iterator.

    Example:

    >>> import tempfile
    >>> path = Path(tempfile.mkdtemp()) / "dev.csv"
    >>> _ = path.write_text('sentence,label\\n"fine, really",1\\n')
    >>> header, rows, _ = open_rows(path)
    >>> header, list(rows)
    (['sentence', 'label'], [(2, ['fine, really', '1'])])
    """
    file_format = file_format or format_of(path)
    if file_format == "parquet":
        return (*_parquet_rows(Path(path)), "row")
    name = "standard input" if str(path) == STANDARD_INPUT else path

    def reject(expected: str, received: str) -> None:
        error = InputError(f"`{argument}` must {expected}. Received: {argument}={name}, {received}")
        if malformed is None:
            raise error from None
        malformed.add(error)

    lines = read_standard_input() if str(path) == STANDARD_INPUT else read_lines(path, malformed)
    if file_format == "jsonl":
        rows = _json_rows(lines, reject)
    else:
        rows = _separated_rows(lines, file_format, reject)
    number, header = next(rows, (0, None))
    if header is None:
        raise InputError(f"`{argument}` must be a file with text. Received: {argument}={name} (only blank lines)")
    if file_format == "tsv" and _is_cola(header):
        return list(COLA), _chain([(number, header)], rows), "line"
    return header, rows, "line"


def _chain(first: list, rest: Rows) -> Rows:
    yield from first
    yield from rest


def _separated_rows(lines: Iterator[tuple[int, str]], file_format: str, reject: Callable) -> Rows:
    """Yield the cells of each line, the header line first."""
    first = next((each for each in lines if each[1].strip()), None)
    if first is None:
        return
    lines = _chain([first], lines)
    delimiter = "\t"
    if file_format == "csv":
        delimiter = next((each for each in ",;\t" if each in first[1]), ",")
    is_quoted = file_format == "csv" or all(
        len(cell) > 1 and cell[0] == cell[-1] == '"' for cell in first[1].split(delimiter)
    )
    if is_quoted:
        rows = csv_rows(lines, delimiter, reject)
    else:
        rows = ((number, line.split(delimiter), list) for number, line in lines if line.strip())
    header = None
    for number, cells, reread in rows:
        if header is None:
            header = cells
        if len(cells) != len(header):
            cells = _fitted(cells, header)
        if len(cells) == len(header):
            yield number, cells
        else:
            reject(f"have {len(header)} columns in every line", f"columns={len(cells)} in line {number}")
            reread()  # the lines after the first one of a quoted cell


def _fitted(cells: list[str], header: list[str]) -> list[str]:
    """Return the cells of a row of SNLI or MNLI for the columns of the header.

    The annotators' labels are at the end, before the gold label if that is not in front. Their number differs by row.
    """
    extra = len(cells) - len(header)
    end = len(header) - (header[-1] == "gold_label")  # index after the last annotator's label
    if not ANNOTATION.fullmatch(header[end - 1]):
        return cells
    begin = next(i for i in range(end, 0, -1) if not ANNOTATION.fullmatch(header[i - 1]))
    labels = cells[begin : end + extra]
    if not set(labels) <= NLI_LABELS or end + extra < begin:
        return cells  # another fault, such as a tab in a text
    return [*cells[:begin], *(labels + [""] * -extra)[: end - begin], *cells[end + extra :]]


def _is_cola(cells: list[str]) -> bool:
    """Return whether cells are a row of CoLA: its source, 0 or 1, nothing or `*`, and the sentence."""
    return len(cells) == 4 and cells[1] in ("0", "1") and cells[2] in ("", "*")


def _json_rows(lines: Iterator[tuple[int, str]], reject: Callable) -> Rows:
    header = None
    for number, line in lines:
        if not line.strip():
            continue
        try:
            row = json.loads(line)
        except (ValueError, RecursionError) as error:
            reject("have one JSON object per line", f"line {number} ({error})")
            continue
        if not isinstance(row, dict):
            reject("have one JSON object per line", f"{type(row).__name__} in line {number}")
            continue
        if header is None:
            header = list(row)
            yield number, header
        yield number, [row.get(name, MISSING) for name in header]


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
                    yield number, list(values)
        except damaged as error:
            raise invalid(error) from None

    try:
        table = parquet.ParquetFile(path)
        return table.schema_arrow.names, rows(table)
    except damaged as error:
        raise invalid(error) from None
