"""A batch of texts run as several: those of like length together, each part no wider than its longest."""

PART = 2048  # tokens: enough for products of matrices to be at their fastest


def run_length_bucketed(function, columns: int, tokens, pack, limit: int, part: int = PART):
    """What `function` gives for each row, computed shortest first, some rows at a time, in the order given.

    One long text in a batch would otherwise pad all of them to its length. The parts are a loop in the graph, so that a
    single call with any number of texts costs what their tokens cost, in the memory of one part.

    Args:
        function: the three inputs `[R, T]` to a float32 tensor `[R, C]`.
        columns: C.
        tokens: int32 `RaggedTensor` `[B, (tokens)]`, without special tokens.
        pack: one or two such tensors and a length T to the three inputs, as `BertTextVectorization.pack`.
        limit: the most tokens of a row.
        part: the most tokens of a part, R T, padding included; a longer row is a part by itself.

    Returns:
        Float32 tensor `[B, C]`.
    """
    import tensorflow as tf

    lengths = tf.minimum(tf.cast(tokens.row_lengths(), tf.int32) + 2, limit)  # [B] with [CLS] and [SEP]
    order = tf.argsort(lengths, stable=True)  # [B]
    lengths = tf.gather(lengths, order)

    parts = tf.TensorArray(tf.float32, 1, dynamic_size=True, infer_shape=False, element_shape=[None, columns])

    def step(number, start, parts):
        """A part from a row on: as many rows as fit, at least one where there are any."""
        rest = lengths[start : start + part]
        fitting = tf.reduce_sum(tf.cast(rest * (tf.range(tf.size(rest)) + 1) <= part, tf.int32))
        end = tf.minimum(start + tf.maximum(fitting, 1), tf.size(order))
        width = tf.reduce_max(tf.concat([lengths[start:end], [2]], 0))
        found = function(pack([tf.gather(tokens, order[start:end])], width))  # [R, C]
        return number + 1, end, parts.write(number, found)

    *_, parts = tf.while_loop(
        lambda number, start, parts: (number == 0) | (start < tf.size(order)),  # one part, of no rows, for no texts
        step,
        (tf.constant(0), tf.constant(0), parts),
        parallel_iterations=1,
    )
    place = tf.scatter_nd(order[:, None], tf.range(tf.size(order)), tf.shape(order))  # where each row has come to be
    return tf.gather(parts.concat(), place)
