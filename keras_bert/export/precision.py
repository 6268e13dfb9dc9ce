"""A model whose weights are stored in the precision it computes in."""

import keras

from keras_bert.models import BertEncoder


def in_dtype(model, dtype: str):
    """A copy of an encoder or classifier with weights and arithmetic in `dtype`; its LayerNorms compute in float32.

    A mixed policy keeps float32 weights and casts them at every call, which is right while they are trained. A model
    that only serves casts them once, and is half the size in bfloat16.

    Args:
        model: a `BertEncoder`, `BertClassifier` or `BertFeatureClassifier`.
        dtype: `"float32"` or `"bfloat16"`.

    Returns:
        A new model of the same class.
    """
    if isinstance(model, BertEncoder):
        return model.copy(dtype=dtype)
    copy = type(model)(**{**model.get_config(), "encoder": model.encoder.copy(dtype=dtype)})
    for ours, theirs in zip(copy.weights, model.weights, strict=True):
        ours.assign(keras.ops.cast(theirs, ours.dtype))
    return copy
