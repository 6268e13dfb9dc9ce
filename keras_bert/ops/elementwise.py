"""The stretches between matrix products, each compiled to one loop, with its gradient written out.

All take and give the dtype of their first argument and compute in float32. Rows are flat: N = B * T.
"""

import functools
import math

import tensorflow as tf

from keras_bert.ops.dropout import compiled_drop, drop
from keras_bert.ops.xla import compiled


def bias_activation(x, bias, name):
    """activation(x + bias).

    Args:
        x: `[N, F]`.
        bias: `[F]`.
        name: `"gelu_tanh"`, `"gelu"` or `"relu"`.
    """
    forward, backward = _bias_activation(name)

    @tf.custom_gradient
    def run(x, bias):
        return forward(x, bias), lambda dy: backward(x, bias, dy)

    return run(x, bias)


def dropout_add_norm(x, bias, residual, gamma, beta, key, rate, epsilon):
    """LayerNorm(dropout(x + bias) + residual).

    Args:
        x, residual: `[N, H]`.
        bias, gamma, beta: `[H]`.
        key: int32 `[2]`, what the dropout is drawn from; see `keep`.
        rate: of dropout.
        epsilon: of the LayerNorm.
    """
    forward, backward = _dropout_add_norm(rate, epsilon)

    @tf.custom_gradient
    def run(x, bias, residual, gamma, beta, key):
        y, normal, scale = forward(x, bias, residual, gamma, beta, key)
        return y, lambda dy: (*backward(normal, scale, gamma, dy, key), None)

    return run(x, bias, residual, gamma, beta, key)


def split_heads(x, bias, batch, num_heads, count):
    """x + bias cut into `count` tensors `[B, A, T, D]` of A heads; queries are scaled.

    Args:
        x: `[B * T, count * A * D]`.
        bias: `[count * A * D]`.
        batch: B, a scalar tensor.
        num_heads: A.
        count: 3 for query, key and value; 2 for key and value; 1 for query. Queries are multiplied by 1 / sqrt(D).
    """
    forward, backward = _split_heads(num_heads, count)

    @tf.custom_gradient
    def run(x, bias, batch):
        return forward(x, bias, batch), lambda *dy: (*backward(*dy), None)

    return run(x, bias, batch)


def attention_probabilities(scores, mask, key, rate):
    """dropout(softmax(scores)) over the keys that `mask` lets through.

    Args:
        scores: `[B, A, P, T]`.
        mask: int `[B, T]`, 1 at tokens.
        key: int32 `[2]`.
        rate: of dropout.
    """
    forward, backward = compiled_drop(rate), _attention_backward(rate)

    @tf.custom_gradient
    def run(scores, mask, key):
        hide = (1 - tf.cast(mask, scores.dtype))[:, None, None, :] * (0.5 * scores.dtype.min)  # [B, 1, 1, T]
        probabilities = tf.nn.softmax(scores + hide)  # oneDNN's
        dropped = forward(probabilities, key) if rate else probabilities
        return dropped, lambda dy: (backward(probabilities, dy, key), None, None)

    return run(scores, mask, key)


def _value_and_slope(x, name):
    if name == "relu":
        return tf.nn.relu(x), tf.cast(x > 0, x.dtype)
    if name == "gelu":  # x Phi(x)
        phi = 0.5 * (1 + tf.math.erf(x * math.sqrt(0.5)))
        return x * phi, phi + x * tf.exp(-0.5 * x * x) * (1 / math.sqrt(2 * math.pi))
    c = math.sqrt(2 / math.pi)
    half = 0.5 * (1 + tf.tanh(c * (x + 0.044715 * x * x * x)))
    return x * half, half + 2 * x * half * (1 - half) * c * (1 + 3 * 0.044715 * x * x)


@functools.cache
def _bias_activation(name):
    @compiled
    def forward(x, bias):
        return tf.cast(_value_and_slope(tf.cast(x, tf.float32) + tf.cast(bias, tf.float32), name)[0], x.dtype)

    @compiled
    def backward(x, bias, dy):
        slope = _value_and_slope(tf.cast(x, tf.float32) + tf.cast(bias, tf.float32), name)[1]
        dx = tf.cast(dy, tf.float32) * slope
        return tf.cast(dx, x.dtype), tf.cast(tf.reduce_sum(dx, 0), bias.dtype)

    return forward, backward


@functools.cache
def _dropout_add_norm(rate, epsilon):
    @compiled
    def forward(x, bias, residual, gamma, beta, key):
        total = drop(tf.cast(x, tf.float32) + tf.cast(bias, tf.float32), key, rate) + tf.cast(residual, tf.float32)
        apart = total - tf.reduce_mean(total, -1, keepdims=True)
        scale = tf.math.rsqrt(tf.reduce_mean(apart * apart, -1, keepdims=True) + epsilon)  # [N, 1]
        normal = apart * scale
        y = normal * tf.cast(gamma, tf.float32) + tf.cast(beta, tf.float32)
        return tf.cast(y, x.dtype), tf.cast(normal, x.dtype), scale

    @compiled
    def backward(normal, scale, gamma, dy, key):
        dtype = normal.dtype
        normal, dy = tf.cast(normal, tf.float32), tf.cast(dy, tf.float32)
        dn = dy * tf.cast(gamma, tf.float32)
        total = dn - tf.reduce_mean(dn, -1, keepdims=True) - normal * tf.reduce_mean(dn * normal, -1, keepdims=True)
        total = total * scale
        dx = drop(total, key, rate)
        sums = (tf.reduce_sum(values, 0) for values in (dx, dy * normal, dy))
        d_bias, d_gamma, d_beta = (tf.cast(value, gamma.dtype) for value in sums)
        return tf.cast(dx, dtype), d_bias, tf.cast(total, dtype), d_gamma, d_beta

    return forward, backward


@functools.cache
def _split_heads(num_heads, count):
    scaled = count != 2  # the queries come first, where there are any

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
    """x + bias, away from TensorFlow, which would fuse it with a product by a transposed matrix to one slow kernel."""
    return x + bias
