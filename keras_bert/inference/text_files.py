"""Files of texts to predict: plain text, TSV, CSV and JSON Lines, read row by row."""

import csv
import json
from collections.abc import Iterator
from pathlib import Path

from keras_bert.data.files import OPENERS, read_lines, read_standard_input
from keras_bert.data.table import TEXT_COLUMNS
from keras_bert.errors import InputError

SUFFIXES = {".tsv": "tsv", ".csv": "csv", ".jsonl": "jsonl", ".ndjson": "jsonl", ".json": "jsonl"}
FORMATS = ("text", "tsv", "csv", "jsonl")
STANDARD_INPUT = "-"
MAX_CSV_FIELD = 2**24  # characters; a larger limit would read a file with an unclosed quotation mark into memory


def read_texts(
    path: str | Path,
    file_format: str | None = None,
    text_column: str | None = None,
    text_pair_column: str | None = None,
) -> Iterator[str | tuple[str, str]]:
    """Yield the texts of a file, or of standard input, one row at a time.

    - `text`: one text per line; a tab separates the two texts of a pair.
    - `tsv`: a header line with the names of the columns; tabs separate them; quotation marks have no special meaning.
    - `csv`: a header line; quoted fields may contain commas, quotation marks and line breaks (RFC 4180).
    - `jsonl`: one JSON object per line; its keys are the columns.

    Without `text_column`, the columns of the texts are those of `keras_bert.data.table.TEXT_COLUMNS` that the file has:
    `sentence1` and `sentence2`, `question` and `context`, …, `sentence` or `text`.

    Args:
        path: a UTF-8 file, plain, `.gz` or `.xz`; `"-"` reads standard input.
        file_format: one of the formats above. Default: that of the suffix (`.tsv`, `.csv`, `.jsonl`), otherwise `text`.
        text_column: name of the column of the text, or of the first text of a pair.
        text_pair_column: name of the column of the second text of a pair.

    Yields:
        A string, or a tuple of two strings for a pair.

    Raises:
        InputError: the file cannot be read; a column is missing; a line is malformed or its text is empty. The message
            has the line number.

    Example:

    >>> import tempfile
    >>> path = Path(tempfile.mkdtemp()) / "reviews.csv"
    >>> _ = path.write_text('id,text\\n7,"fine, really"\\n')
    >>> list(read_texts(path))
    ['fine, really']
    """
    file_format = file_format or format_of(path)
    if file_format == "text":
        _reject_columns(path, text_column, text_pair_column)
        rows = _read_plain(path)
    else:
        table = {"tsv": _read_tsv, "csv": _read_csv, "jsonl": _read_jsonl}[file_format](path)
        rows = _select_columns(path, table, text_column, text_pair_column)
    number = None
    for number, texts in rows:
        yield _checked(path, number, texts)
    if number is None:
        raise InputError(f"`--input` must have at least one row. Received: only a header line ({_name(path)})")


def format_of(path: str | Path) -> str:
    """Return the format that the suffix of a file stands for, such as `csv` for `reviews.csv.gz`; else `text`."""
    suffixes = [suffix for suffix in Path(path).suffixes if suffix not in OPENERS]
    return SUFFIXES.get(suffixes[-1], "text") if suffixes else "text"


def _lines(path) -> Iterator[tuple[int, str]]:
    return read_standard_input() if str(path) == STANDARD_INPUT else read_lines(path)


def _read_plain(path) -> Iterator[tuple[int, list[str]]]:
    for number, line in _lines(path):
        texts = line.split("\t")
        if len(texts) > 2:
            expected = "have at most one tab in each line, between the two texts of a pair"
            raise _error(path, number, expected, f"{len(texts) - 1} tabs")
        yield number, texts


def _read_tsv(path) -> Iterator[tuple[int, dict]]:
    """Yield line numbers and rows as dicts. Here and below, the first row gives the names of the columns."""
    return _with_header(path, ((number, line.split("\t")) for number, line in _lines(path)))


def _read_csv(path) -> Iterator[tuple[int, dict]]:
    csv.field_size_limit(MAX_CSV_FIELD)
    # A line break in a quoted field belongs to the text, so the reader needs the ends of the lines.
    reader = csv.reader((line + "\n" for _, line in _lines(path)), strict=True)

    def rows() -> Iterator[tuple[int, list[str]]]:
        while True:
            first = reader.line_num + 1
            try:
                cells = next(reader)
            except StopIteration:
                return
            except csv.Error as error:
                raise _error(path, first, "be a well-formed CSV file", str(error)) from None
            yield first, cells

    return _with_header(path, rows())


def _read_jsonl(path) -> Iterator[tuple[int, dict]]:
    for number, line in _lines(path):
        try:
            row = json.loads(line)
        except ValueError as error:
            raise _error(path, number, "have one JSON object per line", str(error)) from None
        if not isinstance(row, dict):
            raise _error(path, number, "have one JSON object per line", f"{type(row).__name__}")
        yield number, row


def _with_header(path, rows: Iterator[tuple[int, list[str]]]) -> Iterator[tuple[int, dict]]:
    """Yield rows of cells as dicts, with the cells of the first row as keys."""
    number, header = next(rows)
    if len(set(header)) < len(header):
        raise _error(path, number, "have a header line with distinct names", " | ".join(header)[:80])
    for number, cells in rows:
        if len(cells) != len(header):
            raise _error(path, number, f"have {len(header)} columns in every row", f"{len(cells)} columns")
        yield number, dict(zip(header, cells, strict=True))


def _select_columns(
    path, rows: Iterator[tuple[int, dict]], text_column: str | None, pair_column: str | None
) -> Iterator[tuple[int, list]]:
    """Yield the cells of the text columns of each row, one or two."""
    if pair_column and not text_column:
        raise InputError(
            "`--text-column` must be given with `--text-pair-column`. Received: only --text-pair-column " + pair_column
        )
    columns = [column for column in (text_column, pair_column) if column]
    for number, row in rows:
        if not columns:
            columns = next((names for names in TEXT_COLUMNS if all(name in row for name in names)), None)
        if not columns or not all(column in row for column in columns):
            missing = next((column for column in columns or () if column not in row), "sentence or text")
            raise _error(
                path,
                number,
                f"have the column {missing}; name the column of the text with `--text-column`",
                f"the columns {' | '.join(map(str, row))[:80]}",
            )
        yield number, [row[column] for column in columns]


def _reject_columns(path, *columns: str | None) -> None:
    for option, column in zip(("--text-column", "--text-pair-column"), columns, strict=True):
        if column:
            raise InputError(
                f"`{option}` must be left out for plain text, which has no columns. Received: {option} {column} for "
                f"{_name(path)}. Give the format of a table with `--input-format`."
            )


def _checked(path, number: int, texts: list) -> str | tuple[str, str]:
    """Return the text or the pair of texts of a row, or raise InputError if one is not a text."""
    for text in texts:
        if not isinstance(text, str):
            raise _error(path, number, "have a text in every row", type(text).__name__)
        if not text.strip():
            raise _error(path, number, "have a text in every row", "an empty one")
        try:
            text.encode()
        except UnicodeEncodeError:
            raise _error(path, number, "be valid Unicode", "a lone surrogate") from None
    return texts[0] if len(texts) == 1 else (texts[0], texts[1])


def _name(path) -> str:
    return "standard input" if str(path) == STANDARD_INPUT else str(path)


def _error(path, number: int, expected: str, received: str) -> InputError:
    return InputError(f"`--input` must {expected}. Received: {received} ({_name(path)}, line {number})")
