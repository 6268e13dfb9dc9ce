"""Reading of `tf.data` and Keras datasets of (inputs, labels) into memory.

The training loop reads batches by epoch and index, so that a run can be resumed within an epoch. A dataset can only be
iterated, so it is read once, as text or token ids.
"""

from collections.abc import Iterator

import numpy as np

from keras_bert.constants import INPUT_KEYS
from keras_bert.data.containers import ACCEPTED, is_tf_dataset, to_numpy
from keras_bert.errors import InputError

INFINITE = -1  # `tf.data.INFINITE_CARDINALITY`
NO_LABEL = -1  # the label of a token without a label


def read_dataset(dataset, name: str = "inputs") -> tuple:
    """Read all elements of a finite dataset.

    Args:
        dataset: a `tf.data.Dataset` or a `keras.utils.PyDataset`. Its elements, batches or single examples, are
            (inputs, labels), (inputs, labels, weights) or inputs alone. Inputs are strings, a pair (first, second) of
            them, or a dict of token ids.
        name: the argument's name, for messages.

    Returns:
        Inputs, labels and weights of all examples as NumPy arrays; labels and weights are None if there are none. Rows
        of token ids are padded with 0 to the longest.

    Raises:
        InputError: the dataset is infinite or empty, or its elements have another form.
    """
    parts = [_batch(element, name) for element in _elements(dataset, name)]
    if not parts:
        raise InputError(f"`{name}` must have at least one example. Received: an empty {type(dataset).__name__}")
    inputs, labels, weights = zip(*parts, strict=True)
    return (
        _merge(inputs, 0),
        None if labels[0] is None else _merge(labels, NO_LABEL),
        None if weights[0] is None else _merge(weights, 0),
    )


def texts_of_dataset(dataset) -> Iterator[str | tuple[str, str]]:
    """Yield the texts or pairs of a dataset, one element at a time; labels and weights in it are left out."""
    for element in _elements(dataset, "texts"):
        inputs, labels, _ = _batch(element, "texts")
        if isinstance(inputs, dict):
            raise InputError("`texts` must be strings. Received: a dataset of token ids")
        if isinstance(labels, np.ndarray) and labels.dtype.kind in "OSU":  # labels, or the second texts of pairs?
            raise InputError(
                "`texts` must have elements of one text, or of ((first, second),) for pairs. "
                "Received: elements of two strings"
            )
        columns = inputs if isinstance(inputs, tuple) else (inputs,)
        rows = zip(*(map(_decode, column) for column in columns), strict=True)
        yield from rows if isinstance(inputs, tuple) else (row for (row,) in rows)


def _elements(dataset, name: str) -> Iterator:
    """Yield the elements of a dataset as (inputs, labels, weights)."""
    if is_tf_dataset(dataset):
        infinite = int(dataset.cardinality()) == INFINITE
    else:
        infinite = dataset.num_batches is None
    if infinite:
        raise InputError(
            f"`{name}` must be finite, because its examples are read into memory. "
            f"Received: an infinite {type(dataset).__name__}. Use `take(n)`, or set `epochs` instead of `repeat()`."
        )
    elements = dataset.as_numpy_iterator() if is_tf_dataset(dataset) else (dataset[i] for i in range(len(dataset)))
    for element in elements:
        parts = element if isinstance(element, tuple) else (element,)
        if not 1 <= len(parts) <= 3:
            raise InputError(
                f"`{name}` must have elements (inputs, labels) or (inputs, labels, weights). "
                f"Received: elements of {len(parts)} parts"
            )
        yield (*parts, None, None)[:3]


def _batch(element: tuple, name: str) -> tuple:
    """Return an element as arrays with a batch axis."""
    import keras

    inputs, *rest = element
    if isinstance(inputs, dict):
        if not set(INPUT_KEYS) <= set(inputs):
            raise InputError(f"`{name}` must be {ACCEPTED}. Received: a dataset of dicts with the keys {list(inputs)}")
        inputs, rank = {key: _array(inputs[key], name) for key in INPUT_KEYS}, 2
    else:
        are_pairs = isinstance(inputs, tuple) and len(inputs) == 2
        inputs, rank = tuple(_array(part, name) for part in inputs) if are_pairs else _array(inputs, name), 1
    first = keras.tree.flatten(inputs)[0]
    if rank == 1 and first.dtype.kind not in "OSU":
        raise InputError(f"`{name}` must be {ACCEPTED}. Received: a dataset of arrays of {first.dtype}")
    batch = [inputs, *map(_labels, rest)]
    if first.ndim < rank:  # a single example
        batch = [None if each is None else keras.tree.map_structure(lambda x: x[None], each) for each in batch]
    if rank == 1:
        batch[0] = keras.tree.map_structure(lambda x: x.reshape(-1), batch[0])  # [B] or [B, 1]
    return tuple(batch)


def _array(value, name: str) -> np.ndarray:
    if isinstance(value, str | bytes):
        return np.array(value, object)
    if hasattr(value, "row_splits"):
        raise InputError(f"`{name}` must have dense tensors. Received: a ragged tensor. Use `to_tensor()`.")
    return to_numpy(value)


def _labels(value):
    """Convert labels or weights, or a dict of them by output, to arrays; None stays None."""
    if isinstance(value, dict):
        return {key: to_numpy(array) for key, array in value.items()}
    return None if value is None else to_numpy(value)


def _merge(parts: tuple, pad: int):
    """Concatenate the batches along their first axis; pad token ids and labels of tokens to the longest row."""
    if isinstance(parts[0], dict):
        return {key: _merge(tuple(part[key] for part in parts), pad) for key in parts[0]}
    if isinstance(parts[0], tuple):
        return tuple(_merge(column, pad) for column in zip(*parts, strict=True))
    if parts[0].ndim > 1 and len({part.shape[1] for part in parts}) > 1:
        width = max(part.shape[1] for part in parts)
        parts = tuple(np.pad(part, ((0, 0), (0, width - part.shape[1])), constant_values=pad) for part in parts)
    return np.concatenate(parts)


def _decode(text) -> str:
    return text.decode("utf-8", "replace") if isinstance(text, bytes) else text
