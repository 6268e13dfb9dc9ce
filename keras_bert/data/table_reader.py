"""Reader of tables of labeled texts with the columns of GLUE."""

import re
from pathlib import Path

from keras_bert.data.columns import find_label_column, find_text_columns
from keras_bert.data.malformed import Malformed
from keras_bert.data.table import Table, is_number
from keras_bert.data.table_rows import MISSING, Rows, open_rows
from keras_bert.errors import InputError

SURROGATE = re.compile("[\ud800-\udfff]")
NO_CONSENSUS = "-"  # in the column gold_label of SNLI and MNLI


def read_table(path: str | Path, problem_type: str | None = None, skip_malformed: bool = False) -> Table:
    """Read the texts, or pairs of texts, and the labels of a file.

    The ending of the file's name gives its kind: `.csv`; `.jsonl`, `.ndjson` or `.json`, with one JSON object per line;
    `.parquet`; any other is tab-separated. `open_rows` describes them. The first line of a tab-separated or CSV file
    has the names of the columns; only CoLA's files have none.

    The text column is `sentence` or `text`; pairs are in two columns with the names of the GLUE tasks (`sentence1` and
    `sentence2`, `question1` and `question2`, `question` and `sentence`, `premise` and `hypothesis`, MRPC's `#1 String`
    and `#2 String`), or are `text` and `text_pair`. The label column is `label`, `gold_label`, `score`, `Quality`,
    `is_duplicate` or `labels`. Upper and lower case, and quotation marks around a name, make no difference. Other
    columns are ignored. A row whose `gold_label` is `-`, on which the annotators did not agree, is skipped, as
    recommended by the authors of SNLI and MNLI.

    Args:
        path: the file, plain or compressed (`.tsv.gz`, `.csv.xz`).
        problem_type: kind of labels, see `load_labeled`, to check each label when it is read: only for `"multi_label"`
            it may be empty, and for `"regression"` it must be a number. None checks no label.
        skip_malformed: whether to skip malformed rows, and warn about their number, in place of an error. They have
            another number of columns than the header line (as three rows of QQP), an empty text or no valid label, are
            not JSON, or not UTF-8.

    Returns:
        A `Table`.

    Raises:
        InputError: the file cannot be read (see `open_rows`); a column is missing; a row is malformed; there is no row;
            pyarrow, for Parquet, is not installed.

    Example:

    >>> import tempfile
    >>> path = Path(tempfile.mkdtemp()) / "dev.tsv"
    >>> _ = path.write_bytes(b"sentence1\\tsentence2\\tlabel\\na cat\\tan animal\\tyes\\na cat\\ta dog\\tno\\n")
    >>> table = read_table(path)
    >>> table.texts, table.class_labels()
    ((['a cat', 'a cat'], ['an animal', 'a dog']), (array([1, 0], dtype=int32), ('no', 'yes')))

    Source: the GLUE benchmark, Wang et al. 2018 (arXiv:1804.07461), and the files of its tasks.
    """
    malformed = Malformed(path, skip_malformed)
    header, rows, unit = open_rows(path, malformed=malformed)
    return table_of(Path(path), header, rows, unit, problem_type, malformed)


def table_of(
    path: Path | str, header: list[str], rows: Rows, unit: str, problem_type: str | None, malformed: Malformed
) -> Table:
    """Collect the texts and labels of rows, see `read_table`.

    Args:
        path: the file or the name of the dataset.
        header, rows, unit: as `open_rows` returns them.
        problem_type: see `read_table`.
        malformed: what happens to malformed rows.
    """
    columns, label_column = find_text_columns(header, path), find_label_column(header, path)
    if columns is None or label_column is None:
        missing = "sentence" if columns is None else "label"
        raise InputError(
            "`path` must have a header line with the columns sentence and label, or two text columns and label. "
            f"Received: path={path} (no {missing} in {' | '.join(header)[:80]!r})"
        )
    texts, labels, numbers, disputed = [[] for _ in columns], [], [], 0
    indices, is_gold_label = (label_column, *columns), header[label_column] == "gold_label"
    where = str(path), unit
    for number, cells in rows:
        try:
            label, *row = [_cell(cells[i], header[i], where, number) for i in indices]
            if is_gold_label and label == NO_CONSENSUS:
                disputed += 1
                continue
            if not all(row):
                received = f"{unit} {number} with an empty one"
                raise InputError(f"`path` must have a text in every {unit}. Received: path={path}, {received}")
            _check_label(label, problem_type, where, number)
        except InputError as error:
            malformed.add(error)
            continue
        for part, text in zip(texts, row, strict=True):
            part.append(text)
        labels.append(label)
        numbers.append(number)
    malformed.warn()
    if not labels:
        found = f"{disputed} rows, all with gold_label {NO_CONSENSUS!r}" if disputed else "only a header line"
        raise InputError(f"`path` must have at least one labeled row. Received: path={path} ({found})")
    return Table(path, texts[0] if len(texts) == 1 else (texts[0], texts[1]), labels, numbers, unit)


def _cell(value, column: str, where: tuple[str, str], number: int) -> str:
    """Return a cell as text without the spaces around it, or raise InputError."""
    text = (value if isinstance(value, str) else to_text(value)).strip()
    if value is MISSING:
        expected, received = "have the fields of the first line in every line", f"no {column}"
    elif text.isascii() or not SURROGATE.search(text):
        return text
    else:
        expected, received = "be valid Unicode", "a lone surrogate"
    path, unit = where
    raise InputError(f"`path` must {expected}. Received: path={path}, {received} in {unit} {number}")


def to_text(value) -> str:
    """Return a value as a TSV file would have it: labels of a list are separated by commas, and None is empty.

    >>> to_text(["sad", "calm"]), to_text(True), to_text(None), to_text(2.5)
    ('sad,calm', '1', '', '2.5')
    """
    if isinstance(value, (list, tuple)):
        return ",".join(to_text(item) for item in value)
    if isinstance(value, bool):
        return str(int(value))
    return "" if value is None else str(value)


def _check_label(label: str, problem_type: str | None, where: tuple[str, str], number: int) -> None:
    """Raise InputError if a label does not have the form that the problem type needs."""
    if problem_type == "regression" and not is_number(label):
        expected = "be a number that float32 can represent"
    elif problem_type not in (None, "multi_label") and not label:
        expected = "not be empty"
    else:
        return
    path, unit = where
    raise InputError(f"`label` must {expected}. Received: label={label[:40]!r} ({path}, {unit} {number})")
