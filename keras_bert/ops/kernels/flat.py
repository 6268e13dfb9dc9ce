"""Kernels in plain TensorFlow operations, for inference, exports and batches of many lengths.

A product of two matrices is faster than the einsum it replaces, and oneDNN computes it with its bias and its GELU in
one pass.
"""

import tensorflow as tf

from keras_bert import keras_internals


def attention(layer, query, value, input_mask, training):
    """Compute `ops.attention`."""
    heads, width = layer.num_heads, layer.key_dim  # A, D

    # The mask is the same tensor in all blocks, so the optimizer of graphs computes its shape once for all.
    shape = tf.shape(input_mask)
    batch, length = shape[0], shape[1]  # B, T
    positions = length if query is value else tf.shape(query)[1]  # P

    def split(x, projection, count):
        rows = tf.reshape(product(projection, x), (batch, count, heads, width))  # [B, T, A, D]
        return tf.transpose(rows, (0, 2, 1, 3))  # [B, A, T, D]

    q = split(query, layer.query_dense, positions) * width**-0.5  # [B, A, P, D]
    k, v = split(value, layer.key_dense, length), split(value, layer.value_dense, length)  # [B, A, T, D]
    scores = tf.matmul(q, k, transpose_b=True) + hidden_keys(input_mask, q.dtype)  # [B, A, P, T]
    probabilities = tf.nn.softmax(scores)  # [B, A, P, T]
    probabilities = keras_internals.attention_dropout(layer)(probabilities, training=training)
    return merge_heads(layer, tf.matmul(probabilities, v), query)  # [B, P, H]


def dense(layer, x, activation):
    """Compute `ops.dense`."""
    return unflatten(activate(product(layer, x), activation), x)  # [B, T, F]


def feed_forward(intermediate, output, x, activation):
    """Compute `ops.feed_forward`."""
    inner = activate(product(intermediate, x), activation)  # [N, F]
    return unflatten(product(output, inner), x)  # [B, T, H]


def dropout_add_norm(x, residual, dropout, norm, training):
    """Compute `ops.dropout_add_norm`."""
    return layer_norm(norm, residual + dropout(x, training=training))  # [B, T, H]


def layer_norm(layer, x):
    """Compute `ops.layer_norm`, in float32."""
    y = tf.cast(x, tf.float32)  # [B, T, H]
    centered = y - tf.reduce_mean(y, -1, keepdims=True)
    scale = tf.math.rsqrt(tf.reduce_mean(centered * centered, -1, keepdims=True) + layer.epsilon)  # [B, T, 1]
    y = centered * scale * tf.cast(layer.gamma, tf.float32) + tf.cast(layer.beta, tf.float32)
    return tf.cast(y, x.dtype)


def embedding_lookup(layer, ids):
    """Compute `ops.embedding_lookup`."""
    table = keras_internals.uncast_value(layer.embeddings)  # [V, E]; casting it whole would read all rows
    return tf.cast(tf.nn.embedding_lookup(table, ids), layer.compute_dtype)  # [B, T, E]


def tied_logits(x, table, bias):
    """Compute `ops.tied_logits`."""
    return unflatten(tf.matmul(flatten(x), table, transpose_b=True) + bias, x)  # [B, P, V]


def activate(x, activation):
    """Compute `ops.activate`."""
    if activation is None:
        return x
    return tf.nn.relu(x) if activation == "relu" else tf.nn.gelu(x, approximate=activation == "gelu_tanh")


def product(layer, x):
    """Compute x kernel + bias on flat rows.

    Args:
        layer: a `Dense` or `EinsumDense` whose kernel has the input axes first, in any number of axes.
        x: `[B, T, H]`, or `[N, H]`.

    Returns:
        `[N, M]` with N = B * T.
    """
    bias = tf.reshape(tf.cast(layer.bias, x.dtype), (-1,))  # [M]
    kernel = tf.reshape(tf.cast(layer.kernel, x.dtype), (x.shape[-1], bias.shape[0]))  # [H, M]
    return tf.nn.bias_add(tf.matmul(flatten(x), kernel), bias)


def flatten(x):
    """Reshape `[B, T, H]` to `[N, H]` with N = B * T."""
    return x if x.shape.rank == 2 else tf.reshape(x, (-1, x.shape[-1]))


def unflatten(rows, like):
    """Reshape `[N, M]` to `[B, T, M]`, with B and T of `like`."""
    if like.shape.rank == 2:
        return rows
    shape = tf.shape(like)
    if rows.shape[-1] != like.shape[-1]:
        shape = tf.concat([shape[:-1], [rows.shape[-1]]], 0)
    x = tf.reshape(rows, shape)
    x.set_shape((*like.shape[:-1], rows.shape[-1]))
    return x


def merge_heads(layer, context, query):
    """Project `[B, A, P, D]` to `[B, P, H]`, the shape of `query`."""
    rows = tf.reshape(tf.transpose(context, (0, 2, 1, 3)), (-1, layer.num_heads * layer.value_dim))  # [B * P, A * D]
    return unflatten(product(layer.output_dense, rows), query)


def hidden_keys(input_mask, dtype):
    """Return `[B, 1, 1, T]` to be added to the scores: 0 at tokens, a large negative number at padding."""
    return (1 - tf.cast(input_mask, dtype))[:, None, None, :] * (0.5 * dtype.min)
