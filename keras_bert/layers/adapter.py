"""Adapter: a small bottleneck layer that is trained while the layers around it are frozen."""

import keras

from keras_bert import ops
from keras_bert.errors import InputError
from keras_bert.layers.composite import CompositeLayer
from keras_bert.layers.initializers import kernel_initializer


@keras.saving.register_keras_serializable(package="keras_bert")
class Adapter(CompositeLayer):
    """Two dense layers with a bottleneck between them and a skip connection: x + Dense(activation(Dense(x))).

    The initial kernels are small, so that a new adapter is close to the identity and a pretrained model with new
    adapters has almost the same outputs as without them. Pass adapters to `TransformerBlock` as `after_attention` and
    `after_feed_forward`, and train only the adapters, the LayerNorms and the head.

    Args:
        bottleneck_size: size of the first dense layer's output, 8 to 256 in the paper.
        activation: `"gelu_tanh"`, `"gelu"` or `"relu"`.
        initializer_range: standard deviation of the truncated normal initializer of the kernels.
        **kwargs: `name`, `dtype`, `trainable` of `keras.layers.Layer`.

    Call arguments:
        x: float `[B, T, H]`.

    Returns:
        Float `[B, T, H]`.

    Raises:
        InputError: `bottleneck_size` is below 1, or `activation` is unknown.

    Example:

    >>> import numpy as np
    >>> from keras_bert.layers import Adapter
    >>> x = np.ones((2, 4, 8), "float32")
    >>> bool(np.abs(np.asarray(Adapter(bottleneck_size=2)(x)) - x).max() < 1e-3)
    True

    Source: Houlsby et al. 2019 (arXiv:1902.00751), section 2 and figure 2.
    """

    SUBLAYERS = ("down", "up")

    def __init__(self, bottleneck_size, activation="relu", initializer_range=1e-3, **kwargs):
        super().__init__(**kwargs)
        if bottleneck_size < 1:
            raise InputError(f"`bottleneck_size` must be at least 1. Received: bottleneck_size={bottleneck_size}")
        self.bottleneck_size = bottleneck_size
        self.activation = ops.check_activation(activation)
        self.initializer_range = initializer_range

    def build(self, input_shape):
        def dense(units, name):
            initializer = kernel_initializer(self.initializer_range)
            return keras.layers.Dense(units, kernel_initializer=initializer, dtype=self.dtype_policy, name=name)

        self.hidden_size = input_shape[-1]
        for name, units in (("down", self.bottleneck_size), ("up", self.hidden_size)):
            if not hasattr(self, name):  # a saved config may contain another layer
                setattr(self, name, dense(units, name))
        self.build_sublayers()

    def sublayer_shapes(self):
        return {"down": ((None, None, self.hidden_size),), "up": ((None, None, self.bottleneck_size),)}

    def call(self, x, training=None):
        inner = ops.dense(self.down, x, self.activation, training)  # [B, T, bottleneck_size]
        return x + ops.dense(self.up, inner, training=training)  # [B, T, H]

    def get_config(self):
        return {
            **super().get_config(),
            "bottleneck_size": self.bottleneck_size,
            "activation": self.activation,
            "initializer_range": self.initializer_range,
        }
