"""Dropout whose mask is a hash of a key, computed again in the backward pass instead of stored."""

import functools

import tensorflow as tf

from keras_bert.ops.kernels.xla import compiled


def dropout(x, key, rate):
    """Set a share `rate` of x to 0 and scale up the rest.

    Args:
        x: any shape.
        key: int32 `[2]`.
        rate: in [0, 1).
    """
    run = compiled_drop(rate)

    @tf.custom_gradient
    def with_gradient(x, key):
        return run(x, key), lambda dy: (run(dy, key), None)

    return with_gradient(x, key) if rate else x


def keep(shape, key, rate):
    """Return a bool tensor, True with probability 1 - rate: a hash of each element's index and the key.

    Rounds of multiply and shift, as in integer hash functions. The second half of the key enters between two rounds, so
    that the sequences of two keys are not shifts of each other.
    """

    def mix(h, shift, factor):
        return (h ^ tf.bitwise.right_shift(h, tf.constant(shift, tf.uint32))) * tf.constant(factor, tf.uint32)

    key = tf.bitcast(key, tf.uint32)
    index = tf.bitcast(tf.reshape(tf.range(tf.reduce_prod(shape)), shape), tf.uint32)
    h = mix(mix(index + key[0] * tf.constant(0x9E3779B1, tf.uint32), 16, 0x7FEB352D), 15, 0x846CA68B)
    h = mix(mix(h ^ (key[1] * tf.constant(0x85EBCA6B, tf.uint32)), 16, 0x7FEB352D), 15, 0x846CA68B)
    return tf.cast(tf.bitwise.right_shift(h, tf.constant(1, tf.uint32)), tf.int32) >= round(rate * 2**31)


def drop(x, key, rate):
    """Compute `dropout` as a part of a larger compiled function."""
    return tf.where(keep(tf.shape(x), key, rate), x / (1 - rate), 0.0) if rate else x


@functools.cache
def compiled_drop(rate):
    """Compile `drop` for a rate; it is also its own gradient."""
    return compiled(lambda x, key: tf.cast(drop(tf.cast(x, tf.float32), key, rate), x.dtype))
