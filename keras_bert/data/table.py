"""Tables of labeled texts with the columns of GLUE, and conversion of their labels."""

import dataclasses
import math
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from keras_bert.data.table_rows import open_rows
from keras_bert.errors import InputError

# Names of the text columns in GLUE's files, in the original datasets and on the Hugging Face Hub. The first entry that
# matches is used.
TEXT_COLUMNS = (
    ("sentence1", "sentence2"),
    ("#1 String", "#2 String"),
    ("question1", "question2"),
    ("question", "sentence"),
    ("premise", "hypothesis"),
    ("question", "context"),
    ("text", "text_pair"),
    ("sentence",),
    ("text",),
)
LABEL_COLUMNS = ("label", "gold_label", "score", "Quality", "is_duplicate", "labels")
NO_CONSENSUS = "-"  # in the column gold_label of SNLI and MNLI


@dataclasses.dataclass(frozen=True)
class Table:
    """Texts and their labels from one file.

    Attributes:
        path: the file.
        texts: a list of N strings, or a tuple of two lists for pairs.
        labels: list of N strings, as written in the file.
        lines: list of N line numbers, for error messages.
        unit: what `lines` counts: `"line"`, or `"row"` of a file that has no lines.
    """

    path: Path
    texts: list[str] | tuple[list[str], list[str]]
    labels: list[str]
    lines: list[int]
    unit: str = "line"

    def __len__(self) -> int:
        return len(self.labels)

    @property
    def has_integer_labels(self) -> bool:
        """Whether every label is an integer."""
        return all(_is_integer(label) for label in self.labels)

    def class_labels(
        self, label_names: Sequence[str] | None = None, accept_integers: bool = True
    ) -> tuple[np.ndarray, tuple[str, ...]]:
        """Convert the labels to class indices, for single-label classification.

        Args:
            label_names: the names of the classes, in order. By default, integers are the classes 0, 1, …, and other
                labels are sorted.
            accept_integers: whether integers may be used instead of the names, 0 for the first class.

        Returns:
            The class indices, int32 `[N]`, and the names of the classes.

        Raises:
            InputError: a label is not a class; a name is empty or given twice.
        """
        if label_names is None and self.has_integer_labels:
            count = len(set(self.labels))
            return self._integer_labels(count, f" ({count} different labels)"), tuple(map(str, range(count)))
        names = tuple(check_label_names(sorted(set(self.labels)) if label_names is None else label_names))
        index = {name: number for number, name in enumerate(names)}
        if accept_integers and self.has_integer_labels and not set(self.labels) <= set(index):
            return self._integer_labels(len(names)), names
        classes = []
        for label, line in zip(self.labels, self.lines, strict=True):
            if label not in index:
                raise self._error(f"be one of {_shorten(names)}", label, line)
            classes.append(index[label])
        return np.array(classes, np.int32), names

    def _integer_labels(self, count: int, reason: str = "") -> np.ndarray:
        for label, line in zip(self.labels, self.lines, strict=True):
            if not 0 <= int(label) < count:
                raise self._error(f"be in 0 … {count - 1}{reason}", label, line)
        return np.array([int(label) for label in self.labels], np.int32)

    def multi_hot_labels(self, label_names: Sequence[str] | None = None) -> tuple[np.ndarray, tuple[str, ...]]:
        """Convert labels separated by commas to multi-hot vectors, for multi-label classification.

        Args:
            label_names: the names of the labels, in order; by default all labels of the file, sorted.

        Returns:
            The multi-hot vectors, int32 `[N, C]` of 0 and 1, and the names of the labels.

        Raises:
            InputError: a label is not one of the names; there is no label; a name is empty or given twice.
        """
        cells = [[part.strip() for part in label.split(",") if part.strip()] for label in self.labels]
        names = tuple(check_label_names(label_names or sorted({part for cell in cells for part in cell})))
        if not names:
            raise InputError(
                f"`path` must have at least one label. Received: path={self.path} ({len(cells)} rows without labels)"
            )
        labels = np.zeros((len(cells), len(names)), np.int32)  # [N, C]
        for row, (cell, line) in enumerate(zip(cells, self.lines, strict=True)):
            for part in cell:
                if part not in names:
                    raise self._error(f"be one of {_shorten(names)}", part, line)
                labels[row, names.index(part)] = 1
        return labels, names

    def float_labels(self) -> np.ndarray:
        """Convert the labels to numbers, for regression.

        Returns:
            float32 `[N]`.

        Raises:
            InputError: a label is not a number, or float32 cannot represent it.
        """
        numbers = []
        for label, line in zip(self.labels, self.lines, strict=True):
            try:
                number = float(label)
            except ValueError:
                number = math.nan
            if not abs(number) <= float(np.finfo(np.float32).max):  # not `>`, because comparisons with NaN are false
                raise self._error("be a number that float32 can represent", label, line)
            numbers.append(number)
        return np.array(numbers, np.float32)

    def _error(self, expected: str, label: str, line: int) -> InputError:
        return InputError(f"`label` must {expected}. Received: label={label[:40]!r} ({self.path}, {self.unit} {line})")


