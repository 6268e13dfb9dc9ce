"""Conversion of texts to a string tensor, with validation."""

import keras
import numpy as np

from keras_bert.errors import InputError


def string_tensor(texts):
    """Convert texts to a string tensor.

    Args:
        texts: one string, a list or NumPy array of strings, or a string tensor `[]`, `[B]` or `[B, 1]`; `bytes` are
            accepted as strings. A symbolic Keras input is returned unchanged.

    Returns:
        A string `tf.Tensor` `[]` or `[B]`.

    Raises:
        InputError: a value is not a string, the shape is not one of the above, or a string has a lone surrogate, which
            UTF-8 cannot encode.
    """
    import tensorflow as tf

    if isinstance(texts, keras.KerasTensor):
        if texts.dtype != "string":
            raise InputError(f"`texts` must be strings. Received: a Keras input of dtype {texts.dtype}")
        return texts
    if not tf.is_tensor(texts):
        texts = _from_python(texts)
    if not isinstance(texts, tf.Tensor) or texts.dtype != tf.string:
        raise InputError(f"`texts` must be strings. Received: {type(texts).__name__} of dtype {texts.dtype.name}")
    if texts.shape.rank == 2 and texts.shape[1] == 1:
        texts = tf.squeeze(texts, 1)
    if texts.shape.rank not in (0, 1):
        raise InputError(f"`texts` must be one string or a list of strings. Received: strings of shape {texts.shape}")
    return texts


def _from_python(texts):
    import tensorflow as tf

    flat = [texts] if isinstance(texts, str | bytes) else np.asarray(texts, object).reshape(-1)
    for index, text in enumerate(flat):
        if not isinstance(text, str | bytes):
            raise InputError(f"`texts` must be strings. Received: {text!r:.60} at index {index}")
    try:
        return tf.convert_to_tensor(texts, tf.string)
    except ValueError:  # TensorFlow's message does not contain the string
        for index, text in enumerate(flat):
            if isinstance(text, str) and text.encode("utf-8", "replace") != text.encode("utf-8", "surrogatepass"):
                raise InputError(f"`texts` must be valid Unicode. Received: {text!r:.60} at index {index}") from None
        raise
