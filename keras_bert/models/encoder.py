"""The BERT encoder: embeddings, L transformer blocks and a pooler."""

import dataclasses
import inspect

import keras

from keras_bert import ops
from keras_bert.config import BertConfig
from keras_bert.constants import INPUT_KEYS
from keras_bert.errors import InputError
from keras_bert.layers import BertEmbeddings, Pooler, TransformerBlock
from keras_bert.layers.composite import describe_states, restore_states, without_ids
from keras_bert.layers.lora import has_lora, merge_lora
from keras_bert.layers.scored_block import ScoredBlock
from keras_bert.models.change_config import change_config, custom_classes
from keras_bert.models.copy_weights import assign_standard_weights, assign_weights
from keras_bert.models.layout import layout_map
from keras_bert.models.lora import enable_lora, train_all
from keras_bert.models.pretrained_model import PretrainedModel
from keras_bert.models.resize import ResizableEmbeddings
from keras_bert.models.text_attributes import copy_text_attributes


@keras.saving.register_keras_serializable(package="keras_bert")
class BertEncoder(ResizableEmbeddings, PretrainedModel):
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
        InputError: if `config` is not a `BertConfig`; on call, if T is above `max_position_embeddings`.

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
            block(**_block_arguments(config, i), dtype=policy)
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

    def with_attention_scores(self) -> keras.Model:
        """Return a functional model with the outputs of this encoder and its attention probabilities.

        It consists of the layers of this encoder, so it has the same weights and trains them.

        Returns:
            A `keras.Model` of the same inputs. Its outputs are those of the encoder and `attention_scores_0` …
            `attention_scores_{L-1}`, float `[B, A, T, T]`, before dropout. The last axis, the keys, sums to 1.

        Raises:
            InputError: a custom block does not return attention scores.

        Example:

        >>> import keras_bert as kb
        >>> config = kb.BertConfig(vocab_size=8, hidden_size=8, num_layers=2, num_heads=2, intermediate_size=16)
        >>> kb.BertEncoder(config).with_attention_scores().output["attention_scores_1"].shape
        (None, 2, None, None)

        Source: Vaswani et al. 2017 (arXiv:1706.03762), section 3.2.
        """
        inputs = self.input
        x = self.embeddings(inputs["input_word_ids"], inputs["input_type_ids"])  # [B, T, H]
        outputs, scored = {}, {}
        for i, block in enumerate(self.blocks):
            if "return_attention_scores" not in inspect.signature(block.call).parameters:
                raise InputError(
                    "`block` must make layers with the call argument `return_attention_scores`. "
                    f"Received: a {type(block).__name__} without it"
                )
            if block not in scored:  # ALBERT repeats one block
                scored[block] = ScoredBlock(block, name=f"scored_{block.name}")
            x, scores = scored[block](x, inputs["input_mask"])  # [B, T, H], [B, A, T, T]
            outputs |= {f"encoder_outputs_{i}": x, f"attention_scores_{i}": scores}
        outputs["sequence_output"] = x  # [B, T, H]
        if self.pooler is not None:
            outputs["pooled_output"] = self.pooler(x)  # [B, H]
        return keras.Model(inputs, outputs, name=f"{self.name}_with_attention_scores")

    @staticmethod
    def get_layout_map(device_mesh, model_dim: str = "model"):
        """Return how to divide the weights of an encoder between devices, for `keras.distribution.ModelParallel`.

        The attention heads, the inner axis of the feed-forward networks and the embedding axis of the tables are
        divided. `num_heads`, `intermediate_size` and `hidden_size` must be multiples of the number of devices. All
        other weights are on every device. It serves task models too. Keras supports model parallelism on JAX.

        Args:
            device_mesh: a `keras.distribution.DeviceMesh`.
            model_dim: name of the axis of the mesh to divide the weights along.

        Returns:
            A `keras.distribution.LayoutMap`.

        Raises:
            InputError: the mesh has no axis of this name.

        Example:

        >>> import keras_bert as kb
        >>> mesh = keras.distribution.DeviceMesh((1, 1), ("batch", "model"), ["cpu:0"])
        >>> layout_map = kb.BertEncoder.get_layout_map(mesh)
        >>> layout_map["block_0/intermediate/kernel"].axes
        (None, 'model')

        Source: Shoeybi et al. 2019 (arXiv:1909.08053), section 3; `get_layout_map` of KerasHub's backbones.
        """
        return layout_map(device_mesh, model_dim)

    @property
    def parts(self) -> list:
        """The layers in order, each once: embeddings, blocks, pooler."""
        return [part for part in dict.fromkeys([self.embeddings, *self.blocks, self.pooler]) if part is not None]

    def get_config(self):
        config = {
            "config": self.config.to_dict(),
            "name": self.name,
            "dtype": keras.dtype_policies.serialize(self.dtype_policy),
            "trainable": self.trainable,
            # A saved optimizer has slots for the trainable variables only, so frozen layers must stay frozen.
            "frozen": [part.name for part in self.parts if not part.trainable],
        }
        blocks = list(dict.fromkeys(self.blocks))
        if self.has_custom_blocks or not all(map(self._is_standard, range(len(blocks)), blocks)):
            config["has_custom_blocks"] = self.has_custom_blocks
            config["blocks"] = [_serialize_block(block) for block in blocks]
            config["block_states"] = [describe_states(block, block.dtype_policy.name) for block in blocks]
        for part in (self.embeddings, self.pooler):
            if part is not None and (changes := part.get_config().get("sublayers")):
                config.setdefault("sublayers", {})[part.name] = changes
        return config

    def _is_standard(self, index: int, block) -> bool:
        """Return whether a block is the one that the constructor makes."""
        if type(block) is not TransformerBlock:
            return False
        new = TransformerBlock(
            **_block_arguments(self.config, index), dtype=self.dtype_policy, trainable=block.trainable
        )
        return without_ids(block.get_config()) == without_ids(new.get_config())

    @classmethod
    def from_config(cls, config):
        config = dict(config)
        frozen, sublayers = config.pop("frozen"), config.pop("sublayers", {})
        has_custom_blocks = config.pop("has_custom_blocks", "blocks" in config)
        states = config.pop("block_states", [])
        if "blocks" in config:
            blocks = iter([keras.saving.deserialize_keras_object(block) for block in config.pop("blocks")])
            config["block"] = lambda **settings: next(blocks)
        encoder = cls(BertConfig.from_dict(config.pop("config")), **config)
        encoder.has_custom_blocks = has_custom_blocks
        for name, changes in sublayers.items():
            encoder.get_layer(name).restore_sublayers(changes)
        for block, each in zip(dict.fromkeys(encoder.blocks), states, strict=False):
            restore_states(block, each)
        for name in frozen:
            encoder.get_layer(name).trainable = False
        return encoder

    def enable_lora(self, rank: int, targets=("query", "value"), alpha: float | None = None) -> None:
        """Add low-rank weights to projections of all blocks, and freeze all other weights of the encoder.

        A target computes x (W + alpha / rank * A B) + b with new matrices A and B, by `enable_lora` of Keras. At first
        B is 0, so the outputs do not change. Saved files and copies contain A and B; `merge_lora` adds them to W.
        `kb.finetune` then trains A, B and the head.

        Args:
            rank: number of columns of A and rows of B.
            targets: some of `"query"`, `"key"`, `"value"`, `"attention_output"`, `"intermediate"` and `"output"`. The
                default is that of the paper.
            alpha: scale of the product; `rank` by default.

        Raises:
            InputError: `rank` or `targets` is invalid, LoRA is already enabled, or a block has no such projection.

        Example:

        >>> import keras_bert as kb
        >>> config = kb.BertConfig(vocab_size=8, hidden_size=8, num_layers=1, num_heads=2, intermediate_size=16)
        >>> encoder = kb.BertEncoder(config)
        >>> encoder.enable_lora(rank=2)
        >>> sorted({variable.path for variable in encoder.trainable_variables})[:2]
        ['block_0/attention/query/lora_kernel_a', 'block_0/attention/query/lora_kernel_b']

        Source: Hu et al. 2021 (arXiv:2106.09685), sections 4.1, 4.2 and 7.1.
        """
        enable_lora(self, rank, targets, alpha)

    def merge_lora(self) -> None:
        """Add the LoRA weights to the kernels and remove them: the same outputs, from plain layers. All are trainable.

        Raises:
            InputError: LoRA is not enabled, or a layer with LoRA is quantized.
        """
        if not has_lora(self):
            raise InputError("`enable_lora` must be called before `merge_lora`. Received: an encoder without LoRA")
        merge_lora(self)
        train_all(self)

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
        return type(self)._rebuild(self, dropout=dropout, dtype=dtype)

    @classmethod
    def _rebuild(cls, source, block=None, dtype=None, dropout=None, **kwargs):
        """Return a new encoder of this class with the weights of `source`."""
        if block is not None:
            rates = {} if dropout is None else {"hidden_dropout": dropout, "attention_dropout": dropout}
            dtype = source.dtype_policy if dtype is None else dtype
            encoder = cls(dataclasses.replace(source.config, **rates), block=block, dtype=dtype, **kwargs)
            assign_standard_weights(encoder, source)
            copy_text_attributes(source, encoder, ("vectorizer",))
            return encoder
        config = source.get_config() if isinstance(source, cls) else BertEncoder.get_config(source)
        config |= {"name": None, "trainable": True, "frozen": config["frozen"] if has_lora(source) else [], **kwargs}
        with custom_classes(source):
            encoder = cls.from_config(change_config(config, dropout, dtype))
        assign_weights(encoder.weights, source.weights)
        copy_text_attributes(source, encoder, ("vectorizer",))
        return encoder

    @classmethod
    def _from_stored(cls, stored, block=None, dtype=None, dropout=None, **kwargs):
        stored = getattr(stored, "encoder", stored)
        if block is not None and stored.has_custom_blocks:
            raise InputError(f"`block` must be None for a source with custom blocks. Received: block={block!r}")
        if isinstance(stored, cls) and block is dtype is dropout is None and not kwargs:
            return stored
        return cls._rebuild(stored, block, dtype, dropout, **kwargs)


def _block_arguments(config: BertConfig, index: int) -> dict:
    """Return the arguments of a block, besides its dtype."""
    return {
        "hidden_size": config.hidden_size,
        "num_heads": config.num_heads,
        "intermediate_size": config.intermediate_size,
        "activation": config.activation,
        "dropout": config.hidden_dropout,
        "attention_dropout": config.attention_dropout,
        "initializer_range": config.initializer_range,
        "layer_norm_epsilon": config.layer_norm_epsilon,
        "name": f"block_{index}",
    }


def _serialize_block(block) -> dict:
    config = keras.saving.serialize_keras_object(block)
    config.pop("build_config", None)  # the encoder builds it
    return config
