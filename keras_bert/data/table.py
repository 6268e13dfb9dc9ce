"""A table of texts with labels: GLUE's many layouts, and what the labels may be."""

import dataclasses
import math
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from keras_bert.data.files import read_lines
from keras_bert.errors import InputError

# How the tables of GLUE and of the sets themselves call their texts; the first that a header has is taken.
TEXTS = (
    ("sentence1", "sentence2"),
    ("#1 String", "#2 String"),
    ("question1", "question2"),
    ("question", "sentence"),
    ("premise", "hypothesis"),
    ("sentence",),
)
LABELS = ("label", "gold_label", "score", "Quality", "is_duplicate", "labels")
NO_CONSENSUS = "-"  # in SNLI's and MNLI's column gold_label


@dataclasses.dataclass(frozen=True)
class Table:
    """Texts and what stands beside them.

    Attributes:
        path: where they are from.
        texts: of one column, strings; or of two, a pair of lists.
        labels: strings, as they stand in the file.
        lines: their numbers, for messages.
    """

    path: Path
    texts: list[str] | tuple[list[str], list[str]]
    labels: list[str]
    lines: list[int]

    def __len__(self) -> int:
        return len(self.labels)

    @property
    def numbered(self) -> bool:
        """Whether every label is a whole number."""
        return all(_is_whole(label) for label in self.labels)

    def classes(self, names: Sequence[str] | None = None, numbers: bool = True) -> tuple[np.ndarray, tuple[str, ...]]:
        """Labels that are one class each, int32 `[N]`, and the classes' names.

        Args:
            names: of the classes, in order. Without them: whole numbers are classes 0, 1, …, and words are classes in
                the order of the alphabet.
            numbers: whether whole numbers may stand for the names, 0 for the first.

        Raises:
            InputError: a label that is none of the names, nor the number of one; a name that is empty or given twice.
        """
        if names is None and self.numbered:
            return self._numbered(len(set(self.labels)), known=False)
        if names is None:
            names = sorted(set(self.labels))
        place = {name: number for number, name in enumerate(check_names(names))}
        if numbers and self.numbered and not set(self.labels) <= set(place):
            return self._numbered(len(names), known=True)[0], tuple(names)
        found = []
        for label, line in zip(self.labels, self.lines, strict=True):
            if label not in place:
                raise InputError(
                    f"{self.path}, line {line}: a class is one of {_shown(names)}. Received: {label[:40]!r}"
                )
            found.append(place[label])
        return np.array(found, np.int32), tuple(names)

    def _numbered(self, count: int, known: bool) -> tuple[np.ndarray, tuple[str, ...]]:
        numbers = [int(label) for label in self.labels]
        for number, line in zip(numbers, self.lines, strict=True):
            if not 0 <= number < count:
                why = "" if known else f" ({count} different ones)"
                raise InputError(
                    f"{self.path}, line {line}: labels must lie in 0 … {count - 1}{why}. Received: {number}"
                )
        return np.array(numbers, np.int32), tuple(map(str, range(count)))

    def several(self, names: Sequence[str] | None = None) -> tuple[np.ndarray, tuple[str, ...]]:
        """Labels of which any may apply, parted by commas, 1 or 0 of int32 `[N, C]`, and their names.

        Args:
            names: in order; without them all that occur, in the order of the alphabet.

        Raises:
            InputError: a label that is none of the names; no label at all; a name that is empty or given twice.
        """
        cells = [[part.strip() for part in label.split(",") if part.strip()] for label in self.labels]
        names = tuple(check_names(names or sorted({part for cell in cells for part in cell})))
        if not names:
            raise InputError(f"{self.path}: at least one label is expected. Received: none in {len(cells)} lines")
        found = np.zeros((len(cells), len(names)), np.int32)
        for row, (cell, line) in enumerate(zip(cells, self.lines, strict=True)):
            for part in cell:
                if part not in names:
                    raise InputError(
                        f"{self.path}, line {line}: a label is one of {_shown(names)}. Received: {part[:40]!r}"
                    )
                found[row, names.index(part)] = 1
        return found, names

    def numbers(self) -> np.ndarray:
        """Labels that are numbers, float32 `[N]`.

        Raises:
            InputError: one that is none.
        """
        found = []
        for label, line in zip(self.labels, self.lines, strict=True):
            try:
                found.append(float(label))
            except ValueError:
                found.append(math.nan)
            if not abs(found[-1]) <= float(np.finfo(np.float32).max):  # nan is not either
                raise InputError(
                    f"{self.path}, line {line}: the label must be a number that float32 has. Received: {label[:40]!r}"
                )
        return np.array(found, np.float32)


