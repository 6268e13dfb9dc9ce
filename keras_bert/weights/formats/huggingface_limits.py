"""What Hugging Face's format cannot express: the nearest config that it can, and the heads that it does not store."""

import dataclasses

from keras_bert.config import BertConfig
from keras_bert.weights.canonical_names import model_weights
from keras_bert.weights.formats.huggingface_names import ARCHITECTURES, model_type_of, tensor_mappings


def nearest_config(config: BertConfig) -> BertConfig:
    """Return the nearest config that Hugging Face's format can express.

    A model without segments is a DistilBERT, which has a fixed epsilon and no pooler. With a pooler it becomes a BERT
    with segments.
    """
    if config.type_vocab_size > 0:
        return config
    if config.pooler:
        return dataclasses.replace(config, type_vocab_size=2)
    return dataclasses.replace(config, layer_norm_epsilon=1e-12)


def missing_heads(model) -> list[str]:
    """Return the heads of a model for which transformers has no class.

    Args:
        model: a `BertEncoder`, or a task model that contains one.

    Raises:
        InputError: the encoder is not a BERT, DistilBERT or ALBERT.
    """
    config = nearest_config(getattr(model, "encoder", model).config)
    heads = tuple(part for part in model_weights(model) if part != "encoder")
    has_names = set(heads) <= set(tensor_mappings(model_type_of(config), config, 2)) and heads in ARCHITECTURES
    has_pooler = "classifier" not in heads or config.type_vocab_size == 0 or config.pooler
    return [] if has_names and has_pooler else list(heads)
