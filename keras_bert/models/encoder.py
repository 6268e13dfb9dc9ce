"""The BERT encoder: embeddings, L transformer blocks and a pooler."""

import keras

from keras_bert import ops
from keras_bert.config import BertConfig
from keras_bert.constants import INPUT_KEYS
from keras_bert.errors import InputError
from keras_bert.layers import BertEmbeddings, Pooler, TransformerBlock
from keras_bert.models.encoder_config import block_arguments, check_memory, encoder_config, encoder_from_config, rebuild
from keras_bert.models.encoder_tools import EncoderTools
from keras_bert.models.resize import ResizableEmbeddings


@keras.saving.register_keras_serializable(package="keras_bert")
class BertEncoder(ResizableEmbeddings, EncoderTools):
    """BERT encoder as a functional Keras model.

    Inputs, a dict of int32 `[B, T]`, with T up to `max_position_embeddings`:

    - `input_word_ids`: token ids;
    - `input_mask`: 1 at tokens, 0 at padding;
    - `input_type_ids`: segment ids. With `type_vocab_size=0` they are ignored and may be missing.

    Outputs, a flat dict, also as symbolic tensors in `encoder.output`, for functional models:

    - `sequence_output` `[B, T, H]`: output of the last block;
    - `pooled_output` `[B, H]`: output of the pooler, if `config.pooler`;
    - `encoder_outputs_0` … `encoder_outputs_{L-1}` `[B, T, H]`: output of each block.

    Outputs at padding positions are undefined; ignore them.

    Args:
        config: a `BertConfig`.
        block: class of the blocks, or a function that makes a block. It is called with the arguments of
            `TransformerBlock` by name. The block is called with `hidden_states`, `input_mask` and, when only some
            positions are needed, `positions`.
        name: name of the model.
        dtype: a Keras dtype policy such as `"mixed_bfloat16"`. Default: the global policy.
        trainable: if False, all layers start frozen.

    Attributes:
        config: the `BertConfig`.
        embeddings: the `BertEmbeddings`.
        blocks: tuple of L blocks. With `config.share_blocks` it is L times the same block.
        pooler: the `Pooler`, or None.
        has_custom_blocks: whether the blocks were made by another `block` than `TransformerBlock`.

    Raises:
        InputError: if `config` is not a `BertConfig`, or the weights need more memory than the machine has; on call, if
            T is above `max_position_embeddings`.

    Example:

    >>> import numpy as np, keras_bert as kb
    >>> config = kb.BertConfig(vocab_size=100, hidden_size=32, num_layers=2, num_heads=2, intermediate_size=128)
    >>> encoder = kb.BertEncoder(config)
    >>> ids = np.array([[2, 7, 9, 3, 0]])
    >>> outputs = encoder({"input_word_ids": ids, "input_mask": ids > 0, "input_type_ids": 0 * ids})
    >>> tuple(outputs["sequence_output"].shape), tuple(outputs["pooled_output"].shape)
    ((1, 5, 32), (1, 32))

    Source: Devlin et al. 2018 (arXiv:1810.04805), section 3. Inputs and outputs have the names of TF-Hub's
    `tensorflow/bert_en_uncased_L-12_H-768_A-12`.
    """

    kind = "encoder"

    def __init__(self, config, block=TransformerBlock, name=None, dtype=None, trainable=True):
        if not isinstance(config, BertConfig):
            raise InputError(f"`config` must be a BertConfig. Received: config of type {type(config).__name__}")
        policy = keras.dtype_policies.get(dtype)
        check_memory(config, policy)

        # === Layers === (attributes are set after `super().__init__`, as PyTorch requires)
        embeddings = BertEmbeddings(
            vocab_size=config.vocab_size,
            hidden_size=config.hidden_size,
            max_position_embeddings=config.max_position_embeddings,
            type_vocab_size=config.type_vocab_size,
            dropout=config.hidden_dropout,
            initializer_range=config.initializer_range,
            layer_norm_epsilon=config.layer_norm_epsilon,
            embedding_size=config.embedding_size,
            dtype=policy,
            name="embeddings",
        )
        blocks = [
            block(**block_arguments(config, i), dtype=policy)
            for i in range(1 if config.share_blocks else config.num_layers)
        ]
        if config.share_blocks:
            blocks = blocks * config.num_layers
        pooler = None
        if config.pooler:
            pooler = Pooler(config.hidden_size, config.initializer_range, dtype=policy, name="pooler")

        # === Functional Model ===
        inputs = {key: keras.Input((None,), dtype="int32", name=key) for key in INPUT_KEYS}  # [B, T] each
        x = embeddings(inputs["input_word_ids"], inputs["input_type_ids"])  # [B, T, H]
        outputs = {}
        for i, layer in enumerate(blocks):
            x = layer(x, inputs["input_mask"])  # [B, T, H]
            outputs[f"encoder_outputs_{i}"] = x
        outputs["sequence_output"] = x  # [B, T, H]
        if pooler is not None:
            outputs["pooled_output"] = pooler(x)  # [B, H]
        super().__init__(inputs=inputs, outputs=outputs, name=name, trainable=trainable)

        # === Config ===
        self.embeddings = embeddings
        self.blocks = tuple(blocks)
        self.pooler = pooler
        self.has_custom_blocks = block is not TransformerBlock
        self.config = config
        self.dtype_policy = policy

    def call(self, inputs, training=None, mask=None, positions=None, outputs=None):
        """Compute all outputs, or `sequence_output` at some positions only.

        Args:
            inputs: dict of int32 `[B, T]`.
            training: whether dropout is applied.
            mask: unused; Keras passes it.
            positions: int `[B, P]`, or None. The last block then computes only these positions.
            outputs: with `positions`, a tuple of some of the names `"sequence_output"` (`[B, P, H]`), `"pooled_output"`
                (`[B, H]`, of the first of the positions) and `"word_embeddings"` (`[V, E]`, the table that a masked-LM
                head multiplies with). A task model uses them, so that its graph has no layer of the encoder twice.

        Returns:
            The dict of outputs. With `positions`, float `[B, P, H]`; with `outputs` too, a dict of these.
        """
        if positions is None:
            return super().call(inputs, training=training, mask=mask)
        x = self.embeddings(inputs["input_word_ids"], inputs["input_type_ids"], training=training)  # [B, T, H]
        for block in self.blocks[:-1]:
            x = block(x, inputs["input_mask"], training=training)  # [B, T, H]
        x = self.blocks[-1](x, inputs["input_mask"], positions, training=training)  # [B, P, H]
        if outputs is None:
            return x
        functions = {
            "sequence_output": lambda: x,
            "pooled_output": lambda: self.pooler(x),  # [B, H]
            "word_embeddings": lambda: ops.embedding_table(self.embeddings.word_embeddings),  # [V, E]
        }
        return {name: functions[name]() for name in outputs}

    def compute_output_spec(self, inputs, training=None, mask=None, positions=None, outputs=None):
        if positions is None:
            return super().compute_output_spec(inputs, training=training, mask=mask)
        config, dtype = self.config, self.dtype_policy.compute_dtype
        shapes = {
            "sequence_output": (*positions.shape, config.hidden_size),
            "pooled_output": (positions.shape[0], config.hidden_size),
            "word_embeddings": (config.vocab_size, config.embedding_size or config.hidden_size),
        }
        specs = {name: keras.KerasTensor(shapes[name], dtype=dtype) for name in outputs or ("sequence_output",)}
        return specs if outputs else specs["sequence_output"]

    @property
    def parts(self) -> list:
        """The layers in order, each once: embeddings, blocks, pooler."""
        return [part for part in dict.fromkeys([self.embeddings, *self.blocks, self.pooler]) if part is not None]

    def get_config(self):
        return encoder_config(self)

    @classmethod
    def from_config(cls, config):
        return encoder_from_config(cls, config)

    def copy(self, dropout: float | None = None, dtype=None) -> "BertEncoder":
        """Return a copy of the encoder, with the same weights and the same blocks.

        Args:
            dropout: dropout rate of all layers of the copy, attention probabilities included. Default: unchanged.
            dtype: dtype policy of the copy. Default: unchanged.

        Returns:
            A new `BertEncoder` that shares no weights with this one. Replaced sublayers, dtype policies of single
            layers, LoRA and quantization are copied. All its layers are trainable, or with LoRA those of this one.

        Example:

        >>> import keras_bert as kb
        >>> config = kb.BertConfig(vocab_size=8, hidden_size=8, num_layers=1, num_heads=2, intermediate_size=16)
        >>> kb.BertEncoder(config).copy(dropout=0.0).config.hidden_dropout
        0.0
        """
        return rebuild(type(self), self, dropout=dropout, dtype=dtype)

    @classmethod
    def _from_stored(cls, stored, block=None, dtype=None, dropout=None, **kwargs):
        stored = getattr(stored, "encoder", stored)
        if block is not None and stored.has_custom_blocks:
            raise InputError(f"`block` must be None for a source with custom blocks. Received: block={block!r}")
        if isinstance(stored, cls) and block is dtype is dropout is None and not kwargs:
            return stored
        return rebuild(cls, stored, block, dtype, dropout, **kwargs)
