"""Weights of the training examples, by class and by example."""

import numbers

import numpy as np

from keras_bert.errors import InputError


def example_weights(targets, token_weights, sample_weight, class_weight, classes: int | None, names=None):
    """Combine the weights of examples, classes and tokens.

    Args:
        targets: what the loss takes: class ids `[N]`, `[N, 1]` or `[N, T]`, or other targets.
        token_weights: float `[N, T]`, 1 for tokens with a label; None for tasks of texts.
        sample_weight: N numbers, 0 or more, or None.
        class_weight: dict of class id or name to a number, or None. Other classes have weight 1.
        classes: number of classes if an example or token has exactly one, otherwise None.
        names: names of the classes, or None.

    Returns:
        float32 `[N]` or `[N, T]`, or None if all weights are 1.

    Raises:
        InputError: a weight is negative or not finite, all are 0, a class is unknown, or the task has no weights.

    Example:

    >>> example_weights(np.array([0, 1, 1]), None, [1, 1, 2], {1: 3}, classes=2).tolist()
    [1.0, 3.0, 6.0]
    """
    weights = token_weights
    for name, value in (("sample_weight", sample_weight), ("class_weight", class_weight)):
        if value is not None and isinstance(targets, dict):
            raise InputError(f"`{name}` must be None for a model with several outputs. Received: {name}")
    if class_weight is not None:
        ids = np.asarray(targets, np.int64)
        if classes is not None and ((ids != targets).any() or ids.min(initial=0) < 0 or ids.max(initial=0) >= classes):
            raise InputError(
                f"`class_weight` must be None unless labels are in 0 … {classes - 1}. Received: other labels"
            )
        factors = _class_factors(class_weight, classes, names)[ids]
        factors = factors if token_weights is not None else factors.reshape(len(factors))  # [N, T] or [N]
        weights = factors if weights is None else weights * factors
    if sample_weight is not None:
        factors = np.asarray(sample_weight)
        _check(factors, "sample_weight", "finite numbers, 0 or more")
        if factors.ndim != 1:
            raise InputError(f"`sample_weight` must be one number per example. Received: shape={factors.shape}")
        weights = factors if weights is None else weights * (factors if weights.ndim == 1 else factors[:, None])
    if weights is not None and weights is not token_weights and not weights.any():
        raise InputError("`sample_weight` and `class_weight` must not be 0 for all examples. Received: only zeros")
    return None if weights is None else weights.astype(np.float32)


def _class_factors(class_weight, classes: int | None, names) -> np.ndarray:
    """Return the weight of each class, float `[C]`."""
    if classes is None:
        raise InputError("`class_weight` must be None unless each example has one class. Received: class_weight")
    if not isinstance(class_weight, dict):
        received = type(class_weight).__name__
        raise InputError(f"`class_weight` must be a dict of class to weight. Received: an object of type {received}")
    ids = {name: number for number, name in enumerate(names or ())} | {i: i for i in range(classes)}
    factors = np.ones(classes)
    for key, value in class_weight.items():
        if key not in ids:
            known = ", ".join(map(str, (names or range(classes))))
            raise InputError(f"`class_weight` must have keys among {known:.80}. Received: {key!r}")
        if isinstance(value, bool) or not isinstance(value, numbers.Real):
            raise InputError(f"`class_weight` must be finite numbers, 0 or more. Received: {key!r}: {value!r}")
        factors[ids[key]] = value
    _check(factors, "class_weight", "finite numbers, 0 or more")
    return factors


def _check(values: np.ndarray, name: str, expected: str) -> None:
    if values.dtype.kind not in "iuf" or not np.isfinite(values).all() or (values < 0).any():
        raise InputError(f"`{name}` must be {expected}. Received: other values")
