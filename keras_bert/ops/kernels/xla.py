"""XLA compilation of a part of a graph."""

import functools

import tensorflow as tf


def compiled(function):
    """Compile a function of tensors with XLA, once per shape.

    TensorFlow makes a graph general in every axis that differed between two calls. The last axis must stay known, so
    there is one graph per combination of last axes; XLA compiles it once per shape.
    """
    graphs = {}

    @functools.wraps(function)
    def run(*args, **kwargs):
        widths = tuple((a.dtype, tuple(a.shape[-1:])) for a in args if isinstance(a, tf.Tensor))
        if widths not in graphs:
            graphs[widths] = tf.function(function, jit_compile=True, reduce_retracing=True, autograph=False)
        return graphs[widths](*args, **kwargs)

    return run
