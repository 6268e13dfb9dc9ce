"""`TransformerBlock`, `BertEmbeddings` and `MaskedLMHead`, fused. Their own `call` has the plain form."""

import tensorflow as tf

from keras_bert.ops.dropout import dropout
from keras_bert.ops.elementwise import (
    add_bias,
    attention_probabilities,
    bias_activation,
    dropout_add_norm,
    split_heads,
)
from keras_bert.ops.flat import rows_at


def transformer_block(block, hidden_states, input_mask, positions=None, training=True):
    """See `TransformerBlock.call`.

    Args:
        block: a built `TransformerBlock`.
        hidden_states: `[B, T, H]`.
        input_mask: int or bool `[B, T]`.
        positions: int `[B, P]`, or None for all T.
        training: True, the only case that is compiled.

    Returns:
        `[B, T, H]`, or `[B, P, H]`.
    """
    attention, width = block.attention, block.hidden_size
    batch, length = tf.shape(hidden_states)[0], tf.shape(hidden_states)[1]
    x = tf.reshape(hidden_states, (-1, width))  # [N, H]
    if positions is None:
        rows = x
        q, k, v = _heads(x, batch, (attention.query_dense, attention.key_dense, attention.value_dense), block.num_heads)
    else:
        rows = rows_at(x, positions, length)  # [B * P, H]
        (q,) = _heads(rows, batch, (attention.query_dense,), block.num_heads)
        k, v = _heads(x, batch, (attention.key_dense, attention.value_dense), block.num_heads)
    scores = tf.matmul(q, k, transpose_b=True)  # [B, A, P, T]
    mask = tf.cast(input_mask, "int32")
    scores = attention_probabilities(
        scores, mask, _key(attention._dropout_layer), block.attention_dropout_rate
    )  # [B, A, P, T]
    context = tf.reshape(tf.transpose(tf.matmul(scores, v), (0, 2, 1, 3)), (-1, width))  # [B * P, H]
    x = _project_add_norm(context, attention.output_dense, rows, block.attention_dropout, block.attention_layer_norm)
    inner = tf.matmul(x, _tensor(block.intermediate.kernel))
    inner = bias_activation(inner, _tensor(block.intermediate.bias), block.activation)  # [B * P, F]
    x = _project_add_norm(inner, block.output_dense, x, block.output_dropout, block.output_layer_norm)
    return tf.reshape(x, (batch, -1, width))  # [B, P, H]


def embeddings(layer, input_word_ids, input_type_ids):
    """See `BertEmbeddings.call`.

    Args:
        layer: a built `BertEmbeddings`.
        input_word_ids, input_type_ids: int `[B, T]`.

    Returns:
        `[B, T, E]`, before ALBERT's projection.
    """
    width = layer.word_embeddings.output_dim
    shape = tf.shape(input_word_ids)
    words = tf.reshape(layer.word_embeddings(input_word_ids), (-1, width))  # [N, E]
    places = _tensor(layer.position_embeddings.embeddings, words.dtype)[: shape[1]]
    places = tf.reshape(tf.tile(places[None], (shape[0], 1, 1)), (-1, width))  # [N, E]
    if layer.type_embeddings is not None:
        # Two or so segments: a product with one-hot rows, whose gradient is a product again and no scatter.
        segments = tf.one_hot(tf.reshape(input_type_ids, (-1,)), layer.type_vocab_size, dtype=words.dtype)
        places += tf.matmul(segments, _tensor(layer.type_embeddings.embeddings, words.dtype))  # [N, E]
    norm, nothing = layer.layer_norm, tf.zeros((width,), words.dtype)
    x = dropout_add_norm(words, nothing, places, _tensor(norm.gamma), _tensor(norm.beta), _no_key(), 0.0, norm.epsilon)
    x = dropout(x, _key(layer.dropout), layer.dropout_rate)
    return tf.reshape(x, (shape[0], shape[1], width))  # [B, T, E]


def masked_lm_logits(head, rows):
    """See `MaskedLMHead.call`.

    Args:
        head: a built `MaskedLMHead`.
        rows: `[B, P, H]`, at the masked positions.

    Returns:
        `[B, P, V]`.
    """
    x = tf.reshape(rows, (-1, rows.shape[-1]))  # [N, H]
    x = bias_activation(tf.matmul(x, _tensor(head.dense.kernel)), _tensor(head.dense.bias), head.activation)
    norm = head.layer_norm
    nothing = tf.zeros((head.word_embeddings.output_dim,), x.dtype)  # [E]
    x = dropout_add_norm(
        x, nothing, tf.zeros_like(x), _tensor(norm.gamma), _tensor(norm.beta), _no_key(), 0.0, norm.epsilon
    )
    logits = _product_with_table(
        x, _tensor(head.word_embeddings.embeddings, x.dtype), _tensor(head.output_bias, x.dtype)
    )
    return tf.reshape(logits, (tf.shape(rows)[0], -1, logits.shape[-1]))  # [B, P, V]


@tf.custom_gradient
def _product_with_table(x, table, bias):
    """x table^T + bias; the bias's gradient is a product too, where a column sum would take as long as the logits."""

    def gradient(dy):
        ones = tf.ones((1, tf.shape(dy)[0]), dy.dtype)
        return tf.matmul(dy, table), tf.matmul(dy, x, transpose_a=True), tf.matmul(ones, dy)[0]

    return add_bias(tf.matmul(x, table, transpose_b=True), bias), gradient


def _project_add_norm(x, dense, residual, dropout_layer, norm):
    """LayerNorm(dropout(x kernel + bias) + residual), `[N, H]`."""
    kernel = tf.reshape(_tensor(dense.kernel), (-1, residual.shape[-1]))
    return dropout_add_norm(
        tf.matmul(x, kernel),
        _tensor(dense.bias),
        residual,
        _tensor(norm.gamma),
        _tensor(norm.beta),
        _key(dropout_layer),
        dropout_layer.rate,
        norm.epsilon,
    )


def _heads(x, batch, denses, num_heads):
    """The projections of `denses` in one product, each `[B, A, T, D]`."""
    width = x.shape[-1]
    kernel = tf.concat([tf.reshape(_tensor(dense.kernel), (width, width)) for dense in denses], 1)
    bias = tf.concat([tf.reshape(_tensor(dense.bias), (width,)) for dense in denses], 0)
    return split_heads(tf.matmul(x, kernel), bias, batch, num_heads, len(denses))


def _tensor(variable, dtype=None):
    value = tf.convert_to_tensor(variable)
    return value if dtype is None else tf.cast(value, dtype)


def _key(dropout_layer):
    """The next int32 `[2]` of a dropout's seed generator, which a dropout of rate 0 has not."""
    return tf.cast(dropout_layer.seed_generator.next(), "int32") if dropout_layer.rate else _no_key()


def _no_key():
    return tf.zeros((2,), "int32")
