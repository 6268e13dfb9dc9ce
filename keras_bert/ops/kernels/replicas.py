"""The part of a batch that belongs to one replica of a `tf.distribute` strategy."""

import tensorflow as tf


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
