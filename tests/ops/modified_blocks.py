"""Transformer blocks in which one sublayer is modified in one way, on any backend."""

import keras
import numpy as np

from keras_bert.layers import TransformerBlock
from tests.helpers import randomize

H, T = 16, 9


def inputs():
    x = np.random.default_rng(1).standard_normal((2, T, H)).astype("float32")
    return x, np.array([[1] * T, [1] * 4 + [0] * (T - 4)], "int32")


class SharpAttention(keras.layers.MultiHeadAttention):
    """Overrides the method that Keras documents for custom attention."""

    def _compute_attention(self, query, key, value, *args, **kwargs):
        return super()._compute_attention(3 * query, key, value, *args, **kwargs)


class ScaledDense(keras.layers.Dense):
    def call(self, inputs, training=None):
        return 1.5 * super().call(inputs)


class ScaledNorm(keras.layers.LayerNormalization):
    def call(self, inputs):
        return 1.5 * super().call(inputs)


class SharpProjection(keras.layers.EinsumDense):
    def call(self, inputs, training=None):
        return 3 * super().call(inputs)


class HalfDropout(keras.layers.Dropout):
    def call(self, inputs, training=False):
        return inputs / 2


def replace(owner, name, layer, shapes):
    """Put a layer in the place of another, with its weights."""
    if not layer.built:
        layer.build(*shapes)
    layer.set_weights(getattr(owner, name).get_weights())
    owner._tracker.unlock()
    setattr(owner, name, layer)


def subclass_attention(block):
    replace(block, "attention", SharpAttention(2, H // 2), [(None, None, H)] * 2)


def subclass_dense(block):
    replace(block, "intermediate", ScaledDense(32), [(None, None, H)])


def subclass_norm(block):
    replace(block, "output_layer_norm", ScaledNorm(epsilon=1e-12), [(None, None, H)])


def subclass_dropout(block):
    replace(block, "attention_dropout", HalfDropout(0.0), [])


def override_call(block):
    original = block.output_dense.call
    block.output_dense.call = lambda inputs, training=None: 2 * original(inputs)


def override_attention_method(block):
    original = block.attention._compute_attention
    block.attention._compute_attention = lambda query, *args, **kwargs: original(3 * query, *args, **kwargs)


def subclass_projection(block):
    query = block.attention.query_dense
    sharp = SharpProjection(query.equation, query.partial_output_shape, bias_axes=query.bias_axes)
    replace(block.attention, "_query_dense", sharp, [(None, None, H)])


MODIFICATIONS = {
    function.__name__: function
    for function in (
        subclass_attention,
        subclass_dense,
        subclass_norm,
        subclass_dropout,
        override_call,
        override_attention_method,
        subclass_projection,
    )
}


def make_block(modification: str | None) -> TransformerBlock:
    """Make a block with random weights, the same for each modification."""
    block = TransformerBlock(H, 2, 32, dropout=0.0, attention_dropout=0.0)
    block.build((None, None, H))
    randomize(block)
    if modification:
        MODIFICATIONS[modification](block)
    return block
