"""Token classification: the encoder with a head on the vector of every token."""

import keras

from keras_bert.models.task_model import TaskModel, check_dropout, check_encoder, check_num_classes, logits_layer


@keras.saving.register_keras_serializable(package="keras_bert")
class BertTokenClassifier(TaskModel):
    """BERT for token classification, such as named entity recognition or part-of-speech tagging.

    The head is dropout and one dense layer on each row of `sequence_output`.

    Inputs, a dict: `input_word_ids`, `input_mask`, `input_type_ids`, int32 `[B, T]` each. Output: logits `[B, T, C]`,
    float32 under a mixed dtype policy. All positions get logits. Usually only the first token of each word has a label.

    Args:
        encoder: a `BertEncoder`. It is shared, not copied.
        num_classes: C, at least 2.
        dropout: dropout rate before the dense layer.
        name: name of the model.
        trainable: if False, all layers start frozen.

    Attributes:
        encoder: the `BertEncoder`.
        dropout: the `keras.layers.Dropout`.
        head: the `keras.layers.Dense` with C units.
        num_classes, dropout_rate: the arguments.

    Raises:
        InputError: if `encoder` is not a `BertEncoder`, `num_classes` is not an integer or below 2, or `dropout` is
            not in [0, 1).

    Example:

    >>> import numpy as np, keras_bert as kb
    >>> config = kb.BertConfig(vocab_size=100, hidden_size=32, num_layers=1, num_heads=2, intermediate_size=128)
    >>> token_classifier = kb.BertTokenClassifier(kb.BertEncoder(config), num_classes=9)
    >>> ids = np.array([[2, 7, 4, 3, 0]])
    >>> tuple(token_classifier({"input_word_ids": ids, "input_mask": ids > 0, "input_type_ids": 0 * ids}).shape)
    (1, 5, 9)

    Source: Devlin et al. 2018 (arXiv:1810.04805), section 5.3.
    """

    kind = "token_classifier"

    def __init__(self, encoder, num_classes, dropout=0.1, name=None, trainable=True):
        check_encoder(encoder)
        check_num_classes(num_classes)
        check_dropout(dropout)

        # === Layers ===
        dropout_layer = keras.layers.Dropout(dropout, dtype=encoder.dtype_policy, name="dropout")
        head = logits_layer(encoder, num_classes)

        # === Functional Model ===
        logits = head(dropout_layer(encoder(encoder.input)["sequence_output"]))  # [B, T, C]
        super().__init__(encoder, logits, name=name, trainable=trainable)

        # === Config ===
        self.dropout = dropout_layer
        self.head = head
        self.num_classes = num_classes
        self.dropout_rate = dropout

    def get_config(self):
        return {**super().get_config(), "num_classes": self.num_classes, "dropout": self.dropout_rate}
