"""The element-wise work between two matrix products, each part compiled by XLA with its gradient written out.

All functions compute in float32 and return the dtype of their first argument. Rows are flat: N = B * T.
"""

import functools
import math

import tensorflow as tf

from keras_bert.ops.kernels.dropout import compiled_drop, drop
from keras_bert.ops.kernels.xla import compiled


def bias_activation(x, bias, activation):
    """Compute activation(x + bias).

    Args:
        x: `[N, F]`.
        bias: `[F]`.
        activation: `"gelu_tanh"`, `"gelu"` or `"relu"`.
    """
    forward, backward = _bias_activation(activation)

    @tf.custom_gradient
    def run(x, bias):
        return forward(x, bias), lambda dy: backward(x, bias, dy)

    return run(x, bias)


def dropout_add_norm(x, residual, gamma, beta, key, rate, epsilon):
    """Compute LayerNorm(residual + dropout(x)).

    Args:
        x, residual: `[N, H]`.
        gamma, beta: `[H]`.
        key: int32 `[2]`, the key of the dropout mask; see `keep`.
        rate: of dropout.
        epsilon: of the LayerNorm.
    """
    forward, backward = _dropout_add_norm(rate, epsilon)

    @tf.custom_gradient
    def run(x, residual, gamma, beta, key):
        y, normal, scale = forward(x, residual, gamma, beta, key)
        return y, lambda dy: (*backward(normal, scale, gamma, dy, key), None)

    return run(x, residual, gamma, beta, key)


def layer_norm(x, gamma, beta, epsilon):
    """Compute LayerNorm(x).

    Args:
        x: `[N, H]`.
        gamma, beta: `[H]`.
        epsilon: of the LayerNorm.
    """
    forward, backward = _layer_norm(epsilon)

    @tf.custom_gradient
    def run(x, gamma, beta):
        y, normal, scale = forward(x, gamma, beta)
        return y, lambda dy: backward(normal, scale, gamma, dy)

    return run(x, gamma, beta)


def split_heads(x, bias, batch, num_heads, count):
    """Split x + bias into `count` tensors `[B, A, T, D]`; queries are scaled by 1 / sqrt(D).

    Args:
        x: `[B * T, count * A * D]`.
        bias: `[count * A * D]`.
        batch: B, a scalar tensor.
        num_heads: A.
        count: 3 for query, key and value; 2 for key and value; 1 for query.
    """
    forward, backward = _split_heads(num_heads, count)

    @tf.custom_gradient
    def run(x, bias, batch):
        return forward(x, bias, batch), lambda *dy: (*backward(*dy), None)

    return run(x, bias, batch)


def attention_probabilities(scores, hidden, key, rate):
    """Compute dropout(softmax(scores + hidden)).

    Args:
        scores: `[B, A, P, T]`.
        hidden: `[B, 1, 1, T]`, a large negative number at padding.
        key: int32 `[2]`.
        rate: of dropout.
    """
    forward, backward = compiled_drop(rate), _attention_backward(rate)

    @tf.custom_gradient
    def run(scores, hidden, key):
        probabilities = tf.nn.softmax(scores + hidden)  # oneDNN's
        dropped = forward(probabilities, key) if rate else probabilities
        return dropped, lambda dy: (backward(probabilities, dy, key), None, None)

    return run(scores, hidden, key)


def _value_and_slope(x, activation):
    if activation == "relu":
        return tf.nn.relu(x), tf.cast(x > 0, x.dtype)
    if activation == "gelu":  # x Phi(x)
        phi = 0.5 * (1 + tf.math.erf(x * math.sqrt(0.5)))
        return x * phi, phi + x * tf.exp(-0.5 * x * x) * (1 / math.sqrt(2 * math.pi))
    c = math.sqrt(2 / math.pi)
    half = 0.5 * (1 + tf.tanh(c * (x + 0.044715 * x * x * x)))
    return x * half, half + 2 * x * half * (1 - half) * c * (1 + 3 * 0.044715 * x * x)