def read_table(path: str | Path) -> Table:
    """The texts, or pairs of texts, and the labels of a file.

    The header line names the columns, parted by tabs. Texts are `sentence`, or two columns as GLUE's tasks call them
    (`sentence1` and `sentence2`, `question1` and `question2`, `premise` and `hypothesis`, MRPC's `#1 String` and `#2
    String`); the label is `label`, or `gold_label`, `score`, `Quality`, `is_duplicate`. Further columns are passed
    over. Quotation marks mean nothing. A line whose `gold_label` is `-`, on which people did not agree, is left out, as
    the authors of SNLI and MNLI do. Files may be packed (`.gz`, `.xz`).

    Args:
        path: the file.

    Returns:
        A `Table`.

    Raises:
        InputError: the file cannot be read (see `read_lines`); a column is missing; a line has another number of
            columns, an empty text or no label; no line at all.

    Example:

    >>> import tempfile
    >>> path = Path(tempfile.mkdtemp()) / "dev.tsv"
    >>> _ = path.write_text("sentence1\\tsentence2\\tlabel\\na cat\\tan animal\\tyes\\na cat\\ta dog\\tno\\n")
    >>> table = read_table(path)
    >>> table.texts, table.classes()
    ((['a cat', 'a cat'], ['an animal', 'a dog']), (array([1, 0], dtype=int32), ('no', 'yes')))

    Source: the GLUE benchmark, Wang et al. 2018 (arXiv:1804.07461), and the files of its tasks.
    """
    lines = read_lines(path)
    header = next(lines)[1].split("\t")
    columns = next((names for names in TEXTS if all(name in header for name in names)), None)
    label_column = next((name for name in LABELS if name in header), None)
    if columns is None or label_column is None:
        missing = "sentence" if columns is None else "label"
        shown = " | ".join(header)
        raise InputError(
            f"{path}: the header line must name the columns sentence and label, or two of texts. "
            f"Received: no {missing} in {shown[:80]!r}"
        )
    places = [header.index(name) for name in columns]
    texts, labels, numbers, undecided = [[] for _ in places], [], [], 0
    for number, line in lines:
        cells = line.split("\t")
        if len(cells) != len(header):
            raise InputError(f"{path}, line {number}: {len(header)} columns are expected. Received: {len(cells)}")
        label = cells[header.index(label_column)].strip()
        if label_column == "gold_label" and label == NO_CONSENSUS:
            undecided += 1
            continue
        for part, place in zip(texts, places, strict=True):
            if not cells[place].strip():
                raise InputError(f"{path}, line {number}: a sentence is expected. Received: an empty one")
            part.append(cells[place].strip())
        labels.append(label)
        numbers.append(number)
    if not labels:
        found = f"{undecided} lines whose gold_label is {NO_CONSENSUS!r}" if undecided else "a header line alone"
        raise InputError(f"{path}: sentences are expected. Received: {found}")
    return Table(Path(path), texts[0] if len(texts) == 1 else (texts[0], texts[1]), labels, numbers)


def check_names(names: Sequence[str]) -> Sequence[str]:
    """The names of classes, labels or tags, if each is one; otherwise an InputError."""
    if not all(names) or len(set(names)) != len(names):
        raise InputError(f"names are different, and none is empty. Received: {', '.join(map(repr, names))}")
    return names


def _is_whole(label: str) -> bool:
    # `isdecimal` takes other scripts' digits too.
    return label.removeprefix("-").isdecimal() and label.isascii()


def _shown(names: Sequence[str]) -> str:
    return ", ".join(names[:8]) + (", …" if len(names) > 8 else "")
