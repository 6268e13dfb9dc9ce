"""Operations on rows of different lengths that are concatenated into one flat tensor."""


def row_ids(lengths):
    """Compute the row of each element: lengths `[2, 0, 3]` give `[0, 0, 2, 2, 2]`.

    Time and memory are linear in R rows and N elements. `tf.repeat` gives the same result but creates a mask
    `[R, largest length]`, which can take 200 GB if one line is much longer than the others.

    Args:
        lengths: int32 tensor `[R]`, the number of elements per row.

    Returns:
        int32 tensor `[N]`, the row of each element; N is the sum of the lengths.
    """
    import tensorflow as tf

    ends = tf.cumsum(lengths)  # [R]
    total = tf.reduce_sum(lengths)
    ended = tf.math.unsorted_segment_sum(tf.ones_like(ends), ends, total + 1)  # [N + 1], how many rows end here
    return tf.cumsum(ended)[:-1]  # [N]


def row_splits(rows, count):
    """Compute the row splits of elements that are sorted by row: rows `[0, 0, 2]` of 3 rows give `[0, 2, 2, 3]`.

    `tf.RaggedTensor.from_value_rowids` gives the same result with more operations.

    Args:
        rows: int64 tensor `[N]`, the row of each element, in ascending order.
        count: int64 scalar tensor, R.

    Returns:
        int64 tensor `[R + 1]`.
    """
    import tensorflow as tf

    rows, numbers = tf.expand_dims(rows, 0), tf.expand_dims(tf.range(count + 1), 0)  # [1, N], [1, R + 1]
    return tf.squeeze(tf.raw_ops.LowerBound(sorted_inputs=rows, values=numbers, out_type=tf.int64), 0)


def shift_right(condition):
    """Shift a bool tensor `[N]` by one element; the first one becomes False."""
    import tensorflow as tf

    return tf.concat([[False], condition], 0)[: tf.size(condition)]


def is_run_start(values):
    """Return a bool tensor `[N]`: True for each element that differs from the one before it, and for the first one."""
    import tensorflow as tf

    return tf.concat([[True], values[1:] != values[:-1]], 0)[: tf.size(values)]
