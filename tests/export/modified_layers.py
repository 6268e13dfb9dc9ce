"""Subclasses of standard layers, each with an equal model of standard layers that has other weights."""

import keras

import keras_bert as kb
from keras_bert.layers import TransformerBlock
from tests.helpers import randomize


class SharperAttention(keras.layers.MultiHeadAttention):
    """Attention with doubled scores, by the method that Keras documents for subclasses."""

    def _compute_attention(self, query, *arguments, **options):
        return super()._compute_attention(2 * query, *arguments, **options)


class DoubledDense(keras.layers.Dense):
    def call(self, inputs, training=None):
        return 2 * super().call(inputs, training=training)


class DoubledNorm(keras.layers.LayerNormalization):
    def call(self, inputs):
        return 2 * super().call(inputs)


CLASSES = {"attention": SharperAttention, "intermediate": DoubledDense, "output_layer_norm": DoubledNorm}


def modified_block(part: str, **settings) -> TransformerBlock:
    """A `TransformerBlock` in which one layer is of a subclass."""
    block = TransformerBlock(**settings)
    setattr(block, part, CLASSES[part].from_config(getattr(block, part).get_config()))
    return block


def modified_and_equal(part: str, config):
    """A classifier with the modified layer in each block, and an equal one of standard layers."""
    modified = kb.BertEncoder(config, block=lambda **settings: modified_block(part, **settings))
    modified = randomize(kb.BertClassifier(modified, num_classes=3))
    equal = kb.BertClassifier(kb.BertEncoder(config), num_classes=3)
    copy_weights(modified, equal)
    for block in equal.encoder.blocks:
        layer = getattr(block, part)
        for weight in (layer.query_dense if part == "attention" else layer).weights:
            weight.assign(2 * weight)
    return modified, equal


def copy_weights(source, target) -> None:
    """Copy the weights of a classifier layer by layer: a replaced layer has another place in `weights`."""
    names = ("attention", "attention_layer_norm", "intermediate", "output_dense", "output_layer_norm")
    pairs = [(source.encoder.embeddings, target.encoder.embeddings), (source.pooler, target.pooler)]
    pairs.append((source.head, target.head))
    for block, other in zip(source.encoder.blocks, target.encoder.blocks, strict=True):
        pairs += [(getattr(block, name), getattr(other, name)) for name in names]
    for layer, other in pairs:
        other.set_weights(layer.get_weights())
