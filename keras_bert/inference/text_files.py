"""Files of texts to predict: plain text, TSV, CSV and JSON Lines, read row by row."""

from collections.abc import Iterator
from pathlib import Path

from keras_bert.data.columns import find_column, find_text_columns
from keras_bert.data.files import read_lines, read_standard_input
from keras_bert.data.table_rows import MISSING, STANDARD_INPUT, format_of, open_rows
from keras_bert.errors import InputError

FORMATS = ("text", "tsv", "csv", "jsonl", "parquet")


def read_texts(
    path: str | Path,
    file_format: str | None = None,
    text_column: str | None = None,
    text_pair_column: str | None = None,
) -> Iterator[str | tuple[str, str]]:
    """Yield the texts of a file, or of standard input, one row at a time.

    - `text`: one text per line; a tab separates the two texts of a pair.
    - `tsv`, `csv`, `jsonl`, `parquet`: a table, see `open_rows`.

    Without `text_column`, the columns of the texts are those of `keras_bert.data.columns.TEXT_COLUMNS` that the file
    has: `sentence1` and `sentence2`, `question` and `context`, …, `sentence` or `text`.

    Args:
        path: a UTF-8 file, plain, `.gz` or `.xz`; `"-"` reads standard input.
        file_format: one of the formats above. Default: that of the suffix (`.tsv`, `.csv`, `.jsonl`, `.parquet`),
            otherwise `text`.
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
    file_format = file_format or format_of(path, "text")
    unit = "line"
    if file_format == "text":
        _reject_columns(path, text_column, text_pair_column)
        rows = _read_plain(path)
    else:
        header, table, unit = open_rows(path, file_format, "--input")
        columns = _columns(path, header, text_column, text_pair_column)
        rows = ((number, [cells[i] for i in columns]) for number, cells in table)
    number = None
    for number, texts in rows:
        yield _checked(path, f"{unit} {number}", texts)
    if number is None:
        raise InputError(f"`--input` must have at least one row. Received: only a header line ({_name(path)})")


def _read_plain(path) -> Iterator[tuple[int, list[str]]]:
    lines = read_standard_input() if str(path) == STANDARD_INPUT else read_lines(path)
    for number, line in lines:
        texts = line.split("\t")
        if len(texts) > 2:
            expected = "have at most one tab in each line, between the two texts of a pair"
            raise _error(path, f"line {number}", expected, f"{len(texts) - 1} tabs")
        yield number, texts


def _columns(path, header: list[str], text_column: str | None, pair_column: str | None) -> list[int]:
    """Return the indices of the text columns, one or two."""
    if pair_column and not text_column:
        raise InputError(
            "`--text-column` must be given with `--text-pair-column`. Received: only --text-pair-column " + pair_column
        )
    names = [column for column in (text_column, pair_column) if column]
    if names:
        found = [find_column(header, name, _name(path)) for name in names]
    else:
        found = find_text_columns(header, _name(path))
    if found is None or None in found:
        missing = names[found.index(None)] if found else "sentence or text"
        raise _error(
            path,
            "in the first row",
            f"have the column {missing}; name the column of the text with `--text-column`",
            f"the columns {' | '.join(map(str, header))[:80]}",
        )
    return found


def _reject_columns(path, *columns: str | None) -> None:
    for option, column in zip(("--text-column", "--text-pair-column"), columns, strict=True):
        if column:
            raise InputError(
                f"`{option}` must be left out for plain text, which has no columns. Received: {option} {column} for "
                f"{_name(path)}. Give the format of a table with `--input-format`."
            )


def _checked(path, where: str, texts: list) -> str | tuple[str, str]:
    """Return the text or the pair of texts of a row, or raise InputError if one is not a text."""
    for text in texts:
        if not isinstance(text, str):
            raise _error(path, where, "have a text in every row", "none" if text is MISSING else type(text).__name__)
        if not text.strip():
            raise _error(path, where, "have a text in every row", "an empty one")
        try:
            text.encode()
        except UnicodeEncodeError:
            raise _error(path, where, "be valid Unicode", "a lone surrogate") from None
    return texts[0] if len(texts) == 1 else (texts[0], texts[1])


def _name(path) -> str:
    return "standard input" if str(path) == STANDARD_INPUT else str(path)


def _error(path, where: str, expected: str, received: str) -> InputError:
    return InputError(f"`--input` must {expected}. Received: {received} ({_name(path)}, {where})")
