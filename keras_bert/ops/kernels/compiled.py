"""Kernels for training on a CPU: what lies between two matrix products is one XLA program, forward and backward.

The products stay with oneDNN, which is faster at them than XLA.
"""

import tensorflow as tf

from keras_bert import keras_internals
from keras_bert.ops.kernels import elementwise, flat
from keras_bert.ops.kernels.cross_entropy import cross_entropy, is_correct

__all__ = [
    "attention",
    "cross_entropy",
    "dense",
    "dropout_add_norm",
    "feed_forward",
    "is_correct",
    "layer_norm",
    "tied_logits",
]


def attention(layer, query, value, input_mask, training):
    """Compute `ops.attention`."""
    batch, dropout = tf.shape(value)[0], keras_internals.attention_dropout(layer)
    projections = layer.query_dense, layer.key_dense, layer.value_dense
    if query is value:
        q, k, v = _project(value, batch, projections, layer.num_heads)  # [B, A, T, D]
    else:
        (q,) = _project(query, batch, projections[:1], layer.num_heads)  # [B, A, P, D]
        k, v = _project(value, batch, projections[1:], layer.num_heads)  # [B, A, T, D]
    scores = tf.matmul(q, k, transpose_b=True)  # [B, A, P, T]
    hidden = flat.hidden_keys(input_mask, scores.dtype)  # [B, 1, 1, T]
    probabilities = elementwise.attention_probabilities(scores, hidden, _key(dropout), dropout.rate)  # [B, A, P, T]
    return flat.merge_heads(layer, tf.matmul(probabilities, v), query)  # [B, P, H]


def dense(layer, x, activation):
    """Compute `ops.dense`."""
    if activation is None:
        return flat.dense(layer, x, activation)
    inner = tf.matmul(flat.flatten(x), tf.cast(layer.kernel, x.dtype))  # [N, F]
    return flat.unflatten(elementwise.bias_activation(inner, tf.cast(layer.bias, x.dtype), activation), x)


def feed_forward(intermediate, output, x, activation):
    """Compute `ops.feed_forward`."""
    return flat.dense(output, dense(intermediate, x, activation), None)  # [B, T, H]


def dropout_add_norm(x, residual, dropout, norm, training):
    """Compute `ops.dropout_add_norm`."""
    y = elementwise.dropout_add_norm(
        flat.flatten(x),
        flat.flatten(residual),
        tf.convert_to_tensor(norm.gamma),
        tf.convert_to_tensor(norm.beta),
        _key(dropout),
        dropout.rate,
        norm.epsilon,
    )
    return flat.unflatten(y, x)  # [B, T, H]


def layer_norm(layer, x):
    """Compute `ops.layer_norm`."""
    gamma, beta = tf.convert_to_tensor(layer.gamma), tf.convert_to_tensor(layer.beta)
    return flat.unflatten(elementwise.layer_norm(flat.flatten(x), gamma, beta, layer.epsilon), x)  # [B, T, H]


def tied_logits(x, table, bias):
    """Compute `ops.tied_logits`."""
    return flat.unflatten(_product_with_table(flat.flatten(x), table, bias), x)  # [B, P, V]


@tf.custom_gradient
def _product_with_table(x, table, bias):
    """Compute x table^T + bias; the gradient of the bias is a product as well, faster than a sum over the rows."""

    def gradient(dy):
        ones = tf.ones((1, tf.shape(dy)[0]), dy.dtype)
        return tf.matmul(dy, table), tf.matmul(dy, x, transpose_a=True), tf.matmul(ones, dy)[0]

    return elementwise.add_bias(tf.matmul(x, table, transpose_b=True), bias), gradient


def _project(x, batch, projections, num_heads):
    """Compute several projections in one product; a tuple of `[B, A, T, D]`."""
    kernels = [tf.reshape(tf.cast(dense.kernel, x.dtype), (x.shape[-1], -1)) for dense in projections]
    biases = [tf.reshape(tf.cast(dense.bias, x.dtype), (-1,)) for dense in projections]
    rows = tf.matmul(flat.flatten(x), tf.concat(kernels, 1))  # [N, A * D * len(projections)]
    return elementwise.split_heads(rows, tf.concat(biases, 0), batch, num_heads, len(projections))


def _key(dropout):
    """Return the next int32 `[2]` from a dropout layer's seed generator, which a layer of rate 0 does not have."""
    return tf.cast(dropout.seed_generator.next(), "int32") if dropout.rate else tf.zeros((2,), "int32")
