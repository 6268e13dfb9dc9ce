"""The activations a BERT may have, by the config's names, and how its kernels start."""

import keras
from keras import ops

from keras_bert.config import ACTIVATIONS
from keras_bert.errors import InputError


def activate(x, name: str):
    """The activation of this name, applied to a tensor.

    `"gelu_tanh"` is the approximation of Google's BERT, 0.5 x (1 + tanh(sqrt(2 / pi) (x + 0.044715 x^3))); `"gelu"` is
    the exact x Phi(x). They differ by up to 5e-4 a value, which twelve layers make 2e-3: weights work with their own.

    Args:
        x: float tensor of any shape.
        name: `"gelu_tanh"`, `"gelu"` or `"relu"`.

    Returns:
        A tensor of the shape and dtype of `x`.

    Example:

    >>> from keras_bert.layers.activation import activate
    >>> [round(float(activate(-1.0, name)), 4) for name in ("gelu_tanh", "gelu", "relu")]
    [-0.1588, -0.1587, 0.0]

    Source: Hendrycks and Gimpel 2016 (arXiv:1606.08415); `gelu` in google-research/bert `modeling.py`.
    """
    if name == "relu":
        return ops.relu(x)
    return ops.gelu(x, approximate=name == "gelu_tanh")


def check_activation(name: str) -> str:
    """`name` if it is an activation of a BERT; an InputError if not."""
    if name not in ACTIVATIONS:
        raise InputError(f"activation must be one of {', '.join(ACTIVATIONS)}. Received: {name!r}")
    return name


def kernel_initializer(initializer_range: float) -> keras.initializers.Initializer:
    """A new truncated normal: a Keras initializer used twice would draw the same numbers twice."""
    return keras.initializers.TruncatedNormal(stddev=initializer_range)
