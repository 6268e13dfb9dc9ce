"""Text classification on features of a frozen encoder: a head that can be trained without the encoder."""

import keras

from keras_bert.layers.initializers import kernel_initializer
from keras_bert.models.pooling import pool_outputs
from keras_bert.models.task_model import TaskModel, check_dropout, check_encoder, check_num_classes


@keras.saving.register_keras_serializable(package="keras_bert")
class BertFeatureClassifier(TaskModel):
    """BERT as a feature extractor: pooling over the tokens of a text, dropout and one dense layer.

    Dropout and the dense layer are a separate model, `head`, from features `[B, D]` to logits `[B, C]`. Pooling has no
    weights, so the features of a labeled dataset can be computed once with `kb.embed`, and `kb.fit_features` trains
    the head on them. The whole model takes token ids.

    Inputs, a dict: `input_word_ids`, `input_mask`, `input_type_ids`, int32 `[B, T]` each. Output: logits `[B, C]`,
    float32.

    Args:
        encoder: a `BertEncoder`. It is shared, not copied.
        num_classes: C, at least 2. Exactly one class applies to a text.
        pool: how the vectors of the tokens become one vector of size D, see `kb.embed`.
        dropout: dropout rate on the features.
        name: name of the model.
        trainable: if False, all layers start frozen.

    Attributes:
        encoder: the `BertEncoder`.
        head: a `keras.Sequential` of dropout and dense layer, float32 `[B, D]` to `[B, C]`.
        num_classes, pool, dropout_rate: the arguments.
        problem_type: always `"single_label"`, see `BertClassifier`.

    Raises:
        InputError: if `encoder` is not a `BertEncoder`, `num_classes` is not an integer or below 2, `dropout` is
            not in [0, 1), or `pool` is unknown or not available for this encoder.

    Example:

    >>> import numpy as np, keras_bert as kb
    >>> config = kb.BertConfig(vocab_size=100, hidden_size=32, num_layers=1, num_heads=2, intermediate_size=128)
    >>> classifier = kb.BertFeatureClassifier(kb.BertEncoder(config), num_classes=3)
    >>> ids = np.array([[2, 7, 4, 3, 0]])
    >>> tuple(classifier({"input_word_ids": ids, "input_mask": ids > 0, "input_type_ids": 0 * ids}).shape)
    (1, 3)

    Source: Devlin et al. 2018 (arXiv:1810.04805), section 5.3.
    """

    kind = "feature_classifier"
    problem_type = "single_label"

    def __init__(self, encoder, num_classes=2, pool="max", dropout=0.1, name=None, trainable=True):
        check_encoder(encoder)
        check_num_classes(num_classes)
        check_dropout(dropout)

        # === Layers === (float32, so that the head gives the same logits on stored features)
        features = pool_outputs(encoder(encoder.input), encoder.input["input_mask"], pool)  # [B, D]
        initializer = kernel_initializer(encoder.config.initializer_range)
        head = keras.Sequential(
            [
                keras.Input((features.shape[-1],), name="features"),
                keras.layers.Dropout(dropout, dtype="float32", name="dropout"),
                keras.layers.Dense(num_classes, kernel_initializer=initializer, dtype="float32", name="logits"),
            ],
            name="head",
        )

        # === Functional Model ===
        super().__init__(encoder, head(features), name=name, trainable=trainable)  # [B, C]

        # === Config ===
        self.head = head
        self.num_classes = num_classes
        self.pool = pool
        self.dropout_rate = dropout

    def get_config(self):
        return {
            **super().get_config(),
            "num_classes": self.num_classes,
            "pool": self.pool,
            "dropout": self.dropout_rate,
        }
