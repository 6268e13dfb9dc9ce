"""One vector for a whole sequence."""

import keras

from keras_bert.layers.activation import kernel_initializer


@keras.saving.register_keras_serializable(package="keras_bert")
class Pooler(keras.layers.Layer):
    """tanh(Dense(first token)): what the sentence-level heads read.

    Args:
        hidden_size: H, width of input and output.
        initializer_range: standard deviation of the truncated normal the kernel starts from.
        activation: `"tanh"`, or `"relu"` in the classifier of an encoder that has no pooler, DistilBERT's.
        **kwargs: `name`, `dtype`, `trainable` of `keras.layers.Layer`.

    Call arguments:
        sequence_output: float `[B, T, H]`, the last block's output; position 0 holds `[CLS]`.

    Returns:
        Float `[B, H]`, with tanh each value in (-1, 1).

    Example:

    >>> import numpy as np
    >>> from keras_bert.layers import Pooler
    >>> tuple(Pooler(hidden_size=8)(np.ones((2, 4, 8), "float32")).shape)
    (2, 8)

    Source: Devlin et al. 2018 (arXiv:1810.04805), section 3 (`[CLS]`); `pooler` in google-research/bert `modeling.py`;
    DistilBERT's: `pre_classifier` in Hugging Face's `modeling_distilbert.py`.
    """

    def __init__(self, hidden_size, initializer_range=0.02, activation="tanh", **kwargs):
        super().__init__(**kwargs)
        self.hidden_size = hidden_size
        self.initializer_range = initializer_range
        self.activation = activation
        self.dense = keras.layers.Dense(
            hidden_size,
            activation=activation,
            kernel_initializer=kernel_initializer(initializer_range),
            dtype=self.dtype_policy,
            name="dense",
        )

    def build(self, sequence_output_shape):
        self.dense.build((sequence_output_shape[0], sequence_output_shape[-1]))

    def call(self, sequence_output):
        return self.dense(sequence_output[:, 0])  # [B, T, H] -> [B, H]

    def get_config(self):
        return {
            **super().get_config(),
            "hidden_size": self.hidden_size,
            "initializer_range": self.initializer_range,
            "activation": self.activation,
        }
