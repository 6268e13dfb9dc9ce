"""The encoder with a classifier on its first token's vector."""

import keras
from keras import ops

from keras_bert.errors import InputError
from keras_bert.layers import Pooler
from keras_bert.layers.activation import kernel_initializer
from keras_bert.models.encoder import BertEncoder

PROBLEMS = ("single_label", "multi_label", "regression")


@keras.saving.register_keras_serializable(package="keras_bert")
class BertClassifier(keras.Model):
    """Dropout and one dense layer on `pooled_output`: sentences, or pairs of them, to logits, or to numbers.

    An encoder without a pooler, such as DistilBERT's, gets one here: a dense layer with ReLU.

    Inputs, a dict: the encoder's three, int32 `[B, T]`. Output: logits `[B, C]`, float32 under a mixed policy.

    Args:
        encoder: a `BertEncoder`; it is shared, not copied.
        num_classes: C: at least 2 where one class is right, at least 1 otherwise.
        dropout: rate on `pooled_output`.
        problem: `"single_label"`: one class of C; `"multi_label"`: each of C applies or not; `"regression"`: C numbers.
        name: the model's name.
        trainable: False to start with every layer frozen.

    Attributes:
        encoder: the `BertEncoder`.
        pooler: the encoder's `Pooler`, or the classifier's own.
        head: the `keras.layers.Dense` of C classes.
        num_classes: C.
        problem: as given.

    Raises:
        InputError: `encoder` is no `BertEncoder`, `num_classes` is too small or no whole number, `dropout` is not in
            [0, 1), or another problem.

    Example:

    >>> import numpy as np, keras_bert as kb
    >>> config = kb.BertConfig(vocab_size=100, hidden_size=32, num_layers=1, num_heads=2, intermediate_size=128)
    >>> classifier = kb.BertClassifier(kb.BertEncoder(config), num_classes=3)
    >>> ids = np.array([[2, 7, 4, 3, 0]])
    >>> tuple(classifier({"input_word_ids": ids, "input_mask": ids > 0, "input_type_ids": 0 * ids}).shape)
    (1, 3)

    Source: Devlin et al. 2018 (arXiv:1810.04805), sections 3.2 and 4.1; `modeling_distilbert.py` of
    Hugging Face for the classifier without a pooler.
    """

    def __init__(self, encoder, num_classes=2, dropout=0.1, problem="single_label", name=None, trainable=True):
        if not isinstance(encoder, BertEncoder):
            raise InputError(f"a classifier is built on a BertEncoder. Received: {type(encoder).__name__}")
        if problem not in PROBLEMS:
            raise InputError(f"a problem is one of {', '.join(PROBLEMS)}. Received: {problem!r}")
        least = 2 if problem == "single_label" else 1
        if isinstance(num_classes, bool) or not isinstance(num_classes, int) or num_classes < least:
            raise InputError(f"num_classes must be a whole number of at least {least}. Received: {num_classes!r}")
        if not 0 <= dropout < 1:
            raise InputError(f"dropout must be at least 0 and below 1. Received: {dropout!r}")
        policy = encoder.dtype_policy

        # === Layers ===
        pooler = encoder.pooler
        if pooler is None:
            width, spread = encoder.config.hidden_size, encoder.config.initializer_range
            pooler = Pooler(width, spread, activation="relu", dtype=policy, name="pre_classifier")
        dropout_layer = keras.layers.Dropout(dropout, dtype=policy, name="dropout")
        head = keras.layers.Dense(
            num_classes,
            kernel_initializer=kernel_initializer(encoder.config.initializer_range),
            dtype=policy.variable_dtype,
            name="logits",
        )

        # === Functional Model ===
        first = ops.zeros_like(encoder.input["input_word_ids"][:, :1])  # [B, 1]: all that is read of the last block
        pooled = pooler(encoder(encoder.input, positions=first))  # [B, H]
        logits = head(dropout_layer(pooled))  # [B, C]
        super().__init__(inputs=encoder.input, outputs=logits, name=name, trainable=trainable)

        # === Config ===
        self.encoder = encoder
        self.pooler = pooler
        self.dropout = dropout_layer
        self.head = head
        self.num_classes = num_classes
        self.dropout_rate = dropout
        self.problem = problem
        self.dtype_policy = policy

    def get_config(self):
        return {
            "encoder": keras.saving.serialize_keras_object(self.encoder),
            "num_classes": self.num_classes,
            "dropout": self.dropout_rate,
            "problem": self.problem,
            "name": self.name,
            "trainable": self.trainable,
        }

    @classmethod
    def from_config(cls, config):
        return cls(**{**config, "encoder": keras.saving.deserialize_keras_object(config["encoder"])})
