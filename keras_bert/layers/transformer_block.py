"""The transformer block: self-attention and a feed-forward network, each followed by a residual and a LayerNorm."""

import keras

from keras_bert import keras_internals, ops
from keras_bert.errors import InputError
from keras_bert.layers.composite import CompositeLayer
from keras_bert.layers.initializers import kernel_initializer


@keras.saving.register_keras_serializable(package="keras_bert")
class TransformerBlock(CompositeLayer):
    """Multi-head self-attention and a feed-forward network, "post-LN" as in the original Transformer.

    x = LayerNorm(x + Dropout(Attention(x)))
    x = LayerNorm(x + Dropout(Dense(activation(Dense(x)))))

    `after_attention` and `after_feed_forward` are slots for custom layers from `[B, T, H]` to `[B, T, H]`, such as
    adapters. The residual is added to their output. Any sublayer may be replaced, for example with
    `block.attention = MyAttention(...)`, see `CompositeLayer`.

    Padding is masked on the key side only, as in Google's BERT. Outputs at padding positions are undefined; ignore
    them. Without `input_mask`, the Keras mask of `hidden_states` is used, for example of an `Embedding` with
    `mask_zero=True`, and without one all tokens are visible. The output has the Keras mask of `hidden_states`.

    Args:
        hidden_size: H, size of input and output; a multiple of `num_heads`.
        num_heads: A, number of attention heads, each of size H / A.
        intermediate_size: F, size inside the feed-forward network.
        activation: `"gelu_tanh"`, `"gelu"` or `"relu"`.
        dropout: dropout rate after the attention and after the feed-forward network.
        attention_dropout: dropout rate of the attention probabilities.
        initializer_range: standard deviation of the truncated normal initializer of the kernels.
        layer_norm_epsilon: added to the variance in LayerNorm.
        after_attention: a `keras.layers.Layer` applied to the attention's output, or None.
        after_feed_forward: a `keras.layers.Layer` applied to the feed-forward network's output, or None.
        **kwargs: `name`, `dtype`, `trainable` of `keras.layers.Layer`.

    Call arguments:
        hidden_states: float `[B, T, H]`.
        input_mask: int or bool `[B, T]`, 1 at tokens, 0 at padding. Default: the Keras mask, see above.
        positions: int `[B, P]`, or None for all positions. Only these are computed; each attends to all T tokens. Use
            it in the last block of a model whose head needs only some positions.
        return_attention_scores: also return the attention probabilities, before their dropout.

    Returns:
        Float `[B, T, H]`; with `return_attention_scores` a pair of it and float `[B, A, T, T]`, whose last axis (the
        keys) sums to 1. With `positions`, P in place of the first T.

    Raises:
        InputError: `hidden_size` is not a multiple of `num_heads`, `activation` is unknown, or the last axis of
            `hidden_states` is not `hidden_size`.

    Example:

    >>> import numpy as np
    >>> from keras_bert.layers import Adapter, TransformerBlock
    >>> block = TransformerBlock(hidden_size=8, num_heads=2, intermediate_size=32)
    >>> x, mask = np.ones((1, 4, 8), "float32"), np.array([[1, 1, 1, 0]])
    >>> out, scores = block(x, mask, return_attention_scores=True)
    >>> tuple(out.shape), tuple(scores.shape), float(scores[0, 0, 0, 3])
    ((1, 4, 8), (1, 2, 4, 4), 0.0)

    >>> def block_with_adapters(**settings):
    ...     return TransformerBlock(**settings, after_attention=Adapter(2), after_feed_forward=Adapter(2))
    >>> block = block_with_adapters(hidden_size=8, num_heads=2, intermediate_size=32)

    Source: Vaswani et al. 2017 (arXiv:1706.03762), section 3; Devlin et al. 2018 (arXiv:1810.04805), section 3; Houlsby
    et al. 2019 (arXiv:1902.00751), figure 2, for the positions of the slots.
    """

    SUBLAYERS = (
        "attention",
        "attention_dropout",
        "after_attention",
        "attention_layer_norm",
        "intermediate",
        "output_dense",
        "output_dropout",
        "after_feed_forward",
        "output_layer_norm",
    )

    def __init__(
        self,
        hidden_size,
        num_heads,
        intermediate_size,
        activation="gelu_tanh",
        dropout=0.1,
        attention_dropout=0.1,
        initializer_range=0.02,
        layer_norm_epsilon=1e-12,
        after_attention=None,
        after_feed_forward=None,
        **kwargs,
    ):
        super().__init__(**kwargs)
        if hidden_size % num_heads:
            raise InputError(
                "`hidden_size` must be a multiple of `num_heads`. "
                f"Received: hidden_size={hidden_size}, num_heads={num_heads}"
            )
        self.supports_masking = True
        self.hidden_size = hidden_size
        self.num_heads = num_heads
        self.intermediate_size = intermediate_size
        self.activation = ops.check_activation(activation)
        self.dropout_rate = dropout
        self.attention_dropout_rate = attention_dropout
        self.initializer_range = initializer_range
        self.layer_norm_epsilon = layer_norm_epsilon
        self.after_attention = after_attention
        self.after_feed_forward = after_feed_forward

        def dense(units, name):
            initializer = kernel_initializer(initializer_range)
            return keras.layers.Dense(units, kernel_initializer=initializer, dtype=self.dtype_policy, name=name)

        def layer_norm(name):
            return keras.layers.LayerNormalization(epsilon=layer_norm_epsilon, dtype=self.dtype_policy, name=name)

        self.attention = keras.layers.MultiHeadAttention(
            num_heads=num_heads,
            key_dim=hidden_size // num_heads,
            dropout=attention_dropout,
            kernel_initializer=kernel_initializer(initializer_range),
            dtype=self.dtype_policy,
            name="attention",
        )
        self.attention_dropout = keras.layers.Dropout(dropout, dtype=self.dtype_policy, name="attention_dropout")
        self.attention_layer_norm = layer_norm("attention_layer_norm")
        self.intermediate = dense(intermediate_size, "intermediate")
        self.output_dense = dense(hidden_size, "output_dense")
        self.output_dropout = keras.layers.Dropout(dropout, dtype=self.dtype_policy, name="output_dropout")
        self.output_layer_norm = layer_norm("output_layer_norm")

    def build(self, hidden_states_shape, input_mask_shape=None, positions_shape=None):
        if hidden_states_shape[-1] != self.hidden_size:
            raise InputError(
                f"`hidden_states` must have hidden_size={self.hidden_size} as last axis. "
                f"Received: shape={tuple(hidden_states_shape)}"
            )
        self.build_sublayers()

    def sublayer_shapes(self):
        hidden, inner = (
            (None, None, size) for size in (self.hidden_size, self.intermediate_size)
        )  # [B, T, H] [B, T, F]
        return {
            "attention": (hidden, hidden),
            "attention_layer_norm": (hidden,),
            "intermediate": (hidden,),
            "output_dense": (inner,),
            "output_layer_norm": (hidden,),
            "after_attention": (hidden,),
            "after_feed_forward": (hidden,),
        }

    def call(self, hidden_states, input_mask=None, positions=None, training=None, return_attention_scores=False):
        if input_mask is None:
            input_mask = keras_internals.keras_mask(hidden_states)  # [B, T]
        if input_mask is None:
            input_mask = keras.ops.ones(keras.ops.shape(hidden_states)[:2], "int32")  # [B, T]
        # A layer in a slot may mix positions, so it needs all of them; P is then T until the end.
        has_slots = self.after_attention is not None or self.after_feed_forward is not None
        if positions is None or has_slots:
            queries = hidden_states  # [B, T, H]
        else:
            queries = ops.gather_positions(hidden_states, positions)  # [B, P, H]

        attended = ops.attention(
            self.attention, queries, hidden_states, input_mask, training, return_attention_scores
        )  # [B, P, H]
        if return_attention_scores:
            attended, scores = attended  # [B, P, H], [B, A, P, T]
        x = self._add_norm(
            attended, queries, self.attention_dropout, self.after_attention, self.attention_layer_norm, training
        )  # [B, P, H]

        output = ops.feed_forward(self.intermediate, self.output_dense, x, self.activation, training)  # [B, P, H]
        x = self._add_norm(
            output, x, self.output_dropout, self.after_feed_forward, self.output_layer_norm, training
        )  # [B, P, H]

        if positions is not None and has_slots:
            x = ops.gather_positions(x, positions)  # [B, P, H]
            if return_attention_scores:
                scores = keras.ops.take_along_axis(scores, positions[:, None, :, None], axis=2)  # [B, A, P, T]
        return (x, scores) if return_attention_scores else x

    def compute_mask(self, inputs, previous_mask=None):
        mask = previous_mask[0] if isinstance(previous_mask, list | tuple) else previous_mask
        return mask

    def _add_norm(self, x, residual, dropout, slot, norm, training):
        """Compute norm(residual + slot(dropout(x))), all `[B, P, H]`."""
        if slot is None:
            return ops.dropout_add_norm(x, residual, dropout, norm, training)
        x = slot(dropout(x, training=training))
        return ops.layer_norm(norm, residual + keras.ops.cast(x, residual.dtype), training)

    def get_config(self):
        slots = {
            name: keras.saving.serialize_keras_object(slot)
            for name in ("after_attention", "after_feed_forward")
            if (slot := getattr(self, name)) is not None
        }
        return {
            **super().get_config(),
            **slots,
            "hidden_size": self.hidden_size,
            "num_heads": self.num_heads,
            "intermediate_size": self.intermediate_size,
            "activation": self.activation,
            "dropout": self.dropout_rate,
            "attention_dropout": self.attention_dropout_rate,
            "initializer_range": self.initializer_range,
            "layer_norm_epsilon": self.layer_norm_epsilon,
        }

    @classmethod
    def from_config(cls, config):
        config = dict(config)
        for name in ("after_attention", "after_feed_forward"):
            if name in config:
                config[name] = keras.saving.deserialize_keras_object(config[name])
        return super().from_config(config)
