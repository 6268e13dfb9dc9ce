"""The encoder: embeddings, L blocks, pooler."""

import dataclasses

import keras

from keras_bert.config import BertConfig
from keras_bert.errors import InputError
from keras_bert.layers import BertEmbeddings, Pooler, TransformerBlock


@keras.saving.register_keras_serializable(package="keras_bert")
class BertEncoder(keras.Model):
    """A BERT encoder as a functional Keras model.

    Inputs, a dict: `input_word_ids`, `input_mask` (1 at tokens, 0 at padding) and `input_type_ids`, each int32 `[B, T]`
    with T up to `max_position_embeddings`.

    Outputs, a flat dict: `sequence_output` `[B, T, H]`, `pooled_output` `[B, H]`, and `encoder_outputs_0` …
    `encoder_outputs_{L-1}` `[B, T, H]`, what each block gives (the last is `sequence_output`). Rows of padding hold
    numbers of no meaning. With `config.pooler` False there is no `pooled_output`.

    Args:
        config: a `BertConfig`.
        block: makes a block from the settings of a `TransformerBlock`, given by name: another class, or a function. The
            layer is called with `hidden_states`, `input_mask` and, for some rows alone, `positions`.
        name: the model's name.
        dtype: a Keras dtype policy such as `"mixed_bfloat16"`; the global one by default.
        trainable: False to start with every layer frozen.

    Attributes:
        config: the `BertConfig`.
        embeddings: the `BertEmbeddings`.
        blocks: list of L `TransformerBlock`, L times the same one with `config.share_blocks`.
        pooler: the `Pooler`, or None.

    Raises:
        InputError: `config` is no `BertConfig`; when called, T is above `max_position_embeddings`.

    Example:

    >>> import numpy as np, keras_bert as kb
    >>> config = kb.BertConfig(vocab_size=100, hidden_size=32, num_layers=2, num_heads=2, intermediate_size=128)
    >>> encoder = kb.BertEncoder(config)
    >>> ids = np.array([[2, 7, 9, 3, 0]])
    >>> outputs = encoder({"input_word_ids": ids, "input_mask": ids > 0, "input_type_ids": 0 * ids})
    >>> tuple(outputs["sequence_output"].shape), tuple(outputs["pooled_output"].shape)
    ((1, 5, 32), (1, 32))

    Source: Devlin et al. 2018 (arXiv:1810.04805), section 3; the outputs are named as in TF-Hub's
    `tensorflow/bert_en_uncased_L-12_H-768_A-12`.
    """

    def __init__(self, config, block=TransformerBlock, name=None, dtype=None, trainable=True):
        if not isinstance(config, BertConfig):
            raise InputError(f"an encoder is built from a BertConfig. Received: {type(config).__name__}")
        policy = keras.dtype_policies.get(dtype)

        # === Layers === (no attribute is set before the model is, which PyTorch would refuse)
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
            block(
                hidden_size=config.hidden_size,
                num_heads=config.num_heads,
                intermediate_size=config.intermediate_size,
                activation=config.activation,
                dropout=config.hidden_dropout,
                attention_dropout=config.attention_dropout,
                initializer_range=config.initializer_range,
                layer_norm_epsilon=config.layer_norm_epsilon,
                dtype=policy,
                name=f"block_{i}",
            )
            for i in range(1 if config.share_blocks else config.num_layers)
        ]
        if config.share_blocks:
            blocks = blocks * config.num_layers
        pooler = None
        if config.pooler:
            pooler = Pooler(config.hidden_size, config.initializer_range, dtype=policy, name="pooler")

        # === Functional Model ===
        inputs = {
            key: keras.Input((None,), dtype="int32", name=key)
            for key in ("input_word_ids", "input_mask", "input_type_ids")
        }
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
        self.blocks = blocks
        self.pooler = pooler
        self.has_custom_blocks = block is not TransformerBlock
        self.config = config
        self.dtype_policy = policy

    @classmethod
    def from_pretrained(cls, source) -> "BertEncoder":
        """An encoder with its weights, by name or from a folder.

        Args:
            source: as for `load_pretrained`, such as `"bert_en_uncased_mini"`, which ships with the repository.

        Returns:
            A `BertEncoder`.

        Raises:
            InputError: as `load_pretrained`.

        Example:

        >>> import tempfile, keras_bert as kb
        >>> vectorizer = kb.BertTextVectorization(["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "film"])
        >>> config = kb.BertConfig(vocab_size=6, hidden_size=8, num_layers=1, num_heads=2, intermediate_size=16)
        >>> folder = kb.save_pretrained(kb.BertEncoder(config), tempfile.mkdtemp() + "/bert", vectorizer)
        >>> kb.BertEncoder.from_pretrained(folder).config.hidden_size
        8

        Source: KerasHub's and Hugging Face's constructors of that kind, `from_preset` and `from_pretrained`.
        """
        from keras_bert.weights import load_pretrained  # a constructor by name, the one import against the stream

        return load_pretrained(source).encoder

    def copy(self, dropout: float | None = None, dtype=None) -> "BertEncoder":
        """Another encoder with these weights and with blocks of this kind.

        Args:
            dropout: its rate everywhere; by default as it is here.
            dtype: its dtype policy; the global one by default.

        Returns:
            A new `BertEncoder` that shares nothing with this one.

        Example:

        >>> import keras_bert as kb
        >>> config = kb.BertConfig(vocab_size=8, hidden_size=8, num_layers=1, num_heads=2, intermediate_size=16)
        >>> kb.BertEncoder(config).copy(dropout=0.0).config.hidden_dropout
        0.0
        """
        rates = {} if dropout is None else {"hidden_dropout": dropout, "attention_dropout": dropout}
        blocks = iter(dict.fromkeys(self.blocks))

        def like_own(**settings):
            block = next(blocks)
            config = block.get_config()
            return type(block).from_config({**config, **{key: x for key, x in settings.items() if key in config}})

        block = like_own if self.has_custom_blocks else TransformerBlock
        encoder = type(self)(dataclasses.replace(self.config, **rates), block=block, dtype=dtype)
        for ours, theirs in zip(encoder.weights, self.weights, strict=True):
            ours.assign(keras.ops.cast(theirs, ours.dtype))
        return encoder

    def call(self, inputs, training=None, mask=None, positions=None):
        """The outputs; or, with `positions` int `[B, P]`, those rows alone of `sequence_output`, `[B, P, H]`.

        The last block then computes nothing for the other rows: what a head does not read is not worked out.
        """
        if positions is None:
            return super().call(inputs, training=training, mask=mask)
        x = self.embeddings(inputs["input_word_ids"], inputs["input_type_ids"], training=training)  # [B, T, H]
        for block in self.blocks[:-1]:
            x = block(x, inputs["input_mask"], training=training)  # [B, T, H]
        return self.blocks[-1](x, inputs["input_mask"], positions, training=training)  # [B, P, H]

    def compute_output_spec(self, inputs, training=None, mask=None, positions=None):
        if positions is None:
            return super().compute_output_spec(inputs, training=training, mask=mask)
        return keras.KerasTensor((*positions.shape, self.config.hidden_size), dtype=self.dtype_policy.compute_dtype)

    def get_config(self):
        config = {
            "config": self.config.to_dict(),
            "name": self.name,
            "dtype": keras.dtype_policies.serialize(self.dtype_policy),
            "trainable": self.trainable,
            # Layers frozen one by one stay frozen, or a saved optimizer would meet more variables than it had.
            "frozen": [part.name for part in self.parts if not part.trainable],
        }
        if self.has_custom_blocks:
            config["blocks"] = [keras.saving.serialize_keras_object(block) for block in dict.fromkeys(self.blocks)]
        return config

    @property
    def parts(self) -> list:
        """The layers, each once: embeddings, blocks, pooler."""
        return [part for part in dict.fromkeys([self.embeddings, *self.blocks, self.pooler]) if part is not None]

    @classmethod
    def from_config(cls, config):
        config = dict(config)
        frozen = config.pop("frozen")
        if "blocks" in config:
            blocks = iter([keras.saving.deserialize_keras_object(block) for block in config.pop("blocks")])
            config["block"] = lambda **settings: next(blocks)
        encoder = cls(BertConfig.from_dict(config.pop("config")), **config)
        for name in frozen:
            encoder.get_layer(name).trainable = False
        return encoder
