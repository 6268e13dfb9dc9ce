"""The encoder with a class for every token."""

import keras

from keras_bert.errors import InputError
from keras_bert.layers.activation import kernel_initializer
from keras_bert.models.encoder import BertEncoder


@keras.saving.register_keras_serializable(package="keras_bert")
class BertTokenClassifier(keras.Model):
    """Dropout and one dense layer on each row of `sequence_output`: names in a text, parts of speech.

    Inputs, a dict: the encoder's three, int32 `[B, T]`. Output: logits `[B, T, C]`, float32 under a mixed policy. All
    tokens get them; which count is for the labels to say, the first piece of each word by custom.

    Args:
        encoder: a `BertEncoder`; it is shared, not copied.
        num_classes: C, at least 2.
        dropout: rate on `sequence_output`.
        name: the model's name.
        trainable: False to start with every layer frozen.

    Attributes:
        encoder: the `BertEncoder`.
        head: the `keras.layers.Dense` of C classes.
        num_classes: C.

    Raises:
        InputError: `encoder` is no `BertEncoder`, `num_classes` is below 2 or no whole number, or `dropout` is not in
            [0, 1).

    Example:

    >>> import numpy as np, keras_bert as kb
    >>> config = kb.BertConfig(vocab_size=100, hidden_size=32, num_layers=1, num_heads=2, intermediate_size=128)
    >>> tokens = kb.BertTokenClassifier(kb.BertEncoder(config), num_classes=9)
    >>> ids = np.array([[2, 7, 4, 3, 0]])
    >>> tuple(tokens({"input_word_ids": ids, "input_mask": ids > 0, "input_type_ids": 0 * ids}).shape)
    (1, 5, 9)

    Source: Devlin et al. 2018 (arXiv:1810.04805), section 5.3.
    """

    def __init__(self, encoder, num_classes, dropout=0.1, name=None, trainable=True):
        if not isinstance(encoder, BertEncoder):
            raise InputError(f"a token classifier is built on a BertEncoder. Received: {type(encoder).__name__}")
        if isinstance(num_classes, bool) or not isinstance(num_classes, int) or num_classes < 2:
            raise InputError(f"num_classes must be a whole number of at least 2. Received: {num_classes!r}")
        if not 0 <= dropout < 1:
            raise InputError(f"dropout must be at least 0 and below 1. Received: {dropout!r}")
        policy = encoder.dtype_policy

        # === Layers ===
        dropout_layer = keras.layers.Dropout(dropout, dtype=policy, name="dropout")
        head = keras.layers.Dense(
            num_classes,
            kernel_initializer=kernel_initializer(encoder.config.initializer_range),
            dtype=policy.variable_dtype,
            name="logits",
        )

        # === Functional Model ===
        logits = head(dropout_layer(encoder(encoder.input)["sequence_output"]))  # [B, T, C]
        super().__init__(inputs=encoder.input, outputs=logits, name=name, trainable=trainable)

        # === Config ===
        self.encoder = encoder
        self.dropout = dropout_layer
        self.head = head
        self.num_classes = num_classes
        self.dropout_rate = dropout
        self.dtype_policy = policy

    def get_config(self):
        return {
            "encoder": keras.saving.serialize_keras_object(self.encoder),
            "num_classes": self.num_classes,
            "dropout": self.dropout_rate,
            "name": self.name,
            "trainable": self.trainable,
        }

    @classmethod
    def from_config(cls, config):
        return cls(**{**config, "encoder": keras.saving.deserialize_keras_object(config["encoder"])})
