"""Free memory after each file of tests and doctests, so that the processes of `make test` stay small."""

import ctypes
import gc
import sys

import pytest


@pytest.fixture(autouse=True, scope="module")
def free_memory():
    """Drop Keras's global state, the gradient functions of old graphs, and return freed memory to the system.

    TensorFlow registers the gradient of every traced `tf.custom_gradient` under a name of its own and never removes it,
    which keeps the graphs of all trained models in memory.
    """
    yield
    if "keras" in sys.modules:
        sys.modules["keras"].utils.clear_session(free_memory=True)
    if "tensorflow" in sys.modules:
        from tensorflow.python.framework import ops

        gradients = ops.gradient_registry._registry
        for name in [name for name in gradients if name.startswith("CustomGradient-")]:
            del gradients[name]
    gc.collect()
    if sys.platform == "linux":
        trim = getattr(ctypes.CDLL(None), "malloc_trim", None)  # glibc only
        if trim is not None:
            trim(0)
