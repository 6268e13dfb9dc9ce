"""What belongs to one replica of a `tf.distribute` strategy: its part of a batch, and its dropout masks."""

import contextlib
import functools
from collections.abc import Iterator

import tensorflow as tf

from keras_bert import keras_internals


def own_rows(arrays):
    """Return the rows of the current replica, of a structure of tensors `[B, …]` that all replicas have."""
    context = tf.distribute.get_replica_context()
    index, count = tf.cast(context.replica_id_in_sync_group, tf.int32), context.num_replicas_in_sync
    rows = tf.shape(tf.nest.flatten(arrays)[0])[0]  # B
    start, end = index * rows // count, (index + 1) * rows // count
    return tf.nest.map_structure(lambda x: x[start:end], arrays)


def sum_over_replicas(tensors: list) -> list:
    """Add up tensors over all replicas; None stays None."""
    present = [tf.convert_to_tensor(x) for x in tensors if x is not None]
    sums = iter(tf.distribute.get_replica_context().all_reduce(tf.distribute.ReduceOp.SUM, present))
    return [None if x is None else next(sums) for x in tensors]


@contextlib.contextmanager
def own_dropout_masks(model) -> Iterator[None]:
    """Let each replica draw its own dropout masks. In Keras, a seed generator has the same state in all replicas."""
    generators = keras_internals.seed_generators(model)
    for generator in generators:
        generator.next = functools.partial(_next_of_replica, generator)  # hides the method
    try:
        yield
    finally:
        for generator in generators:
            del generator.next


def _next_of_replica(generator, ordered: bool = True):
    seed = type(generator).next(generator, ordered)  # [2]
    index = tf.distribute.get_replica_context().replica_id_in_sync_group
    return seed + tf.stack([tf.cast(index, seed.dtype), tf.zeros((), seed.dtype)])
