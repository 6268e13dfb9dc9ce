"""`TransformerBlock` on flat rows, in plain operations.

Where nothing is trained, oneDNN does a product, its bias and its GELU in one; in training too, a product of two
matrices is faster than the einsum it replaces.
"""

import tensorflow as tf


def transformer_block(block, hidden_states, input_mask, positions=None, training=None):
    """See `TransformerBlock.call`.

    Args:
        block: a built `TransformerBlock`.
        hidden_states: `[B, T, H]`.
        input_mask: int or bool `[B, T]`.
        positions: int `[B, P]`, or None for all T.
        training: whether dropout drops.

    Returns:
        `[B, T, H]`, or `[B, P, H]`.
    """
    attention, width, heads = block.attention, block.hidden_size, block.num_heads
    batch, length = tf.shape(hidden_states)[0], tf.shape(hidden_states)[1]
    x = tf.reshape(hidden_states, (-1, width))  # [N, H]
    rows = x if positions is None else rows_at(x, positions, length)  # [B * P, H]

    def split(y):
        return tf.transpose(tf.reshape(y, (batch, -1, heads, width // heads)), (0, 2, 1, 3))  # [B, A, T, D]

    q = split(_dense(rows, attention.query_dense)) * (width // heads) ** -0.5
    k, v = split(_dense(x, attention.key_dense)), split(_dense(x, attention.value_dense))
    hide = (1 - tf.cast(input_mask, x.dtype))[:, None, None, :] * (0.5 * x.dtype.min)  # [B, 1, 1, T]
    scores = tf.nn.softmax(tf.matmul(q, k, transpose_b=True) + hide)  # [B, A, P, T]
    scores = attention._dropout_layer(scores, training=training)
    context = tf.reshape(tf.transpose(tf.matmul(scores, v), (0, 2, 1, 3)), (-1, width))  # [B * P, H]
    attended = block.attention_dropout(_dense(context, attention.output_dense), training=training)
    x = _norm(rows + attended, block.attention_layer_norm)  # [B * P, H]
    inner = _activate(_dense(x, block.intermediate), block.activation)  # [B * P, F]
    inner = block.output_dropout(_dense(inner, block.output_dense), training=training)
    x = _norm(x + inner, block.output_layer_norm)
    return tf.reshape(x, (batch, -1, width))  # [B, P, H]


def lookup(table, ids):
    """Rows of a `keras.Variable` `[V, H]` at ids, `[…, H]`; read as a whole, it would be copied while it is trained."""
    return tf.nn.embedding_lookup(table.value, ids)


def rows_at(x, positions, length):
    """The rows of `[B * T, H]` at positions `[B, P]` of sequences `length` = T long: `[B * P, H]`."""
    starts = tf.range(tf.shape(positions)[0])[:, None] * length  # [B, 1]
    return tf.gather(x, tf.reshape(tf.cast(positions, "int32") + starts, (-1,)))


def _dense(x, dense):
    """x kernel + bias, `[N, M]`, whatever shape the kernel is kept in: that of heads, for one."""
    bias = tf.reshape(tf.convert_to_tensor(dense.bias), (-1,))
    kernel = tf.reshape(tf.convert_to_tensor(dense.kernel), (x.shape[-1], -1))
    kernel = tf.ensure_shape(kernel, (x.shape[-1], bias.shape[0]))
    return tf.nn.bias_add(tf.matmul(x, kernel), bias)


def _activate(x, name):
    return tf.nn.relu(x) if name == "relu" else tf.nn.gelu(x, approximate=name == "gelu_tanh")


def _norm(x, layer):
    """The LayerNorm, in float32."""
    y = tf.cast(x, tf.float32)
    apart = y - tf.reduce_mean(y, -1, keepdims=True)
    scale = tf.math.rsqrt(tf.reduce_mean(apart * apart, -1, keepdims=True) + layer.epsilon)
    y = apart * scale * tf.cast(layer.gamma, tf.float32) + tf.cast(layer.beta, tf.float32)
    return tf.cast(y, x.dtype)
