"""A classifier on a text's vector, whose head can be trained without the encoder."""

import keras

from keras_bert.errors import InputError
from keras_bert.layers.activation import kernel_initializer
from keras_bert.models.encoder import BertEncoder
from keras_bert.models.pooling import pool_outputs


@keras.saving.register_keras_serializable(package="keras_bert")
class BertFeatureClassifier(keras.Model):
    """Max-pooling over a text's tokens, dropout and one dense layer: the feature-based approach.

    What is learned, dropout and the dense layer, is a model of its own, `head`, from `[B, D]` to `[B, C]`. Pooling
    comes before it and learns nothing, so the vectors of a labelled set need be worked out once: `embed` gives them and
    `fit_features` trains the head on them. The whole then takes ids.

    Inputs, a dict: the encoder's three, int32 `[B, T]`. Output: logits float32 `[B, C]`.

    Args:
        encoder: a `BertEncoder`; it is shared, not copied.
        num_classes: C, at least 2.
        pool: how tokens become a vector of D numbers, see `embed`.
        dropout: rate on that vector.
        name: the model's name.
        trainable: False to start with every layer frozen.

    Attributes:
        encoder: the `BertEncoder`.
        head: a `keras.Sequential` of dropout and dense layer, float `[B, D]` to logits `[B, C]`.
        num_classes: C.
        pool: as given.
        problem: `"single_label"`, as `BertClassifier` calls it: one class of C is right.

    Raises:
        InputError: `encoder` is no `BertEncoder`, `num_classes` is below 2 or no whole number, `dropout` is not in
            [0, 1), or a `pool` that there is not or that this encoder does not have.

    Example:

    >>> import numpy as np, keras_bert as kb
    >>> config = kb.BertConfig(vocab_size=100, hidden_size=32, num_layers=1, num_heads=2, intermediate_size=128)
    >>> classifier = kb.BertFeatureClassifier(kb.BertEncoder(config), num_classes=3)
    >>> ids = np.array([[2, 7, 4, 3, 0]])
    >>> tuple(classifier({"input_word_ids": ids, "input_mask": ids > 0, "input_type_ids": 0 * ids}).shape)
    (1, 3)

    Source: Devlin et al. 2018 (arXiv:1810.04805), section 5.3.
    """

    problem = "single_label"

    def __init__(self, encoder, num_classes=2, pool="max", dropout=0.1, name=None, trainable=True):
        if not isinstance(encoder, BertEncoder):
            raise InputError(f"a feature classifier is built on a BertEncoder. Received: {type(encoder).__name__}")
        if isinstance(num_classes, bool) or not isinstance(num_classes, int) or num_classes < 2:
            raise InputError(f"num_classes must be a whole number of at least 2. Received: {num_classes!r}")
        if not 0 <= dropout < 1:
            raise InputError(f"dropout must be at least 0 and below 1. Received: {dropout!r}")
        pooled = pool_outputs(encoder(encoder.input), encoder.input["input_mask"], pool)  # [B, D]

        # === Layers ===
        head = keras.Sequential(
            [
                keras.Input((pooled.shape[-1],), name="features"),
                keras.layers.Dropout(dropout, dtype="float32", name="dropout"),
                keras.layers.Dense(
                    num_classes,
                    kernel_initializer=kernel_initializer(encoder.config.initializer_range),
                    dtype="float32",
                    name="logits",
                ),
            ],
            name="head",
        )

        # === Functional Model ===
        super().__init__(inputs=encoder.input, outputs=head(pooled), name=name, trainable=trainable)  # [B, C]

        # === Config ===
        self.encoder = encoder
        self.head = head
        self.num_classes = num_classes
        self.pool = pool
        self.dropout_rate = dropout
        self.dtype_policy = encoder.dtype_policy

    def get_config(self):
        return {
            "encoder": keras.saving.serialize_keras_object(self.encoder),
            "num_classes": self.num_classes,
            "pool": self.pool,
            "dropout": self.dropout_rate,
            "name": self.name,
            "trainable": self.trainable,
        }

    @classmethod
    def from_config(cls, config):
        return cls(**{**config, "encoder": keras.saving.deserialize_keras_object(config["encoder"])})
