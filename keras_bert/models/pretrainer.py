"""The encoder with the two heads it is pretrained with."""

import keras
from keras import ops

from keras_bert.config import check_sentence_task
from keras_bert.errors import InputError
from keras_bert.layers import MaskedLMHead
from keras_bert.layers.activation import kernel_initializer
from keras_bert.models.encoder import BertEncoder


@keras.saving.register_keras_serializable(package="keras_bert")
class BertPretrainer(keras.Model):
    """Masked-word prediction at gathered positions and, by default, next-sentence prediction; or sentence order.

    Inputs, a dict: the encoder's three and `masked_lm_positions`, int32 `[B, P]`.

    Outputs, a dict: `mlm_logits` `[B, P, V]` over the vocabulary and, by the sentence task, one of

    - `nsp_logits` `[B, 2]`: class 0 says that the second segment follows the first, 1 that it is random;
    - `sop_logits` `[B, 2]`: class 0 says that two neighbours are in order, 1 that they are swapped.

    Under a mixed policy the words' are in the compute dtype, for the loss to cast up, and the others float32.

    Args:
        encoder: a `BertEncoder`; it is shared, not copied.
        sentence_task: `"next"`, as BERT; `"order"`, as ALBERT; None for masked words alone. Nothing trains the pooler
            then.
        name: the model's name.
        trainable: False to start with every layer frozen.

    Attributes:
        encoder: the `BertEncoder`.
        mlm_head: the `MaskedLMHead`, tied to `encoder.embeddings.word_embeddings`.
        nsp_head, sop_head: the `keras.layers.Dense` of two classes, where that is the sentence task, else None.
        sentence_task: as above.

    Raises:
        InputError: `encoder` is no `BertEncoder`, or has no pooler for the second task; there is no such task.

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
    sentence order.
    """

    def __init__(self, encoder, sentence_task="next", name=None, trainable=True):
        if not isinstance(encoder, BertEncoder):
            raise InputError(f"a pretrainer is built on a BertEncoder. Received: {type(encoder).__name__}")
        config, policy = encoder.config, encoder.dtype_policy
        sentence_task = check_sentence_task(sentence_task)
        if sentence_task and not config.pooler:
            raise InputError("a sentence task is read off the pooler. Received: an encoder without one")

        # === Layers === (named as their outputs, so that losses and metrics go by one name)
        mlm_head = MaskedLMHead(
            encoder.embeddings.word_embeddings,
            activation=config.activation,
            initializer_range=config.initializer_range,
            layer_norm_epsilon=config.layer_norm_epsilon,
            dtype=policy,
            name="mlm_logits",
        )
        sentence_head = None
        if sentence_task:
            sentence_head = keras.layers.Dense(
                2,
                kernel_initializer=kernel_initializer(config.initializer_range),
                dtype=policy.variable_dtype,
                name="nsp_logits" if sentence_task == "next" else "sop_logits",
            )

        # === Functional Model ===
        positions = keras.Input((None,), dtype="int32", name="masked_lm_positions")
        inputs = {**encoder.input, "masked_lm_positions": positions}
        read = positions  # of the last block, only the rows that a head reads
        if sentence_task:
            read = ops.concatenate([ops.zeros_like(positions[:, :1]), positions], axis=1)  # [B, 1 + P]: [CLS] first
        rows = encoder(encoder.input, positions=read)  # [B, P, H] or [B, 1 + P, H]
        if sentence_task:
            pooled, rows = encoder.pooler(rows), rows[:, 1:]  # [B, H], [B, P, H]
        outputs = {"mlm_logits": mlm_head(rows)}  # [B, P, V]
        if sentence_task:
            outputs[sentence_head.name] = sentence_head(pooled)  # [B, 2]
        super().__init__(inputs=inputs, outputs=outputs, name=name, trainable=trainable)

        # === Config ===
        self.encoder = encoder
        self.mlm_head = mlm_head
        self.nsp_head = sentence_head if sentence_task == "next" else None
        self.sop_head = sentence_head if sentence_task == "order" else None
        self.sentence_task = sentence_task
        self.dtype_policy = policy

    def get_config(self):
        # The head is made anew on the encoder that comes back, so the tie cannot be lost.
        return {
            "encoder": keras.saving.serialize_keras_object(self.encoder),
            "sentence_task": self.sentence_task,
            "name": self.name,
            "trainable": self.trainable,
        }

    @classmethod
    def from_config(cls, config):
        return cls(**{**config, "encoder": keras.saving.deserialize_keras_object(config["encoder"])})
