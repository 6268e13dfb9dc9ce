"""Text classification: the encoder with a head on the vector of the first token."""

import keras
from keras import ops

from keras_bert.constants import CLASSIFIER_TYPES
from keras_bert.errors import InputError
from keras_bert.layers import Pooler
from keras_bert.models.task_model import TaskModel, check_dropout, check_encoder, check_num_classes, logits_layer


@keras.saving.register_keras_serializable(package="keras_bert")
class BertClassifier(TaskModel):
    """BERT for classification of texts or text pairs, and for regression.

    It returns logits. For metrics of probabilities in `compile`, such as `keras.metrics.F1Score`, see `kb.FromLogits`.

    The head is dropout and one dense layer on `pooled_output`. For an encoder without a pooler, such as DistilBERT's,
    the model adds a pooler with ReLU.

    Inputs, a dict: `input_word_ids`, `input_mask`, `input_type_ids`, int32 `[B, T]` each. Output: logits `[B, C]`,
    float32 under a mixed dtype policy.

    Args:
        encoder: a `BertEncoder`. It is shared, not copied.
        num_classes: C, the number of logits: at least 2 for `"single_label"`, 1 for `"binary"`, at least 1 otherwise.
        dropout: dropout rate before the dense layer.
        problem_type: `"single_label"` (exactly one of C classes applies), `"binary"` (one of two classes applies, and
            the only logit is that of the second: its sigmoid is the probability), `"multi_label"` (each of C classes
            applies or not) or `"regression"` (the output is C numbers). Default: `"binary"` for one class, else
            `"single_label"`.
        name: name of the model.
        trainable: if False, all layers start frozen.

    Attributes:
        encoder: the `BertEncoder`.
        pooler: the `Pooler` of the encoder, or the one that this model added.
        dropout: the `keras.layers.Dropout`.
        head: the `keras.layers.Dense` with C units.
        num_classes, dropout_rate, problem_type: the arguments.

    Raises:
        InputError: if `encoder` is not a `BertEncoder`, `num_classes` is not an integer or too small, `dropout` is
            not in [0, 1), or `problem_type` is unknown.

    Example:

    >>> import numpy as np, keras_bert as kb
    >>> config = kb.BertConfig(vocab_size=100, hidden_size=32, num_layers=1, num_heads=2, intermediate_size=128)
    >>> classifier = kb.BertClassifier(kb.BertEncoder(config), num_classes=3)
    >>> ids = np.array([[2, 7, 4, 3, 0]])
    >>> tuple(classifier({"input_word_ids": ids, "input_mask": ids > 0, "input_type_ids": 0 * ids}).shape)
    (1, 3)

    Source: Devlin et al. 2018 (arXiv:1810.04805), sections 3.2 and 4.1; for encoders without a pooler,
    `modeling_distilbert.py` of Hugging Face transformers.
    """

    kind = "classifier"

    def __init__(self, encoder, num_classes=2, dropout=0.1, problem_type=None, name=None, trainable=True):
        check_encoder(encoder)
        if problem_type not in (None, *CLASSIFIER_TYPES):
            names = ", ".join(map(repr, CLASSIFIER_TYPES))
            raise InputError(f"`problem_type` must be one of {names}. Received: problem_type={problem_type!r}")
        check_num_classes(num_classes, minimum=2 if problem_type == "single_label" else 1)
        problem_type = problem_type or ("binary" if num_classes == 1 else "single_label")
        if problem_type == "binary" and num_classes != 1:
            raise InputError(f'`num_classes` must be 1 for problem_type="binary". Received: num_classes={num_classes}')
        check_dropout(dropout)

        # === Layers ===
        config, policy = encoder.config, encoder.dtype_policy
        pooler = encoder.pooler
        if pooler is None:
            pooler = Pooler(
                config.hidden_size, config.initializer_range, activation="relu", dtype=policy, name="pre_classifier"
            )
        dropout_layer = keras.layers.Dropout(dropout, dtype=policy, name="dropout")
        head = logits_layer(encoder, num_classes)

        # === Functional Model ===
        first = ops.zeros_like(encoder.input["input_word_ids"][:, :1])  # [B, 1]: the only position that is needed
        if encoder.pooler is not None:
            pooled = encoder(encoder.input, positions=first, outputs=("pooled_output",))["pooled_output"]  # [B, H]
        else:
            pooled = pooler(encoder(encoder.input, positions=first))  # [B, H]
        logits = head(dropout_layer(pooled))  # [B, C]
        super().__init__(encoder, logits, name=name, trainable=trainable)

        # === Config ===
        self.pooler = pooler
        self.dropout = dropout_layer
        self.head = head
        self.num_classes = num_classes
        self.dropout_rate = dropout
        self.problem_type = problem_type

    def get_config(self):
        return {
            **super().get_config(),
            "num_classes": self.num_classes,
            "dropout": self.dropout_rate,
            "problem_type": self.problem_type,
        }
