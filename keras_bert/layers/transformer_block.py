"""One block of the encoder: attention, then a feed-forward part, each with a residual and a LayerNorm after it."""

import keras
from keras import ops

from keras_bert import ops as fused
from keras_bert.errors import InputError
from keras_bert.layers.activation import activate, check_activation, kernel_initializer


@keras.saving.register_keras_serializable(package="keras_bert")
class TransformerBlock(keras.layers.Layer):
    """Multi-head self-attention and a feed-forward part, "post-LN" as in the original Transformer.

    x = LayerNorm(x + Dropout(Attention(x)))
    x = LayerNorm(x + Dropout(Dense(activation(Dense(x)))))

    Two slots take a layer of yours, `[B, T, H]` to `[B, T, H]`, each before its residual is added: an adapter, a gate.

    Padding is masked as a key only: no token looks at a pad, while the pads' own rows are computed like any other and
    are for the reader to ignore. That is what Google's BERT does. A Keras mask attached to `hidden_states` is not used
    (`supports_masking` is False, and Keras warns that it ends here): `input_mask` alone decides.

    Args:
        hidden_size: H, width of input and output; a multiple of `num_heads`.
        num_heads: A, attention heads, each H / A wide.
        intermediate_size: F, width inside the feed-forward part.
        activation: `"gelu_tanh"`, `"gelu"` or `"relu"`.
        dropout: rate after the attention and after the feed-forward part.
        attention_dropout: rate on the attention probabilities.
        initializer_range: standard deviation of the truncated normal the kernels start from.
        layer_norm_epsilon: added to the variance in LayerNorm.
        after_attention: a `keras.layers.Layer` for what the attention gives, or None.
        after_feed_forward: the same for what the feed-forward part gives.
        **kwargs: `name`, `dtype`, `trainable` of `keras.layers.Layer`.

    Call arguments:
        hidden_states: float `[B, T, H]`.
        input_mask: int or bool `[B, T]`, 1 at tokens, 0 at padding.
        positions: int `[B, P]`, or None. The rows to compute: each still looks at all T tokens, but what nobody reads
            of a model's last block need not be computed.
        return_attention_scores: also give the attention probabilities, before their dropout.

    Returns:
        Float `[B, T, H]`; with `return_attention_scores` a pair of it and float `[B, A, T, T]`, whose last axis (the
        keys) sums to 1. With `positions`, P rows in place of the first T.

    Raises:
        InputError: H is not a multiple of A, the activation is unknown, or `hidden_states` is not H wide.

    Example:

    >>> import numpy as np
    >>> from keras_bert.layers import TransformerBlock
    >>> block = TransformerBlock(hidden_size=8, num_heads=2, intermediate_size=32)
    >>> x, mask = np.ones((1, 4, 8), "float32"), np.array([[1, 1, 1, 0]])
    >>> out, scores = block(x, mask, return_attention_scores=True)
    >>> tuple(out.shape), tuple(scores.shape), float(scores[0, 0, 0, 3])
    ((1, 4, 8), (1, 2, 4, 4), 0.0)

    >>> def with_adapters(**settings):
    ...     adapter = keras.Sequential([keras.layers.Dense(2, "relu"), keras.layers.Dense(settings["hidden_size"])])
    ...     return TransformerBlock(**settings, after_feed_forward=adapter)
    >>> block = with_adapters(hidden_size=8, num_heads=2, intermediate_size=32)

    Source: Vaswani et al. 2017 (arXiv:1706.03762), section 3; Devlin et al. 2018 (arXiv:1810.04805), section 3; where
    the slots are: Houlsby et al. 2019 (arXiv:1902.00751), figure 2.
    """

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
                "hidden_size must be a multiple of num_heads. "
                f"Received: hidden_size={hidden_size}, num_heads={num_heads}"
            )
        self.hidden_size = hidden_size
        self.num_heads = num_heads
        self.intermediate_size = intermediate_size
        self.activation = check_activation(activation)
        self.dropout_rate = dropout
        self.attention_dropout_rate = attention_dropout
        self.initializer_range = initializer_range
        self.layer_norm_epsilon = layer_norm_epsilon
        self.after_attention = after_attention
        self.after_feed_forward = after_feed_forward

        def dense(units, name):
            start = kernel_initializer(initializer_range)
            return keras.layers.Dense(units, kernel_initializer=start, dtype=self.dtype_policy, name=name)

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
                f"hidden_states must be hidden_size={self.hidden_size} wide. "
                f"Received: shape {tuple(hidden_states_shape)}"
            )
        self.attention.build(hidden_states_shape, hidden_states_shape)
        self.attention_layer_norm.build(hidden_states_shape)
        self.intermediate.build(hidden_states_shape)
        self.output_dense.build((*hidden_states_shape[:-1], self.intermediate_size))
        self.output_layer_norm.build(hidden_states_shape)
        for slot in (self.after_attention, self.after_feed_forward):
            if slot is not None and not slot.built:
                slot.build(hidden_states_shape)

    def call(self, hidden_states, input_mask, positions=None, training=None, return_attention_scores=False):
        x = hidden_states  # [B, T, H]
        as_published = self.after_attention is None and self.after_feed_forward is None
        faster = fused.block(training) if as_published and not return_attention_scores else None
        if faster:
            return faster(self, x, input_mask, positions, training)  # the same, in fewer passes over memory

        if positions is not None and not as_published:  # what stands in a slot may look along all tokens
            x = self.call(x, input_mask, training=training, return_attention_scores=return_attention_scores)
            if not return_attention_scores:
                return ops.take_along_axis(x, positions[..., None], axis=1)  # [B, P, H]
            x, scores = x  # [B, T, H], [B, A, T, T]
            scores = ops.take_along_axis(scores, positions[:, None, :, None], axis=2)  # [B, A, P, T]
            return ops.take_along_axis(x, positions[..., None], axis=1), scores

        if getattr(x, "_keras_mask", None) is not None:
            x = ops.reshape(x, ops.shape(x))  # the same without the mask, which the attention would add to ours
        mask = ops.cast(input_mask, "bool")[:, None, :]  # [B, 1, T]: the same keys for every query
        rows = x if positions is None else ops.take_along_axis(x, positions[..., None], axis=1)  # [B, P, H]

        # softmax(Q K^T / sqrt(H / A)) V in A heads, [B, A, P, T] in between
        attended = self.attention(
            rows, x, attention_mask=mask, training=training, return_attention_scores=return_attention_scores
        )
        if return_attention_scores:
            attended, scores = attended  # [B, P, H], [B, A, P, T]
        attended = self.attention_dropout(attended, training=training)  # [B, P, H]
        if self.after_attention is not None:
            attended = ops.cast(self.after_attention(attended), self.compute_dtype)  # [B, P, H]
        x = self.attention_layer_norm(rows + attended)  # [B, P, H]

        inner = activate(self.intermediate(x), self.activation)  # [B, P, F]
        inner = self.output_dropout(self.output_dense(inner), training=training)  # [B, P, H]
        if self.after_feed_forward is not None:
            inner = ops.cast(self.after_feed_forward(inner), self.compute_dtype)  # [B, P, H]
        x = self.output_layer_norm(x + inner)  # [B, P, H]
        return (x, scores) if return_attention_scores else x

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
        return cls(**config)
