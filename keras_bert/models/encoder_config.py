"""The config of an encoder with all changes of its layers, and copies of encoders."""

import dataclasses

import keras

from keras_bert.config import BertConfig
from keras_bert.errors import InputError
from keras_bert.layers import TransformerBlock
from keras_bert.layers.composite import describe_states, restore_states, without_ids
from keras_bert.layers.lora import has_lora
from keras_bert.models.change_config import change_config, custom_classes
from keras_bert.models.copy_weights import assign_standard_weights, assign_weights
from keras_bert.models.text_attributes import copy_text_attributes
from keras_bert.system import total_memory

UNKNOWN_MEMORY = 2**39  # bytes; where the system does not report it


def encoder_config(encoder) -> dict:
    """Return the config of an encoder, see `keras.layers.Layer.get_config`."""
    config = {
        "config": encoder.config.to_dict(),
        "name": encoder.name,
        "dtype": keras.dtype_policies.serialize(encoder.dtype_policy),
        "trainable": encoder.trainable,
        # A saved optimizer has slots for the trainable variables only, so frozen layers must stay frozen.
        "frozen": [part.name for part in encoder.parts if not part.trainable],
    }
    blocks = list(dict.fromkeys(encoder.blocks))
    if encoder.has_custom_blocks or not all(_is_standard(encoder, *each) for each in enumerate(blocks)):
        config["has_custom_blocks"] = encoder.has_custom_blocks
        config["blocks"] = [_serialize_block(block) for block in blocks]
        config["block_states"] = [describe_states(block, block.dtype_policy.name) for block in blocks]
    for part in (encoder.embeddings, encoder.pooler):
        if part is not None and (changes := part.get_config().get("sublayers")):
            config.setdefault("sublayers", {})[part.name] = changes
    return config


def encoder_from_config(cls, config: dict):
    """Make an encoder of the class `cls` from what `encoder_config` returned. Its weights are new."""
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


def rebuild(cls, source, block=None, dtype=None, dropout=None, **kwargs):
    """Return a new encoder of this class with the weights of `source`."""
    if block is not None:
        rates = {} if dropout is None else {"hidden_dropout": dropout, "attention_dropout": dropout}
        dtype = source.dtype_policy if dtype is None else dtype
        encoder = cls(dataclasses.replace(source.config, **rates), block=block, dtype=dtype, **kwargs)
        assign_standard_weights(encoder, source)
        copy_text_attributes(source, encoder, ("vectorizer",))
        return encoder
    config = source.get_config() if isinstance(source, cls) else encoder_config(source)
    config |= {"name": None, "trainable": True, "frozen": config["frozen"] if has_lora(source) else [], **kwargs}
    with custom_classes(source):
        encoder = cls.from_config(change_config(config, dropout, dtype))
    assign_weights(encoder.weights, source.weights)
    copy_text_attributes(source, encoder, ("vectorizer",))
    return encoder


def block_arguments(config: BertConfig, index: int) -> dict:
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


def _is_standard(encoder, index: int, block) -> bool:
    """Return whether a block is the one that the constructor makes."""
    if type(block) is not TransformerBlock:
        return False
    new = TransformerBlock(
        **block_arguments(encoder.config, index), dtype=encoder.dtype_policy, trainable=block.trainable
    )
    return without_ids(block.get_config()) == without_ids(new.get_config())


def check_memory(config, policy) -> None:
    """Raise InputError if the weights of an encoder are larger than the memory of this machine."""
    embedding = config.embedding_size or config.hidden_size
    tables = (config.vocab_size + config.max_position_embeddings + config.type_vocab_size) * embedding
    block = config.hidden_size * (4 * config.hidden_size + 2 * config.intermediate_size)  # without biases and norms
    size = 2 if keras.backend.standardize_dtype(policy.variable_dtype).endswith("16") else 4
    needed = size * (tables + block * (1 if config.share_blocks else config.num_layers))
    memory = total_memory() or UNKNOWN_MEMORY
    if needed > memory:
        raise InputError(
            f"`config` must be one whose weights fit into the memory of this machine, {memory / 2**30:,.0f} GiB. "
            f"Received: a config with weights of {needed // 2**30:,} GiB"
        )
