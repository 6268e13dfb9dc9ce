"""Cross-entropy and accuracy per prediction."""

import keras

from keras_bert.ops.dispatch import find_kernel

MANY_CLASSES = 1024  # with fewer, the kernel saves nothing


def cross_entropy(labels, logits):
    """Compute -log softmax(logits)[label] of each prediction, in float32.

    Args:
        labels: int `[...]`, in `[0, C)`.
        logits: float `[..., C]`.

    Returns:
        Float32 `[...]`, in nats.

    Example:

    >>> import numpy as np
    >>> from keras_bert import ops
    >>> round(float(ops.cross_entropy(np.array([1]), np.zeros((1, 4), "float32"))[0]), 4)
    1.3863
    """
    labels, logits = keras.ops.cast(labels, "int32"), keras.ops.convert_to_tensor(logits)
    kernel = _find_kernel("cross_entropy", logits)
    if kernel:
        return kernel(labels, logits)
    return keras.ops.sparse_categorical_crossentropy(labels, keras.ops.cast(logits, "float32"), from_logits=True)


@keras.saving.register_keras_serializable(package="keras_bert")
def is_correct(labels, logits):
    """Return 1 for each prediction whose label has a higher logit than all other classes, otherwise 0.

    A tie is not correct, so that equal logits for all classes do not count as an accuracy of 1.

    Args:
        labels: int `[...]`, in `[0, C)`.
        logits: float `[..., C]`.

    Returns:
        Float32 `[...]`.

    Example:

    >>> import numpy as np
    >>> from keras_bert import ops
    >>> np.asarray(ops.is_correct(np.array([1, 0]), np.array([[0.0, 2.0], [1.0, 1.0]]))).tolist()
    [1.0, 0.0]
    """
    labels, logits = keras.ops.cast(labels, "int32"), keras.ops.convert_to_tensor(logits)
    kernel = _find_kernel("is_correct", logits)
    if kernel:
        return kernel(labels, logits)
    classes = keras.ops.arange(keras.ops.shape(logits)[-1], dtype="int32")  # [C]; dynamic if classes are positions
    is_label = classes == labels[..., None]  # [..., C]
    own, others = (keras.ops.max(keras.ops.where(part, logits, -float("inf")), -1) for part in (is_label, ~is_label))
    return keras.ops.cast(own > others, "float32")  # [...]


def _find_kernel(name, logits):
    if (logits.shape[-1] or 0) < MANY_CLASSES:
        return None
    return find_kernel(name, inputs=(logits,), training=True, min_length=1)
