"""A batch of texts run as several: those of like length together, each part no wider than its longest."""


def by_length(function, tokens, pack, limit: int, rows: int = 32):
    """What `function` gives for each row, computed shortest first in parts of `rows`, in the order given.

    One long text in a batch would otherwise pad all of them to its length. The parts are a loop in the graph, so that a
    single call with any number of texts costs what their tokens cost, in the memory of one part.

    Args:
        function: the three inputs `[R, T]` to a tensor `[R, C]`, C known.
        tokens: int32 `RaggedTensor` `[B, (tokens)]`, without special tokens.
        pack: one or two such tensors and a length T to the three inputs, as `BertTextVectorization.pack`.
        limit: the most tokens of a row.
        rows: R, the most rows of a part.

    Returns:
        Tensor `[B, C]`.
    """
    import tensorflow as tf

    lengths = tf.minimum(tf.cast(tokens.row_lengths(), tf.int32) + 2, limit)  # [B] with [CLS] and [SEP]
    order = tf.argsort(lengths, stable=True)  # [B]
    count = tf.maximum(1, -(-tf.size(order) // rows))  # one part of no rows where there are none

    def part(number):
        chosen = order[number * rows : (number + 1) * rows]  # [R]
        width = tf.reduce_max(tf.concat([tf.gather(lengths, chosen), [2]], 0))
        return function(pack([tf.gather(tokens, chosen)], width))  # [R, C]

    first = part(0)
    parts = tf.TensorArray(first.dtype, count, infer_shape=False, element_shape=[None, first.shape[-1]])
    _, parts = tf.while_loop(
        lambda number, _: number < count,
        lambda number, parts: (number + 1, parts.write(number, part(number))),
        (tf.constant(1), parts.write(0, first)),
        parallel_iterations=1,
    )
    place = tf.scatter_nd(order[:, None], tf.range(tf.size(order)), tf.shape(order))  # where each row has come to be
    return tf.gather(parts.concat(), place)
