"""Tables of labeled texts, and conversion of their labels."""

import dataclasses
import functools
import re
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from keras_bert.errors import InputError

WHOLE_NUMBER = re.compile(r"([+-]?[0-9]+)(\.0*)?")


@dataclasses.dataclass(frozen=True)
class Table:
    """Texts and their labels from one file.

    Attributes:
        path: the file, or the name of a dataset.
        texts: a list of N strings, or a tuple of two lists for pairs.
        labels: list of N strings, as written in the file.
        lines: list of N line numbers, for error messages.
        unit: what `lines` counts: `"line"`, or `"row"` of a file that has no lines.
    """

    path: Path | str
    texts: list[str] | tuple[list[str], list[str]]
    labels: list[str]
    lines: list[int]
    unit: str = "line"

    def __len__(self) -> int:
        return len(self.labels)

    @functools.cached_property
    def integers(self) -> tuple[int, ...]:
        """The distinct labels in order if all of them are whole numbers (`1`, `-1`, `1.0`), otherwise none."""
        matches = [WHOLE_NUMBER.fullmatch(label) for label in self.labels]
        return tuple(sorted({int(match[1]) for match in matches})) if all(matches) else ()

    def class_labels(
        self, label_names: Sequence[str] | None = None, integers: Sequence[int] | None = None
    ) -> tuple[np.ndarray, tuple[str, ...]]:
        """Convert the labels to class indices, for single-label classification.

        Args:
            label_names: the names of the C classes, in order. By default the labels of the file: numbers in their
                order, such as -1, 1 or 1, 2, and other labels sorted.
            integers: the C integers that stand for the names. Default: 0 … C - 1 or, where the file has C others, these
                in their order, such as 1, 2. None may stand for names that are integers themselves.

        Returns:
            The class indices, int32 `[N]`, and the names of the classes.

        Raises:
            InputError: a label is not a class; a name is empty or given twice.
        """
        labels = [str(int(label.partition(".")[0])) for label in self.labels] if self.integers else self.labels
        names = tuple(check_label_names(self._found_names() if label_names is None else label_names))
        if set(self.labels) <= set(names):
            labels = self.labels
        elif self.integers and not set(labels) <= set(names):
            integers = self.integers_for(names) if integers is None else integers
            return self._indices(labels, [str(each) for each in integers] or names), names
        return self._indices(labels, names), names

    def integers_for(self, names: Sequence[str]) -> Sequence[int]:
        """Return the integers that stand for the names of C classes, see `class_labels`."""
        if all(WHOLE_NUMBER.fullmatch(name) for name in names):
            return ()
        is_subset = not self.integers or set(self.integers) <= set(range(len(names)))
        return range(len(names)) if is_subset or len(self.integers) != len(names) else self.integers

    def _found_names(self) -> list[str]:
        if self.integers:
            return list(map(str, self.integers))
        try:
            return sorted(set(self.labels), key=float)
        except ValueError:
            return sorted(set(self.labels))

    def _indices(self, labels: Sequence[str], classes: Sequence[str]) -> np.ndarray:
        index = {name: i for i, name in enumerate(classes)}
        for label, original, line in zip(labels, self.labels, self.lines, strict=True):
            if label not in index:
                is_range = WHOLE_NUMBER.fullmatch(label) and list(classes) == list(map(str, range(len(classes))))
                raise self._error(
                    f"be {f'in 0 … {len(classes) - 1}' if is_range else f'one of {_shorten(classes)}'}", original, line
                )
        return np.array([index[label] for label in labels], np.int32)

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
        for label, line in zip(self.labels, self.lines, strict=True):
            if not is_number(label):
                raise self._error("be a number that float32 can represent", label, line)
        return np.array(list(map(float, self.labels)), np.float32)

    def _error(self, expected: str, label: str, line: int) -> InputError:
        return InputError(f"`label` must {expected}. Received: label={label[:40]!r} ({self.path}, {self.unit} {line})")


def is_number(label: str) -> bool:
    """Return whether a label is a number that float32 can represent."""
    try:
        return abs(float(label)) <= float(np.finfo(np.float32).max)  # not for NaN, whose comparisons are false
    except ValueError:
        return False


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


def _shorten(names: Sequence[str]) -> str:
    return ", ".join(names[:8]) + (", …" if len(names) > 8 else "")
