"""Texts and labels in containers of other libraries, which are recognized by their methods and never imported."""

import sys
from collections.abc import Sequence

import numpy as np

from keras_bert.errors import InputError

ACCEPTED = (
    "texts (a list, a NumPy array, a string tensor, a pandas Series, a column of a Hugging Face dataset), pairs (a "
    "list of (first, second), a tuple (firsts, seconds), a DataFrame of two columns), token ids (a dict of "
    "input_word_ids, input_mask and input_type_ids), or a tf.data.Dataset, keras.utils.PyDataset, DataFrame or "
    "Hugging Face Dataset with labels"
)


def is_tf_dataset(value) -> bool:
    """Return whether a value is a `tf.data.Dataset`."""
    return hasattr(value, "element_spec") and hasattr(value, "as_numpy_iterator")


def is_dataset(value) -> bool:
    """Return whether a value is a `tf.data.Dataset` or a `keras.utils.PyDataset`, whose elements have labels too."""
    keras = sys.modules.get("keras")  # a program with a `PyDataset` has imported it
    return is_tf_dataset(value) or (keras is not None and isinstance(value, keras.utils.PyDataset))


def is_frame(value) -> bool:
    """Return whether a value is a DataFrame of pandas or Polars."""
    return hasattr(value, "to_numpy") and hasattr(value, "columns")


class _Column:
    """One column of a table, read when it is called. `class_names` are the names of a Hugging Face `ClassLabel`."""

    def __init__(self, table, name):
        self.table, self.name = table, name
        feature = (getattr(table, "features", None) or {}).get(name) if hasattr(table, "column_names") else None
        self.class_names = getattr(feature, "names", None)

    def __call__(self):
        return self.table[self.name]


def as_table(value) -> dict | None:
    """Return the columns of a Hugging Face `Dataset`, or of a DataFrame with a column of labels, by name.

    Returns:
        A dict of name to a function that reads the column; None for other values, also for a DataFrame of texts only.
    """
    if hasattr(value, "column_names") and hasattr(value, "features"):
        return {name: _Column(value, name) for name in value.column_names}
    if is_frame(value) and any(str(name).lower().startswith("label") for name in value.columns):
        return {name: _Column(value, name) for name in value.columns}
    return None


def to_numpy(value) -> np.ndarray:
    """Convert a tensor, a pandas Series or DataFrame, or a sequence to a NumPy array."""
    if isinstance(value, np.ndarray):
        return value
    if hasattr(value, "to_numpy"):
        return np.asarray(value.to_numpy())
    import keras  # here, because texts in lists need no Keras

    if keras.ops.is_tensor(value):
        return keras.ops.convert_to_numpy(value)
    if hasattr(value, "numpy"):  # a tensor of TensorFlow on another Keras backend
        return np.asarray(value.numpy())
    return np.asarray(list(value) if _is_sequence(value) else value)


def as_texts(value, name: str = "inputs") -> list[str] | tuple[list[str], list[str]]:
    """Convert a container to a list of texts, or a tuple of two lists for pairs.

    Args:
        value: see `read_examples`.
        name: the argument's name, for messages.

    Raises:
        InputError: the container is unknown, or an entry is neither a text nor a pair.
    """
    if isinstance(value, tuple) and len(value) == 2 and not any(isinstance(part, str | bytes) for part in value):
        first, second = (as_texts(part, name) for part in value)
        if isinstance(first, tuple) or isinstance(second, tuple):  # rows: (("a", "b"), ("c", "d"))
            raise InputError(
                f"`{name}` must be a list of pairs, or a tuple (firsts, seconds). Received: tuples in a tuple"
            )
        if len(first) != len(second):
            raise InputError(
                f"`{name}` must have as many first as second texts. Received: {len(first)} and {len(second)}"
            )
        return first, second
    rows = _rows(value, name)
    if not rows or isinstance(rows[0], str | bytes):
        return [_text(row, name, i) for i, row in enumerate(rows)]
    if not _is_row_of_two(rows[0]):
        _text(rows[0], name, 0)
    firsts, seconds = [], []
    for i, row in enumerate(rows):
        if not _is_row_of_two(row):
            raise InputError(f"`{name}` must be all single texts or all pairs. Received: {row!r:.60} at index {i}")
        firsts.append(_text(row[0], name, i))
        seconds.append(_text(row[1], name, i))
    return firsts, seconds


def as_labels(labels):
    """Convert labels to an array, a dict of arrays, or a list of N lists of names; None stays None.

    Raises:
        InputError: a label is missing (None or NaN).
    """
    if labels is None:
        return None
    if isinstance(labels, dict):
        return {key: as_labels(value) for key, value in labels.items()}
    if not hasattr(labels, "to_numpy") and not isinstance(labels, np.ndarray) and _is_sequence(labels):
        labels = list(labels)
        if labels and isinstance(labels[0], list | tuple) and all(isinstance(each, str) for each in labels[0]):
            return [list(each) for each in labels]  # names of the labels that apply to each text
    array = to_numpy(labels)
    if array.dtype.kind in "OSU":
        values = [value.decode() if isinstance(value, bytes) else value for value in array.tolist()]
        for i, value in enumerate(values):
            if value is None or value != value:
                raise InputError(f"`labels` must not be missing. Received: {value!r} at index {i}")
        if values and isinstance(values[0], list | tuple | np.ndarray):
            return [list(value) for value in values]
        array = np.asarray(values)
    return array.astype(np.int32) if array.dtype == bool else array


def _rows(value, name: str) -> list:
    """Return the rows of a container of texts or pairs as a list."""
    if is_frame(value) or (isinstance(value, np.ndarray) and value.ndim == 2):
        table = to_numpy(value)
        if table.ndim == 2 and table.shape[1] in (1, 2):
            return table[:, 0].tolist() if table.shape[1] == 1 else list(map(tuple, table.tolist()))
        raise InputError(f"`{name}` must have one or two columns of texts. Received: shape={table.shape}")
    if hasattr(value, "to_numpy") or isinstance(value, np.ndarray) or hasattr(value, "numpy"):
        array = to_numpy(value)
        if array.ndim == 2:
            return _rows(array, name)
        if array.ndim == 1:
            return array.tolist()
    elif _is_sequence(value):
        return list(value)
    raise InputError(f"`{name}` must be {ACCEPTED}. Received: {_shown(value)}")


def _is_sequence(value) -> bool:
    if isinstance(value, str | bytes | dict | set):
        return False
    return isinstance(value, Sequence) or (hasattr(value, "__len__") and hasattr(value, "__getitem__"))


def _is_row_of_two(row) -> bool:
    return isinstance(row, list | tuple | np.ndarray) and len(row) == 2


def _text(value, name: str, index: int) -> str:
    if isinstance(value, bytes):
        return value.decode("utf-8", "replace")
    if not isinstance(value, str):
        raise InputError(f"`{name}` must be {ACCEPTED}. Received: {value!r:.60} at index {index}")
    return str(value)


def _shown(value) -> str:
    return f"{value!r:.60}" if isinstance(value, str | bytes) else f"an object of type {type(value).__name__}"
