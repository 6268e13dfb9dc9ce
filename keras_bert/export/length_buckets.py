"""Run a batch of texts of different lengths as several batches with little padding."""

from keras_bert.constants import INPUT_KEYS

BUCKET_TOKENS = 2048  # enough rows for matrix products to run at full speed


def run_length_bucketed(function, columns: int, tokens, pack, max_length: int, bucket_tokens: int = BUCKET_TOKENS):
    """Apply a function to the rows of a batch, in one bucket if they fit, else in a loop, see `run_in_buckets`.

    A small batch needs no loop and no order, which are many operations. The loop is a function of its own, because
    TensorFlow visits all nodes of a branch that it skips, and the function is one that both branches call, so that the
    graph contains the model once.

    Args:
        function: maps the three encoder inputs `[R, T]` to a float32 tensor `[R, C]`.
        columns: C.
        tokens: int32 `RaggedTensor` `[B, (tokens)]`, without special tokens.
        pack: maps a list of such tensors and a length T to the three inputs, as `BertTextVectorization.pack` does.
        max_length: the largest T. Longer rows are truncated.
        bucket_tokens: the largest R * T, padding included. A longer row is a bucket by itself.

    Returns:
        Float32 tensor `[B, C]`, in the order of `tokens`.
    """
    import tensorflow as tf

    ids = tf.TensorSpec([None, None], tf.int32)
    function = tf.function(function, input_signature=[dict.fromkeys(INPUT_KEYS, ids)], autograph=False)
    lengths = tf.minimum(tf.cast(tokens.row_lengths(), tf.int32) + 2, max_length)  # [B] with [CLS] and [SEP]
    longest = tf.reduce_max(tf.concat([lengths, [2]], 0))  # 2 for an empty batch
    loop = tf.function(
        lambda: run_in_buckets(function, columns, tokens, pack, lengths, bucket_tokens),
        autograph=False,
        experimental_attributes={"_noinline": True},
    )
    return tf.cond(tf.size(lengths) * longest <= bucket_tokens, lambda: function(pack([tokens], longest)), loop)


def run_in_buckets(function, columns: int, tokens, pack, lengths, bucket_tokens: int):
    """Apply a function to the rows of a batch, sorted by length, one bucket at a time, and restore their order.

    In one padded batch, all rows are as long as the longest text. Here each bucket is only as long as its
    longest row. The buckets are a loop inside the graph, so one call with any number of texts takes time
    proportional to the number of their tokens, and the memory of one bucket.

    Args:
        lengths: int32 `[B]`, the number of tokens to keep of each row, with [CLS] and [SEP].
        function, columns, tokens, pack, bucket_tokens: see `run_length_bucketed`.

    Returns:
        Float32 tensor `[B, C]`, in the order of `tokens`.
    """
    import tensorflow as tf

    order = tf.argsort(lengths, stable=True)  # [B]
    lengths = tf.gather(lengths, order)  # [B]
    outputs = tf.TensorArray(tf.float32, 1, dynamic_size=True, infer_shape=False, element_shape=[None, columns])

    def run_bucket(index, start, outputs):
        """Run as many rows as fit into a bucket, and at least one, beginning with row `start`."""
        rest = lengths[start : start + bucket_tokens]
        # Rows are sorted, so the first n rows need n times the length of the n-th.
        fitting = tf.reduce_sum(tf.cast(rest * (tf.range(tf.size(rest)) + 1) <= bucket_tokens, tf.int32))
        end = tf.minimum(start + tf.maximum(fitting, 1), tf.size(order))
        output = function(pack([tf.gather(tokens, order[start:end])], lengths[end - 1]))  # [R, C]
        return index + 1, end, outputs.write(index, output)

    *_, outputs = tf.while_loop(
        lambda index, start, outputs: start < tf.size(order),
        run_bucket,
        (tf.constant(0), tf.constant(0), outputs),
        parallel_iterations=1,
    )
    inverse_order = tf.scatter_nd(order[:, None], tf.range(tf.size(order)), tf.shape(order))  # [B]
    return tf.gather(outputs.concat(), inverse_order)  # [B, C]
