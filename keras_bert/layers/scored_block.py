"""A transformer block that also returns its attention probabilities, for functional models."""

import keras

from keras_bert.layers.composite import build_layer, without_ids


@keras.saving.register_keras_serializable(package="keras_bert")
class ScoredBlock(keras.layers.Layer):
    """Call a block with `return_attention_scores=True`.

    Keras requires that all calls of one layer in functional models have the same number of outputs. So the block of an
    encoder cannot itself be called again with the scores.

    Args:
        block: a `TransformerBlock`, or a layer that is called like one. It is shared, not copied.
        **kwargs: `name`, `dtype`, `trainable` of `keras.layers.Layer`.

    Call arguments:
        hidden_states: float `[B, T, H]`.
        input_mask: int or bool `[B, T]`.

    Returns:
        A pair: the output of the block `[B, T, H]`, and the attention probabilities, float `[B, A, T, T]`.
    """

    def __init__(self, block, **kwargs):
        super().__init__(**{"dtype": block.dtype_policy, **kwargs})
        self.block = block

    def build(self, hidden_states_shape, input_mask_shape=None):
        build_layer(self.block, (hidden_states_shape,))

    def call(self, hidden_states, input_mask, training=None):
        return self.block(hidden_states, input_mask, training=training, return_attention_scores=True)

    def get_config(self):
        block = without_ids(keras.saving.serialize_keras_object(self.block))
        block.pop("build_config", None)  # this layer builds it
        return {**super().get_config(), "block": block}

    @classmethod
    def from_config(cls, config):
        return cls(**{**config, "block": keras.saving.deserialize_keras_object(config["block"])})
