"""From hidden states to a score for every word, at the masked positions and nowhere else."""

import keras
from keras import ops

from keras_bert import ops as fused
from keras_bert.layers.activation import activate, check_activation, kernel_initializer


@keras.saving.register_keras_serializable(package="keras_bert")
class MaskedLMHead(keras.layers.Layer):
    """Gather, transform, and compare with every row of the token embedding.

    The positions are gathered first: with 15 % of the tokens masked, the `[.., V]` product (most of a small BERT's
    arithmetic) is done for a seventh of them. The output kernel is the token embedding itself, transposed (Press and
    Wolf 2016, arXiv:1608.05859). The head reads the table and does not own it: its `weights` are without it, freezing
    the head leaves it alone, and training either side moves both.

    Args:
        word_embeddings: the `keras.layers.Embedding` of V rows of H to tie to, `encoder.embeddings.word_embeddings`.
        activation: `"gelu_tanh"`, `"gelu"` or `"relu"`, after the dense layer.
        initializer_range: standard deviation of the truncated normal the kernel starts from.
        layer_norm_epsilon: added to the variance in LayerNorm.
        **kwargs: `name`, `dtype`, `trainable` of `keras.layers.Layer`.

    Call arguments:
        sequence_output: float `[B, T, H]`.
        masked_lm_positions: int `[B, P]`, positions in `[0, T)`; unused slots hold any valid position, such as 0, and
            the loss gives them no weight. None where `sequence_output` has only the rows asked about, P = T.

    Returns:
        Float `[B, P, V]` logits in the compute dtype; under a mixed policy the loss is to cast them up, as ours does.

    Raises:
        InputError: the activation is unknown.

    Example:

    >>> import keras, numpy as np
    >>> from keras_bert.layers import MaskedLMHead
    >>> head = MaskedLMHead(keras.layers.Embedding(100, 8))
    >>> tuple(head(np.ones((2, 16, 8), "float32"), np.array([[1, 5], [3, 0]])).shape)
    (2, 2, 100)

    Source: Devlin et al. 2018 (arXiv:1810.04805), section 3.1, task 1; `get_masked_lm_output` in google-research/bert
    `run_pretraining.py`.
    """

    def __init__(
        self, word_embeddings, activation="gelu_tanh", initializer_range=0.02, layer_norm_epsilon=1e-12, **kwargs
    ):
        super().__init__(**kwargs)
        # Past Keras' attribute tracking, so that the table stays the encoder's alone.
        object.__setattr__(self, "word_embeddings", word_embeddings)
        self.activation = check_activation(activation)
        self.initializer_range = initializer_range
        self.layer_norm_epsilon = layer_norm_epsilon
        self.dense = keras.layers.Dense(
            word_embeddings.output_dim,
            kernel_initializer=kernel_initializer(initializer_range),
            dtype=self.dtype_policy,
            name="dense",
        )
        self.layer_norm = keras.layers.LayerNormalization(
            epsilon=layer_norm_epsilon, dtype=self.dtype_policy, name="layer_norm"
        )

    def build(self, sequence_output_shape, masked_lm_positions_shape=None):
        if not self.word_embeddings.built:
            self.word_embeddings.build()
        self.dense.build(sequence_output_shape)
        self.layer_norm.build((*sequence_output_shape[:-1], self.word_embeddings.output_dim))
        self.output_bias = self.add_weight(
            shape=(self.word_embeddings.input_dim,), initializer="zeros", name="output_bias", autocast=False
        )

    def call(self, sequence_output, masked_lm_positions=None, training=None):
        x = sequence_output  # [B, T, H]
        if masked_lm_positions is not None:
            batch, length = ops.shape(x)[:2]
            # One gather of rows from [B * T, H]: sequence b starts at row b * T.
            rows = ops.cast(masked_lm_positions, "int32") + ops.arange(batch, dtype="int32")[:, None] * length  # [B, P]
            x = ops.take(ops.reshape(x, (-1, x.shape[-1])), rows, axis=0)  # [B, P, H]
        if fused.runs("head", training):
            from keras_bert.ops.compiled import masked_lm_logits

            return masked_lm_logits(self, x)  # the same, in fewer passes over memory
        x = self.layer_norm(activate(self.dense(x), self.activation))  # [B, P, E], where E = H but in ALBERT
        table = ops.cast(self.word_embeddings.embeddings, x.dtype)  # [V, E]
        return ops.matmul(x, ops.transpose(table)) + ops.cast(self.output_bias, x.dtype)  # [B, P, V]

    def get_config(self):
        return {
            **super().get_config(),
            "word_embeddings": keras.saving.serialize_keras_object(self.word_embeddings),
            "activation": self.activation,
            "initializer_range": self.initializer_range,
            "layer_norm_epsilon": self.layer_norm_epsilon,
        }

    @classmethod
    def from_config(cls, config):
        word_embeddings = keras.saving.deserialize_keras_object(config["word_embeddings"])
        return cls(**{**config, "word_embeddings": word_embeddings})
