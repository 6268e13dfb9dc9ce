"""What the user gives as texts, as a string tensor, or one clear line."""

import keras
import numpy as np

from keras_bert.errors import InputError


def string_tensor(texts):
    """Take strings as the user has them.

    Args:
        texts: one string, a list or NumPy array of strings, or a string tensor `[]`, `[B]` or `[B, 1]`; `bytes` are
            strings too. A symbolic Keras input is given back as it is.

    Returns:
        A string `tf.Tensor` `[]` or `[B]`.

    Raises:
        InputError: something that is no string, another shape, or a lone surrogate (which no UTF-8 can say).
    """
    import tensorflow as tf

    if isinstance(texts, keras.KerasTensor):
        if texts.dtype != "string":
            raise InputError(f"texts must be strings. Received: an input of dtype {texts.dtype}")
        return texts
    if not tf.is_tensor(texts):
        texts = _from_python(texts)
    if not isinstance(texts, tf.Tensor) or texts.dtype != tf.string:
        raise InputError(f"texts must be strings. Received: {type(texts).__name__} of {texts.dtype.name}")
    if texts.shape.rank == 2 and texts.shape[1] == 1:
        texts = tf.squeeze(texts, 1)
    if texts.shape.rank not in (0, 1):
        raise InputError(f"texts must be one string or a list of strings. Received: strings of shape {texts.shape}")
    return texts


def _from_python(texts):
    import tensorflow as tf

    flat = [texts] if isinstance(texts, str | bytes) else np.asarray(texts, object).reshape(-1)
    for number, text in enumerate(flat):
        if not isinstance(text, str | bytes):
            raise InputError(f"texts must be strings. Received: {text!r:.60} at position {number}")
    try:
        return tf.convert_to_tensor(texts, tf.string)
    except ValueError:  # TensorFlow does not say which
        for number, text in enumerate(flat):
            if isinstance(text, str) and text.encode("utf-8", "replace") != text.encode("utf-8", "surrogatepass"):
                raise InputError(f"texts must be valid Unicode. Received: {text!r:.60} at position {number}") from None
        raise
