"""XLA for a stretch of a graph, and not for all of it."""

import functools

import tensorflow as tf


def compiled(function):
    """One graph for each set of widths (last axes), and of it one XLA program for each shape it meets.

    TensorFlow makes a graph general in every axis that it has seen differ. Rows may differ; a width has to stay known.
    """
    graphs = {}

    @functools.wraps(function)
    def run(*args, **kwargs):
        widths = tuple((a.dtype, tuple(a.shape[-1:])) for a in args if isinstance(a, tf.Tensor))
        if widths not in graphs:
            graphs[widths] = tf.function(function, jit_compile=True, reduce_retracing=True, autograph=False)
        return graphs[widths](*args, **kwargs)

    return run
