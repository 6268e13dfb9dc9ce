"""The encoder with the two heads it is pretrained with."""

import keras
from keras import ops

from keras_bert.errors import InputError
from keras_bert.layers import MaskedLMHead
from keras_bert.layers.activation import kernel_initializer
from keras_bert.models.encoder import BertEncoder


@keras.saving.register_keras_serializable(package="keras_bert")
class BertPretrainer(keras.Model):
    """Masked-word prediction at gathered positions and, by default, next-sentence prediction.

    Inputs, a dict: the encoder's three and `masked_lm_positions`, int32 `[B, P]`.

    Outputs, a dict: `mlm_logits` `[B, P, V]` over the vocabulary and, with `next_sentence`, `nsp_logits` `[B, 2]`,
    where class 0 says that the second sentence follows the first, as in the original. Under a mixed policy the first
    are in the compute dtype, for the loss to cast up, and the second float32.

    Args:
        encoder: a `BertEncoder`; it is shared, not copied.
        next_sentence: False for a BERT without the second task. Nothing trains the pooler then.
        name: the model's name.
        trainable: False to start with every layer frozen.

    Attributes:
        encoder: the `BertEncoder`.
        mlm_head: the `MaskedLMHead`, tied to `encoder.embeddings.word_embeddings`.
        nsp_head: the `keras.layers.Dense` of two classes, or None.
        next_sentence: as given.

    Raises:
        InputError: `encoder` is no `BertEncoder`, or has no pooler for the second task.

    Example:

    >>> import numpy as np, keras_bert as kb
    >>> config = kb.BertConfig(vocab_size=100, hidden_size=32, num_layers=1, num_heads=2, intermediate_size=128)
    >>> pretrainer = kb.BertPretrainer(kb.BertEncoder(config))
    >>> ids = np.array([[2, 7, 4, 3, 0]])
    >>> inputs = {"input_word_ids": ids, "input_mask": ids > 0, "input_type_ids": 0 * ids}
    >>> outputs = pretrainer({**inputs, "masked_lm_positions": np.array([[2]])})
    >>> tuple(outputs["mlm_logits"].shape), tuple(outputs["nsp_logits"].shape)
    ((1, 1, 100), (1, 2))

    Source: Devlin et al. 2018 (arXiv:1810.04805), section 3.1.
    """

    def __init__(self, encoder, next_sentence=True, name=None, trainable=True):
        if not isinstance(encoder, BertEncoder):
            raise InputError(f"a pretrainer is built on a BertEncoder. Received: {type(encoder).__name__}")
        config, policy = encoder.config, encoder.dtype_policy
        if next_sentence and not config.pooler:
            raise InputError("next sentences are read off the pooler. Received: an encoder without one")

        # === Layers === (named as their outputs, so that losses and metrics go by one name)
        mlm_head = MaskedLMHead(
            encoder.embeddings.word_embeddings,
            activation=config.activation,
            initializer_range=config.initializer_range,
            layer_norm_epsilon=config.layer_norm_epsilon,
            dtype=policy,
            name="mlm_logits",
        )
        nsp_head = None
        if next_sentence:
            nsp_head = keras.layers.Dense(
                2,
                kernel_initializer=kernel_initializer(config.initializer_range),
                dtype=policy.variable_dtype,
                name="nsp_logits",
            )

        # === Functional Model ===
        positions = keras.Input((None,), dtype="int32", name="masked_lm_positions")
        inputs = {**encoder.input, "masked_lm_positions": positions}
        read = positions  # of the last block, only the rows that a head reads
        if next_sentence:
            read = ops.concatenate([ops.zeros_like(positions[:, :1]), positions], axis=1)  # [B, 1 + P]: [CLS] first
        rows = encoder(encoder.input, positions=read)  # [B, P, H] or [B, 1 + P, H]
        if next_sentence:
            pooled, rows = encoder.pooler(rows), rows[:, 1:]  # [B, H], [B, P, H]
        outputs = {"mlm_logits": mlm_head(rows)}  # [B, P, V]
        if next_sentence:
            outputs["nsp_logits"] = nsp_head(pooled)  # [B, 2]
        super().__init__(inputs=inputs, outputs=outputs, name=name, trainable=trainable)

        # === Config ===
        self.encoder = encoder
        self.mlm_head = mlm_head
        self.nsp_head = nsp_head
        self.next_sentence = bool(next_sentence)
        self.dtype_policy = policy

    def get_config(self):
        # The head is made anew on the encoder that comes back, so the tie cannot be lost.
        return {
            "encoder": keras.saving.serialize_keras_object(self.encoder),
            "next_sentence": self.next_sentence,
            "name": self.name,
            "trainable": self.trainable,
        }

    @classmethod
    def from_config(cls, config):
        return cls(**{**config, "encoder": keras.saving.deserialize_keras_object(config["encoder"])})
