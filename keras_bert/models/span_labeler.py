"""Extractive question answering: the encoder with a head for the start and the end of the answer."""

import keras
from keras import ops

from keras_bert.models.task_model import TaskModel, check_encoder, logits_layer


@keras.saving.register_keras_serializable(package="keras_bert")
class BertSpanLabeler(TaskModel):
    """BERT for extractive question answering: logits for the start and the end of the answer at every token.

    The first segment is the question, the second one the context. The head is one dense layer with two units on each
    row of `sequence_output`.

    Inputs, a dict: `input_word_ids`, `input_mask`, `input_type_ids`, int32 `[B, T]` each. Outputs, a dict:
    `start_logits` and `end_logits`, `[B, T]` each, float32 under a mixed dtype policy. Logits at padding positions are
    undefined. Position 0, `[CLS]`, means "no answer".

    Args:
        encoder: a `BertEncoder`. It is shared, not copied.
        name: name of the model.
        trainable: if False, all layers start frozen.

    Attributes:
        encoder: the `BertEncoder`.
        head: the `keras.layers.Dense` with two units: start and end.

    Raises:
        InputError: if `encoder` is not a `BertEncoder`.

    Example:

    >>> import numpy as np, keras_bert as kb
    >>> config = kb.BertConfig(vocab_size=100, hidden_size=32, num_layers=1, num_heads=2, intermediate_size=128)
    >>> span_labeler = kb.BertSpanLabeler(kb.BertEncoder(config))
    >>> ids = np.array([[2, 7, 3, 9, 4, 3]])
    >>> outputs = span_labeler({"input_word_ids": ids, "input_mask": ids > 0, "input_type_ids": 0 * ids})
    >>> tuple(outputs["start_logits"].shape), tuple(outputs["end_logits"].shape)
    ((1, 6), (1, 6))

    Source: Devlin et al. 2018 (arXiv:1810.04805), sections 4.2 and 4.3.
    """

    kind = "span_labeler"

    def __init__(self, encoder, name=None, trainable=True):
        check_encoder(encoder)

        # === Layers ===
        head = logits_layer(encoder, 2, name="spans")

        # === Functional Model ===
        logits = head(encoder(encoder.input)["sequence_output"])  # [B, T, 2]
        outputs = {
            "start_logits": ops.squeeze(logits[..., :1], -1),  # [B, T]
            "end_logits": ops.squeeze(logits[..., 1:], -1),  # [B, T]
        }
        super().__init__(encoder, outputs, name=name, trainable=trainable)

        # === Config ===
        self.head = head
