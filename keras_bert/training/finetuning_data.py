"""The training and validation examples of `finetune`: explicit validation data, or a part of the training examples."""

import numbers

import numpy as np

from keras_bert.data.containers import is_dataset
from keras_bert.data.examples import Examples, read_examples
from keras_bert.errors import InputError


def read_validation(validation_inputs, validation_labels, validation_data, validation_split) -> Examples | None:
    """Return the validation examples that are given as arguments of `finetune`, or None.

    Raises:
        InputError: they are given in more than one way, or have weights.
    """
    given = {
        "validation_inputs": validation_inputs,
        "validation_data": validation_data,
        "validation_split": validation_split or None,
    }
    names = [name for name, value in given.items() if value is not None]
    if len(names) > 1:
        raise InputError(f"`{names[0]}` must be the only validation data. Received: {' and '.join(names)}")
    if validation_data is not None:
        inputs, labels = validation_data, None
        if not is_dataset(validation_data):
            if not isinstance(validation_data, tuple | list) or len(validation_data) != 2:
                received = (
                    f"{len(validation_data)} values" if isinstance(validation_data, tuple | list) else "another type"
                )
                raise InputError(f"`validation_data` must be a dataset or (inputs, labels). Received: {received}")
            inputs, labels = validation_data
        validation = read_examples(inputs, labels, name="validation_data")
    elif validation_inputs is not None:
        validation = read_examples(validation_inputs, validation_labels, name="validation_inputs")
    else:
        return None
    if validation.labels is None:
        raise InputError("`validation_data` must have labels. Received: inputs without labels")
    if validation.weights is not None:
        raise InputError("`validation_data` must have no weights: its metrics are not weighted. Received: weights")
    if not len(validation):
        raise InputError("`validation_data` must have at least one example. Received: 0 examples")
    return validation


def split_rows(labels, share: float, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Split examples at random into rows to train on and rows to validate on.

    The classes have the same shares in both parts, as far as their numbers allow. Keras's `fit` takes the last examples
    instead, which have only some of the classes if the examples are sorted.

    Args:
        labels: class ids or names `[N]` for a stratified split; other labels for a random one.
        share: fraction of the examples to validate on, in (0, 1). At least one example is in each part.
        seed: seed of the order.

    Returns:
        Two sorted arrays of indices.

    Raises:
        InputError: `share` is not in (0, 1), or there are fewer than two examples.

    Example:

    >>> train, validation = split_rows(np.array([0] * 8 + [1] * 4), 0.25, seed=1)
    >>> len(train), [int(np.sum(validation >= 8)), len(validation)]
    (9, [1, 3])
    """
    if isinstance(share, bool) or not isinstance(share, numbers.Real) or not 0 < share < 1:
        raise InputError(
            f"`validation_split` must be a number above 0 and below 1. Received: validation_split={share!r}"
        )
    count = len(next(iter(labels.values())) if isinstance(labels, dict) else labels)
    if count < 2:
        raise InputError(f"`validation_split` must have at least two examples to split. Received: {count}")
    rng = np.random.default_rng(seed)
    is_class = isinstance(labels, np.ndarray) and labels.ndim == 1 and labels.dtype.kind in "iuU"
    _, classes = np.unique(labels, return_inverse=True) if is_class else (None, np.zeros(count, np.int64))
    position = np.empty(count)  # [N], in (0, 1): where an example is in a random order of its class
    for each in range(classes.max() + 1):
        rows = rng.permutation(np.flatnonzero(classes == each))
        position[rows] = (np.arange(len(rows)) + rng.random()) / len(rows)
    order = np.argsort(position, kind="stable")
    size = min(count - 1, max(1, round(share * count)))
    return np.sort(order[size:]), np.sort(order[:size])
