"""A batch of texts run as several: those of like length together, each part no wider than its longest."""

PART = 2048  # tokens: enough for products of matrices to be at their fastest


def by_length(function, tokens, pack, limit: int, part: int = PART):
    """What `function` gives for each row, computed shortest first, some rows at a time, in the order given.

    One long text in a batch would otherwise pad all of them to its length. The parts are a loop in the graph, so that a
    single call with any number of texts costs what their tokens cost, in the memory of one part.

    Args:
        function: the three inputs `[R, T]` to a tensor `[R, C]`, C known.
        tokens: int32 `RaggedTensor` `[B, (tokens)]`, without special tokens.
        pack: one or two such tensors and a length T to the three inputs, as `BertTextVectorization.pack`.
        limit: the most tokens of a row.
        part: the most tokens of a part, R T, padding included; a longer row is a part by itself.

    Returns:
        Tensor `[B, C]`.
    """
    import tensorflow as tf

    lengths = tf.minimum(tf.cast(tokens.row_lengths(), tf.int32) + 2, limit)  # [B] with [CLS] and [SEP]
    order = tf.argsort(lengths, stable=True)  # [B]
    lengths = tf.gather(lengths, order)

    def after(start):
        """The part from a row on: where it ends, and its rows' results."""
        rest = lengths[start : start + part]
        fitting = tf.reduce_sum(tf.cast(rest * (tf.range(tf.size(rest)) + 1) <= part, tf.int32))
        end = tf.minimum(start + tf.maximum(fitting, 1), tf.size(order))
        width = tf.reduce_max(tf.concat([lengths[start:end], [2]], 0))
        return end, function(pack([tf.gather(tokens, order[start:end])], width))  # [R, C]

    end, first = after(0)  # of no rows where there are none
    parts = tf.TensorArray(first.dtype, 1, dynamic_size=True, infer_shape=False, element_shape=[None, first.shape[-1]])

    def step(number, start, parts):
        end, found = after(start)
        return number + 1, end, parts.write(number, found)

    *_, parts = tf.while_loop(
        lambda number, start, parts: start < tf.size(order),
        step,
        (tf.constant(1), end, parts.write(0, first)),
        parallel_iterations=1,
    )
    place = tf.scatter_nd(order[:, None], tf.range(tf.size(order)), tf.shape(order))  # where each row has come to be
    return tf.gather(parts.concat(), place)
