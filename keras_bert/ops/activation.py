"""The activations of BERT."""

import keras

from keras_bert.config import ACTIVATIONS
from keras_bert.errors import InputError


def activate(x, activation: str | None):
    """Apply an activation by its name in `BertConfig`.

    `"gelu_tanh"` is the approximation in Google's BERT, 0.5 x (1 + tanh(sqrt(2 / pi) (x + 0.044715 x^3))); `"gelu"` is
    the exact x Phi(x). They differ by up to 5e-4 per value, and by 2e-3 after twelve layers, so that pretrained weights
    need the one they were trained with.

    Args:
        x: float tensor of any shape.
        activation: `"gelu_tanh"`, `"gelu"`, `"relu"`, or None.

    Returns:
        A tensor of the shape and dtype of `x`.

    Example:

    >>> from keras_bert import ops
    >>> [round(float(ops.activate(-1.0, name)), 4) for name in ("gelu_tanh", "gelu", "relu")]
    [-0.1588, -0.1587, 0.0]

    Source: Hendrycks and Gimpel 2016 (arXiv:1606.08415); `gelu` in google-research/bert `modeling.py`.
    """
    if activation is None:
        return x
    if activation == "relu":
        return keras.ops.relu(x)
    return keras.ops.gelu(x, approximate=activation == "gelu_tanh")


def check_activation(activation: str) -> str:
    """Return `activation` if it is a name that `activate` knows.

    Raises:
        InputError: it is not.
    """
    if activation not in ACTIVATIONS:
        raise InputError(f"`activation` must be one of {', '.join(ACTIVATIONS)}. Received: activation={activation!r}")
    return activation
