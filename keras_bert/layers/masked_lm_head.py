"""The masked-LM head: logits over the vocabulary at the masked positions."""

import keras

from keras_bert import keras_internals, ops
from keras_bert.layers.composite import CompositeLayer
from keras_bert.layers.initializers import kernel_initializer


@keras.saving.register_keras_serializable(package="keras_bert")
class MaskedLMHead(CompositeLayer):
    """Masked-LM head: a dense layer, LayerNorm and the token embedding as output kernel, at the masked positions.

    The masked positions are gathered first, so that the product with the `[E, V]` kernel, which is most of the
    arithmetic of a small BERT, is computed for 15 % of the tokens only. The output kernel is the transposed token
    embedding (Press and Wolf 2016, arXiv:1608.05859). It is not among this layer's weights: freezing the head does not
    freeze the embedding, and training either one changes both.

    Args:
        word_embeddings: the tied `keras.layers.Embedding` of shape `[V, E]`, `encoder.embeddings.word_embeddings`.
        activation: `"gelu_tanh"`, `"gelu"` or `"relu"`, after the dense layer.
        initializer_range: standard deviation of the truncated normal initializer of the kernel.
        layer_norm_epsilon: added to the variance in LayerNorm.
        **kwargs: `name`, `dtype`, `trainable` of `keras.layers.Layer`.

    Call arguments:
        sequence_output: float `[B, T, H]`.
        masked_lm_positions: int `[B, P]`, in `[0, T)`; unused entries hold any valid position, such as 0, and have no
            weight in the loss. None if `sequence_output` has only the masked positions, P = T.
        table: float `[V, E]`, the tied embedding as a tensor; by default that of `word_embeddings`. In a functional
            model this keeps the tie when the model is cloned.

    Returns:
        Float `[B, P, V]` logits in the compute dtype. Under a mixed policy the loss must cast them to float32, as
        `MeanCrossEntropy` does.

    Raises:
        InputError: `activation` is unknown.

    Example:

    >>> import keras, numpy as np
    >>> from keras_bert.layers import MaskedLMHead
    >>> head = MaskedLMHead(keras.layers.Embedding(100, 8))
    >>> tuple(head(np.ones((2, 16, 8), "float32"), np.array([[1, 5], [3, 0]])).shape)
    (2, 2, 100)

    Source: Devlin et al. 2018 (arXiv:1810.04805), section 3.1, task 1; `get_masked_lm_output` in google-research/bert
    `run_pretraining.py`.
    """

    SUBLAYERS = ("dense", "layer_norm")

    def __init__(
        self, word_embeddings, activation="gelu_tanh", initializer_range=0.02, layer_norm_epsilon=1e-12, **kwargs
    ):
        super().__init__(**kwargs)
        keras_internals.set_untracked(self, "word_embeddings", word_embeddings)  # its weights belong to the encoder
        self.activation = ops.check_activation(activation)
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

    def build(self, sequence_output_shape, masked_lm_positions_shape=None, table_shape=None):
        if table_shape is None and not self.word_embeddings.built:
            self.word_embeddings.build()
        self.hidden_size = sequence_output_shape[-1]
        self.build_sublayers()
        self.output_bias = self.add_weight(
            shape=(self.word_embeddings.input_dim,), initializer="zeros", name="output_bias", autocast=False
        )

    def sublayer_shapes(self):
        return {
            "dense": ((None, None, self.hidden_size),),
            "layer_norm": ((None, None, self.word_embeddings.output_dim),),
        }

    def call(self, sequence_output, masked_lm_positions=None, table=None, training=None):
        x = sequence_output  # [B, T, H]
        if masked_lm_positions is not None:
            x = ops.gather_positions(x, masked_lm_positions)  # [B, P, H]
        x = ops.dense(self.dense, x, self.activation, training)  # [B, P, E]; E = H except in ALBERT
        x = ops.layer_norm(self.layer_norm, x, training)  # [B, P, E]
        table = ops.embedding_table(self.word_embeddings) if table is None else table  # [V, E]
        return ops.tied_logits(x, table, self.output_bias, training)  # [B, P, V]

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
        return super().from_config({**config, "word_embeddings": word_embeddings})
