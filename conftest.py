"""Free memory after each file of tests and doctests, so that the processes of `make test` stay small."""

import sys

import pytest


@pytest.fixture(autouse=True, scope="module")
def forget_gradients():
    """Remove the gradient functions of old graphs.

    TensorFlow registers the gradient of every traced `tf.custom_gradient` under a name of its own and never removes it,
    which keeps the graphs of all trained models in memory.
    """
    yield
    if "tensorflow" in sys.modules:
        from tensorflow.python.framework import ops

        gradients = ops.gradient_registry._registry
        for name in [name for name in gradients if name.startswith("CustomGradient-")]:
            del gradients[name]
