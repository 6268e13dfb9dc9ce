"""Free memory after each test and doctest, so that the processes of `make test` stay small."""

import gc
import sys

import pytest


@pytest.fixture(autouse=True)
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


@pytest.fixture(autouse=True, scope="module")
def collect_garbage():
    """Free the models of a file: they are in reference cycles, which Python collects late."""
    yield
    gc.collect()
