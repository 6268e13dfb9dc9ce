"""The pooler: one vector per sequence."""

import keras

from keras_bert.layers.composite import CompositeLayer
from keras_bert.layers.initializers import kernel_initializer


@keras.saving.register_keras_serializable(package="keras_bert")
class Pooler(CompositeLayer):
    """Dense layer with tanh on the first token. Its output is the input of sentence-level heads.

    Args:
        hidden_size: H, size of input and output.
        initializer_range: standard deviation of the truncated normal initializer of the kernel.
        activation: `"tanh"`, or `"relu"` in DistilBERT's classifier, whose encoder has no pooler.
        **kwargs: `name`, `dtype`, `trainable` of `keras.layers.Layer`.

    Call arguments:
        sequence_output: float `[B, T, H]`, the last block's output, with `[CLS]` at position 0.

    Returns:
        Float `[B, H]`; with tanh all values are in (-1, 1).

    Example:

    >>> import numpy as np
    >>> from keras_bert.layers import Pooler
    >>> tuple(Pooler(hidden_size=8)(np.ones((2, 4, 8), "float32")).shape)
    (2, 8)

    Source: Devlin et al. 2018 (arXiv:1810.04805), section 3 (`[CLS]`); `pooler` in google-research/bert `modeling.py`;
    `pre_classifier` in Hugging Face's `modeling_distilbert.py` for DistilBERT.
    """

    SUBLAYERS = ("dense",)

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
        self.build_sublayers()

    def sublayer_shapes(self):
        return {"dense": ((None, self.hidden_size),)}

    def call(self, sequence_output):
        first = sequence_output[:, 0]  # [B, H], the [CLS] token
        return self.dense(first)  # [B, H]

    def get_config(self):
        return {
            **super().get_config(),
            "hidden_size": self.hidden_size,
            "initializer_range": self.initializer_range,
            "activation": self.activation,
        }