def read_table(path: str | Path) -> Table:
    """Read the texts, or pairs of texts, and the labels of a file.

    The ending of the file's name gives its kind: `.csv`; `.jsonl`, with one JSON object per line; `.parquet`; any other
    is tab-separated, where quotation marks have no special meaning. The first line of a tab-separated or CSV file has
    the names of the columns.

    The text column is `sentence` or `text`; pairs are in two columns with the names of the GLUE tasks (`sentence1` and
    `sentence2`, `question1` and `question2`, `question` and `sentence`, `premise` and `hypothesis`, MRPC's `#1 String`
    and `#2 String`), or are `text` and `text_pair`. The label column is `label`, `gold_label`, `score`, `Quality`,
    `is_duplicate` or `labels`. Other columns are ignored. A row whose `gold_label` is `-`, on which the annotators did
    not agree, is skipped, as recommended by the authors of SNLI and MNLI.

    Args:
        path: the file, plain or compressed (`.tsv.gz`, `.csv.xz`).

    Returns:
        A `Table`.

    Raises:
        InputError: the file cannot be read (see `open_rows`); a column is missing; a line does not have the
            number of columns of the header line, or has an empty text; there is no row; pyarrow, for Parquet, is not
            installed.

    Example:

    >>> import tempfile
    >>> path = Path(tempfile.mkdtemp()) / "dev.tsv"
    >>> _ = path.write_bytes(b"sentence1\\tsentence2\\tlabel\\na cat\\tan animal\\tyes\\na cat\\ta dog\\tno\\n")
    >>> table = read_table(path)
    >>> table.texts, table.class_labels()
    ((['a cat', 'a cat'], ['an animal', 'a dog']), (array([1, 0], dtype=int32), ('no', 'yes')))

    Source: the GLUE benchmark, Wang et al. 2018 (arXiv:1804.07461), and the files of its tasks.
    """
    header, rows, unit = open_rows(path)
    text_columns = next((names for names in TEXT_COLUMNS if all(name in header for name in names)), None)
    label_column = next((name for name in LABEL_COLUMNS if name in header), None)
    if text_columns is None or label_column is None:
        missing = "sentence" if text_columns is None else "label"
        raise InputError(
            "`path` must have a header line with the columns sentence and label, or two text columns and label. "
            f"Received: path={path} (no {missing} in {' | '.join(header)[:80]!r})"
        )
    columns = [header.index(name) for name in text_columns]
    texts, labels, numbers, skipped = [[] for _ in columns], [], [], 0
    for number, cells in rows:
        label = cells[header.index(label_column)].strip()
        if label_column == "gold_label" and label == NO_CONSENSUS:
            skipped += 1
            continue
        for part, column in zip(texts, columns, strict=True):
            if not cells[column].strip():
                raise InputError(
                    f"`path` must have a text in every {unit}. Received: path={path}, {unit} {number} with an empty one"
                )
            part.append(cells[column].strip())
        labels.append(label)
        numbers.append(number)
    if not labels:
        found = f"{skipped} rows, all with gold_label {NO_CONSENSUS!r}" if skipped else "only a header line"
        raise InputError(f"`path` must have at least one labeled row. Received: path={path} ({found})")
    return Table(Path(path), texts[0] if len(texts) == 1 else (texts[0], texts[1]), labels, numbers, unit)


def check_label_names(label_names: Sequence[str]) -> Sequence[str]:
    """Return the names of classes, labels or tags if they are distinct and not empty.

    Raises:
        InputError: a name is empty or given twice.
    """
    if not all(label_names) or len(set(label_names)) != len(label_names):
        raise InputError(
            f"`label_names` must be distinct and not empty. Received: label_names={', '.join(map(repr, label_names))}"
        )
    return label_names


def _is_integer(label: str) -> bool:
    # `isdecimal` also accepts the digits of other scripts.
    return label.removeprefix("-").isdecimal() and label.isascii()


def _shorten(names: Sequence[str]) -> str:
    return ", ".join(names[:8]) + (", …" if len(names) > 8 else "")