@functools.cache
def _bias_activation(activation):
    @compiled
    def forward(x, bias):
        y = tf.cast(x, tf.float32) + tf.cast(bias, tf.float32)
        return tf.cast(_value_and_slope(y, activation)[0], x.dtype)

    @compiled
    def backward(x, bias, dy):
        slope = _value_and_slope(tf.cast(x, tf.float32) + tf.cast(bias, tf.float32), activation)[1]
        dx = tf.cast(dy, tf.float32) * slope
        return tf.cast(dx, x.dtype), tf.cast(tf.reduce_sum(dx, 0), bias.dtype)

    return forward, backward


@functools.cache
def _dropout_add_norm(rate, epsilon):
    @compiled
    def forward(x, residual, gamma, beta, key):
        total = tf.cast(residual, tf.float32) + drop(tf.cast(x, tf.float32), key, rate)
        y, normal, scale = _norm(total, gamma, beta, epsilon)
        return tf.cast(y, x.dtype), tf.cast(normal, x.dtype), scale

    @compiled
    def backward(normal, scale, gamma, dy, key):
        total, d_gamma, d_beta = _norm_gradient(normal, scale, gamma, dy)
        dtype = normal.dtype
        return tf.cast(drop(total, key, rate), dtype), tf.cast(total, dtype), d_gamma, d_beta

    return forward, backward


@functools.cache
def _layer_norm(epsilon):
    @compiled
    def forward(x, gamma, beta):
        y, normal, scale = _norm(tf.cast(x, tf.float32), gamma, beta, epsilon)
        return tf.cast(y, x.dtype), tf.cast(normal, x.dtype), scale

    @compiled
    def backward(normal, scale, gamma, dy):
        dx, d_gamma, d_beta = _norm_gradient(normal, scale, gamma, dy)
        return tf.cast(dx, normal.dtype), d_gamma, d_beta

    return forward, backward


def _norm(x, gamma, beta, epsilon):
    centered = x - tf.reduce_mean(x, -1, keepdims=True)
    scale = tf.math.rsqrt(tf.reduce_mean(centered * centered, -1, keepdims=True) + epsilon)  # [N, 1]
    normal = centered * scale
    return normal * tf.cast(gamma, tf.float32) + tf.cast(beta, tf.float32), normal, scale


def _norm_gradient(normal, scale, gamma, dy):
    normal, dy = tf.cast(normal, tf.float32), tf.cast(dy, tf.float32)
    dn = dy * tf.cast(gamma, tf.float32)
    dx = dn - tf.reduce_mean(dn, -1, keepdims=True) - normal * tf.reduce_mean(dn * normal, -1, keepdims=True)
    d_gamma, d_beta = (tf.cast(tf.reduce_sum(values, 0), gamma.dtype) for values in (dy * normal, dy))
    return dx * scale, d_gamma, d_beta


@functools.cache
def _split_heads(num_heads, count):
    scaled = count != 2  # the queries come first

    @compiled
    def forward(x, bias, batch):
        width = x.shape[-1] // (count * num_heads)
        parts = tf.cast(x, tf.float32) + tf.cast(bias, tf.float32)
        parts = tf.reshape(parts, (batch, tf.shape(x)[0] // batch, count, num_heads, width))
        parts = tf.unstack(tf.transpose(parts, (2, 0, 3, 1, 4)))  # count of [B, A, T, D]
        if scaled:
            parts[0] *= width**-0.5
        return tuple(tf.cast(part, x.dtype) for part in parts)

    @compiled
    def backward(*dy):
        width = dy[0].shape[-1]
        parts = [tf.cast(part, tf.float32) for part in dy]
        if scaled:
            parts[0] *= width**-0.5
        dx = tf.transpose(tf.stack(parts), (1, 3, 0, 2, 4))  # [B, T, count, A, D]
        dx = tf.reshape(dx, (-1, count * num_heads * width))
        return tf.cast(dx, dy[0].dtype), tf.cast(tf.reduce_sum(dx, 0), dy[0].dtype)

    return forward, backward


@functools.cache
def _attention_backward(rate):
    @compiled
    def backward(probabilities, dy, key):
        p, dy = tf.cast(probabilities, tf.float32), drop(tf.cast(dy, tf.float32), key, rate)
        return tf.cast(p * (dy - tf.reduce_sum(p * dy, -1, keepdims=True)), probabilities.dtype)

    return backward


@compiled
def add_bias(x, bias):
    """Compute x + bias outside of the product: with a transposed matrix, TensorFlow's fused product is slower."""
    return x + bias
