"""Class names in place of class ids, and the head that labels need."""

import numpy as np

from keras_bert.data.table import check_label_names
from keras_bert.errors import InputError


def has_names(labels) -> bool:
    """Return whether labels are names: an array of strings, or a list of lists of names for several labels per text."""
    return isinstance(labels, list) or (isinstance(labels, np.ndarray) and labels.dtype.kind == "U")


def names_of(labels) -> list[str]:
    """Return the distinct names in labels, sorted."""
    values = [name for row in labels for name in row] if isinstance(labels, list) else labels.tolist()
    return list(check_label_names(sorted(set(values))))


def to_class_ids(labels, names):
    """Replace class names by class ids.

    Args:
        labels: strings `[N]`; a list of N lists of names; or numbers, which are returned unchanged.
        names: the C names in the order of the logits.

    Returns:
        int32 `[N]`, or int32 `[N, C]` of 0 and 1 for lists of names.

    Raises:
        InputError: a label is not one of the names.

    Example:

    >>> names = ["bad", "good"]
    >>> to_class_ids(np.array(["good", "bad"]), names).tolist(), to_class_ids([["bad"], []], names).tolist()
    ([1, 0], [[1, 0], [0, 0]])
    """
    if not has_names(labels):
        return labels
    index = {name: number for number, name in enumerate(names or ())}
    unknown = next((name for name in names_of(labels) if name not in index), None)
    if unknown is not None:
        shown = (
            ", ".join(list(index)[:8]) + (", …" if len(index) > 8 else "") or "integers, because the model has no names"
        )
        raise InputError(f"`labels` must be among {shown}. Received: {unknown!r:.60}")
    if not isinstance(labels, list):
        return np.array([index[name] for name in labels.tolist()], np.int32)
    rows = np.zeros((len(labels), len(index)), np.int32)  # [N, C]
    for row, applying in zip(rows, labels, strict=True):
        row[[index[name] for name in applying]] = 1
    return rows


def infer_head(labels, names=None) -> tuple[str, int, list[str] | None]:
    """Return the head that labels need.

    Args:
        labels: names, or integers `[N]` in 0 … C - 1, for one of C classes; lists of names, or 0 and 1 `[N, C]`, for
            several labels per text; numbers with fractions, float `[N]`, for regression.
        names: names of the classes in order, or None for those in the labels.

    Returns:
        The problem type of a `BertClassifier`, the number of classes, and their names or None.

    Raises:
        InputError: the labels fit none of these.

    Example:

    >>> infer_head(np.array(["good", "bad"])), infer_head(np.array([0, 2, 1])), infer_head(np.array([0.5, 2.0]))
    (('single_label', 2, ['bad', 'good']), ('single_label', 3, None), ('regression', 1, None))
    """
    names = names and list(check_label_names(names))
    if has_names(labels):
        names = names or names_of(labels)
        problem_type, count = ("multi_label" if isinstance(labels, list) else "single_label"), len(names)
    elif not isinstance(labels, np.ndarray) or labels.ndim not in (1, 2) or labels.dtype.kind not in "iuf":
        raise InputError("`labels` must be class names, integers or floats for a new model. Received: other labels")
    elif labels.ndim == 2 and labels.shape[1] > 1:
        problem_type, count = "multi_label", labels.shape[1]
    elif labels.dtype.kind == "f" and (labels != np.floor(labels)).any():
        problem_type, count = "regression", 1
    elif labels.dtype.kind == "f":
        raise InputError(
            "`labels` must be integers or names for classes. Received: whole numbers as floats. For regression, pass "
            '`BertClassifier(encoder, 1, problem_type="regression")` as `model`.'
        )
    else:
        problem_type, count = "single_label", int(labels.max(initial=0)) + 1
        count = count if names is None else len(names)
    if problem_type == "single_label" and count < 2:
        raise InputError(f"`labels` must have at least two classes. Received: {count}")
    if names is not None and (problem_type == "regression" or len(names) != count):
        raise InputError(f"`label_names` must be {count} names for these labels. Received: label_names={names!r:.80}")
    return problem_type, count, names
