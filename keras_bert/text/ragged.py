"""Rows of different lengths laid end to end: the few operations on them that everything here is made of."""


def row_ids(lengths):
    """For lengths `[R]` the row of each element `[N]`: `[2, 0, 3]` gives `[0, 0, 2, 2, 2]`.

    In time and space linear in N and R. `tf.repeat`, which says the same, makes a `[R, longest]` mask: 200 GB for
    one long line among many short ones.
    """
    import tensorflow as tf

    ends = tf.cumsum(lengths)
    total = tf.reduce_sum(lengths)
    ended = tf.math.unsorted_segment_sum(tf.ones_like(ends), ends, total + 1)  # [N + 1] how many rows end here
    return tf.cumsum(ended)[:-1]


def after(condition):
    """Where the element before fulfils a condition; never for the first."""
    import tensorflow as tf

    return tf.concat([[False], condition], 0)[: tf.size(condition)]


def changes(values):
    """Where a value differs from the one before; always for the first."""
    import tensorflow as tf

    return tf.concat([[True], values[1:] != values[:-1]], 0)[: tf.size(values)]
