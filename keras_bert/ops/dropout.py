"""Dropout whose mask is a function of a key: worked out again where it is needed, and never stored."""

import functools

import tensorflow as tf

from keras_bert.ops.xla import compiled


def dropout(x, key, rate):
    """x with a share of `rate` zeroed and the rest scaled up.

    Args:
        x: any shape.
        key: int32 `[2]`.
        rate: in [0, 1).
    """
    run = compiled_drop(rate)

    @tf.custom_gradient
    def both_ways(x, key):
        return run(x, key), lambda dy: (run(dy, key), None)

    return both_ways(x, key) if rate else x


def keep(shape, key, rate):
    """Bool of a shape, True with probability 1 - rate: a hash of each element's number and the key.

    The backward pass hashes again instead of reading a stored mask. Rounds of multiply and shift, as integer hashes
    are made of; the second half of the key enters between them, so that no two keys give one sequence, shifted.
    """

    def mix(h, shift, factor):
        return (h ^ tf.bitwise.right_shift(h, tf.constant(shift, tf.uint32))) * tf.constant(factor, tf.uint32)

    key = tf.bitcast(key, tf.uint32)
    number = tf.bitcast(tf.reshape(tf.range(tf.reduce_prod(shape)), shape), tf.uint32)
    h = mix(mix(number + key[0] * tf.constant(0x9E3779B1, tf.uint32), 16, 0x7FEB352D), 15, 0x846CA68B)
    h = mix(mix(h ^ (key[1] * tf.constant(0x85EBCA6B, tf.uint32)), 16, 0x7FEB352D), 15, 0x846CA68B)
    return tf.cast(tf.bitwise.right_shift(h, tf.constant(1, tf.uint32)), tf.int32) >= round(rate * 2**31)


def drop(x, key, rate):
    """x with a share of `rate` zeroed and the rest scaled up, to be part of a larger program."""
    return tf.where(keep(tf.shape(x), key, rate), x / (1 - rate), 0.0) if rate else x


@functools.cache
def compiled_drop(rate):
    """`drop` of a rate as a program of its own; its gradient is the same program."""
    return compiled(lambda x, key: tf.cast(drop(tf.cast(x, tf.float32), key, rate), x.dtype))
