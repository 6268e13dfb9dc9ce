"""The gradient of a value of each row with respect to tensors, on the TensorFlow, JAX and PyTorch backends."""

from collections.abc import Callable

import keras
import numpy as np
from keras import ops


def value_and_gradients(function: Callable, inputs: list) -> tuple[np.ndarray, list[np.ndarray], list[np.ndarray]]:
    """Compute the values of rows, and their gradients.

    Args:
        function: function of tensors `[B, ...]` that returns the values `[B]`, of which each depends on its own row
            only, and a list of further tensors.
        inputs: float arrays `[B, ...]`.

    Returns:
        The values, float32 `[B]`; the gradients, one array of the shape of each input; and the further tensors.

    Example:

    >>> values, (gradient,), _ = value_and_gradients(lambda x: (ops.sum(x * x, -1), []), [np.array([[1.0, 3.0]])])
    >>> values.tolist(), gradient.tolist()
    ([10.0], [[2.0, 6.0]])
    """
    tensors = [ops.convert_to_tensor(each, dtype="float32") for each in inputs]
    values, gradients, others = tensor_gradients(function, tensors)
    return to_array(values), [to_array(each) for each in gradients], [to_array(each) for each in others]


def tensor_gradients(function: Callable, tensors: list) -> tuple:
    """Compute what `value_and_gradients` returns as tensors, from tensors: it may be a part of a graph."""
    return BACKENDS[keras.config.backend()](function, tensors)


def to_array(tensor) -> np.ndarray:
    """Convert a tensor of any float dtype to a float32 array."""
    return ops.convert_to_numpy(ops.cast(tensor, "float32"))


def _tensorflow(function, tensors):
    import tensorflow as tf

    with tf.GradientTape(watch_accessed_variables=False) as tape:
        tape.watch(tensors)
        values, others = function(*tensors)
    return values, tape.gradient(values, tensors, unconnected_gradients="zero"), others


def _jax(function, tensors):
    import jax

    def total(tensors):
        values, others = function(*tensors)
        return ops.sum(values), (values, others)

    gradients, (values, others) = jax.grad(total, has_aux=True)(tensors)
    return values, gradients, others


def _torch(function, tensors):
    import torch

    tensors = [each.detach().requires_grad_() for each in tensors]
    with torch.enable_grad():
        values, others = function(*tensors)
        gradients = torch.autograd.grad(values.sum(), tensors, materialize_grads=True)
    return values.detach(), gradients, [each.detach() for each in others]


BACKENDS = {"tensorflow": _tensorflow, "jax": _jax, "torch": _torch}
