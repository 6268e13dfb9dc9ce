"""Free memory after each file of tests and doctests, so that the processes of `make test` stay small."""

import ctypes
import gc
import sys

import pytest


@pytest.fixture(autouse=True, scope="module")
def free_memory():
    """Drop Keras's global state and TensorFlow's graphs, then return freed memory to the system.

    This frees about a tenth of what a file of training tests leaves; TensorFlow keeps compiled functions.
    """
    yield
    if "keras" in sys.modules:
        sys.modules["keras"].utils.clear_session(free_memory=True)
    gc.collect()
    if sys.platform == "linux":
        trim = getattr(ctypes.CDLL(None), "malloc_trim", None)  # glibc only
        if trim is not None:
            trim(0)
