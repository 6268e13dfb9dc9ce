"""BERT's pretraining model: the encoder with the masked-LM head and the head of the sentence task."""

import keras
from keras import ops

from keras_bert.config import check_sentence_task
from keras_bert.errors import InputError
from keras_bert.layers import MaskedLMHead
from keras_bert.models.task_model import TaskModel, check_encoder, logits_layer


@keras.saving.register_keras_serializable(package="keras_bert")
class BertPretrainer(TaskModel):
    """BERT with the heads of pretraining: masked LM, and next sentence prediction or sentence order prediction.

    Inputs, a dict: `input_word_ids`, `input_mask`, `input_type_ids`, int32 `[B, T]` each, and `masked_lm_positions`,
    int32 `[B, P]`.

    Outputs, a dict: `mlm_logits` `[B, P, V]` and, depending on `sentence_task`, one of

    - `nsp_logits` `[B, 2]`: class 0 if the second segment follows the first, 1 if it is random;
    - `sop_logits` `[B, 2]`: class 0 if the two segments are in order, 1 if they are swapped.

    Under a mixed dtype policy `mlm_logits` have the compute dtype (the loss casts them to float32) and the others are
    float32.

    Args:
        encoder: a `BertEncoder`. It is shared, not copied.
        sentence_task: `"next"` (BERT), `"order"` (ALBERT) or None for masked LM alone. With None the pooler gets no
            gradient.
        name: name of the model.
        trainable: if False, all layers start frozen.

    Attributes:
        encoder: the `BertEncoder`.
        mlm_head: the `MaskedLMHead`, tied to `encoder.embeddings.word_embeddings`.
        nsp_head, sop_head: the `keras.layers.Dense` with two units of the sentence task, or None.
        sentence_task: the argument.

    Raises:
        InputError: if `encoder` is not a `BertEncoder`, `sentence_task` is unknown, or it needs a pooler that the
            encoder does not have.

    Example:

    >>> import numpy as np, keras_bert as kb
    >>> config = kb.BertConfig(vocab_size=100, hidden_size=32, num_layers=1, num_heads=2, intermediate_size=128)
    >>> pretrainer = kb.BertPretrainer(kb.BertEncoder(config))
    >>> ids = np.array([[2, 7, 4, 3, 0]])
    >>> inputs = {"input_word_ids": ids, "input_mask": ids > 0, "input_type_ids": 0 * ids}
    >>> outputs = pretrainer({**inputs, "masked_lm_positions": np.array([[2]])})
    >>> tuple(outputs["mlm_logits"].shape), tuple(outputs["nsp_logits"].shape)
    ((1, 1, 100), (1, 2))

    Source: Devlin et al. 2018 (arXiv:1810.04805), section 3.1; Lan et al. 2019 (arXiv:1909.11942), section 3.1, for
    sentence order prediction.
    """

    kind = "pretrainer"

    def __init__(self, encoder, sentence_task="next", name=None, trainable=True):
        check_encoder(encoder)
        check_sentence_task(sentence_task)
        config = encoder.config
        if sentence_task and not config.pooler:
            raise InputError(
                "`sentence_task` must be None for an encoder without a pooler. "
                f"Received: sentence_task={sentence_task!r}"
            )

        # === Layers === (with the names of the outputs, so that losses and metrics have them too)
        mlm_head = MaskedLMHead(
            encoder.embeddings.word_embeddings,
            activation=config.activation,
            initializer_range=config.initializer_range,
            layer_norm_epsilon=config.layer_norm_epsilon,
            dtype=encoder.dtype_policy,
            name="mlm_logits",
        )
        nsp_head = logits_layer(encoder, 2, name="nsp_logits") if sentence_task == "next" else None
        sop_head = logits_layer(encoder, 2, name="sop_logits") if sentence_task == "order" else None
        sentence_head = nsp_head or sop_head

        # === Functional Model ===
        positions = keras.Input((None,), dtype="int32", name="masked_lm_positions")  # [B, P]
        if sentence_head is None:
            names = ("sequence_output", "word_embeddings")
            encoded = encoder(encoder.input, positions=positions, outputs=names)
            masked = encoded["sequence_output"]  # [B, P, H]
        else:
            first = ops.zeros_like(positions[:, :1])  # [B, 1]: [CLS], for the pooler
            names = ("sequence_output", "pooled_output", "word_embeddings")
            encoded = encoder(encoder.input, positions=ops.concatenate([first, positions], axis=1), outputs=names)
            masked = encoded["sequence_output"][:, 1:]  # [B, P, H]
        # The table is an output of the encoder, so that a clone of this graph is tied too.
        outputs = {"mlm_logits": mlm_head(masked, table=encoded["word_embeddings"])}  # [B, P, V]
        if sentence_head is not None:
            outputs[sentence_head.name] = sentence_head(encoded["pooled_output"])  # [B, 2]
        inputs = {**encoder.input, "masked_lm_positions": positions}
        super().__init__(encoder, outputs, inputs, name=name, trainable=trainable)

        # === Config ===
        self.mlm_head = mlm_head
        self.nsp_head = nsp_head
        self.sop_head = sop_head
        self.sentence_task = sentence_task

    def get_config(self):
        return {**super().get_config(), "sentence_task": self.sentence_task}
