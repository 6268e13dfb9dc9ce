"""The encoder with two vectors that point: where an answer starts, and where it ends."""

import keras
from keras import ops

from keras_bert.errors import InputError
from keras_bert.layers.activation import kernel_initializer
from keras_bert.models.encoder import BertEncoder


@keras.saving.register_keras_serializable(package="keras_bert")
class BertSpanLabeler(keras.Model):
    """Start and end of an answer, as scores of every token: a question as first segment, its context as second.

    Inputs, a dict: the encoder's three, int32 `[B, T]`. Outputs, a dict: `start_logits` and `end_logits` `[B, T]`,
    float32 under a mixed policy. Padding gets scores too, of no meaning; `[CLS]`, at 0, stands for "no answer".

    Args:
        encoder: a `BertEncoder`; it is shared, not copied.
        name: the model's name.
        trainable: False to start with every layer frozen.

    Attributes:
        encoder: the `BertEncoder`.
        head: the `keras.layers.Dense` of two, the start vector and the end vector.

    Raises:
        InputError: `encoder` is no `BertEncoder`.

    Example:

    >>> import numpy as np, keras_bert as kb
    >>> config = kb.BertConfig(vocab_size=100, hidden_size=32, num_layers=1, num_heads=2, intermediate_size=128)
    >>> spans = kb.BertSpanLabeler(kb.BertEncoder(config))
    >>> ids = np.array([[2, 7, 3, 9, 4, 3]])
    >>> outputs = spans({"input_word_ids": ids, "input_mask": ids > 0, "input_type_ids": 0 * ids})
    >>> tuple(outputs["start_logits"].shape), tuple(outputs["end_logits"].shape)
    ((1, 6), (1, 6))

    Source: Devlin et al. 2018 (arXiv:1810.04805), sections 4.2 and 4.3.
    """

    def __init__(self, encoder, name=None, trainable=True):
        if not isinstance(encoder, BertEncoder):
            raise InputError(f"a span labeler is built on a BertEncoder. Received: {type(encoder).__name__}")
        policy = encoder.dtype_policy

        # === Layers ===
        head = keras.layers.Dense(
            2,
            kernel_initializer=kernel_initializer(encoder.config.initializer_range),
            dtype=policy.variable_dtype,
            name="spans",
        )

        # === Functional Model ===
        scores = head(encoder(encoder.input)["sequence_output"])  # [B, T, 2]
        outputs = {
            "start_logits": ops.squeeze(scores[..., :1], -1),  # [B, T]
            "end_logits": ops.squeeze(scores[..., 1:], -1),  # [B, T]
        }
        super().__init__(inputs=encoder.input, outputs=outputs, name=name, trainable=trainable)

        # === Config ===
        self.encoder = encoder
        self.head = head
        self.dtype_policy = policy

    def get_config(self):
        return {
            "encoder": keras.saving.serialize_keras_object(self.encoder),
            "name": self.name,
            "trainable": self.trainable,
        }

    @classmethod
    def from_config(cls, config):
        return cls(**{**config, "encoder": keras.saving.deserialize_keras_object(config["encoder"])})
