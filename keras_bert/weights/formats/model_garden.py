"""Checkpoints of TensorFlow's Model Garden: tensors by their place among the layers, beside Google's config."""

import dataclasses

import numpy as np

from keras_bert.config import BertConfig
from keras_bert.errors import InputError
from keras_bert.weights.canonical_names import shapes
from keras_bert.weights.tensor_mapping import TensorMapping, to_ours

ENDING = "/.ATTRIBUTES/VARIABLE_VALUE"  # of every tensor that `tf.train.Checkpoint` writes
BLOCK = {
    "self_attention/query": "_attention_layer/_query_dense",
    "self_attention/key": "_attention_layer/_key_dense",
    "self_attention/value": "_attention_layer/_value_dense",
    "self_attention/attention_output": "_attention_layer/_output_dense",
    "self_attention_layer_norm": "_attention_layer_norm",
    "intermediate": "_intermediate_dense",
    "output": "_output_dense",
    "output_layer_norm": "_output_layer_norm",
}
MASKED_LM = {
    "bert/cls/predictions/output_bias/bias": "masked_lm/output_bias.Sbias",
    "bert/cls/predictions/transform/dense/kernel": "masked_lm/dense/kernel",
    "bert/cls/predictions/transform/dense/bias": "masked_lm/dense/bias",
    "bert/cls/predictions/transform/LayerNorm/gamma": "masked_lm/layer_norm/gamma",
    "bert/cls/predictions/transform/LayerNorm/beta": "masked_lm/layer_norm/beta",
}
TABLE, TIED = "encoder/layer_with_weights-0/embeddings", "masked_lm/embedding_table"
# The next-sentence head of Google's pretrainer has the pooler that was trained; the encoder's own may lie beside it.
HEAD_POOLER, HEAD = "next_sentence..pooler_dense", "model/classification_heads/0/out_proj"
NO_WEIGHTS = ("_CHECKPOINTABLE_OBJECT_GRAPH", "save_counter", "global_step")


def plain(names) -> dict[str, str]:
    """From the names of weights in such a checkpoint to those of `tensor_mappings`; empty for a checkpoint of TensorFlow 1.

    Its encoder is called `encoder` or, where it was saved alone, `model`; with a masked-word head the word table is the
    head's.

    Example:

    >>> plain(["model/layer_with_weights-6/bias/.ATTRIBUTES/VARIABLE_VALUE", "save_counter/.ATTRIBUTES/VARIABLE_VALUE"])
    {'model/layer_with_weights-6/bias/.ATTRIBUTES/VARIABLE_VALUE': 'encoder/layer_with_weights-6/bias'}
    """
    found = {}
    for name in names:
        short = name.removesuffix(ENDING)
        if short == name or short in NO_WEIGHTS or short.startswith("optimizer/") or ".OPTIMIZER_SLOT" in name:
            continue
        if short.startswith("model/") and not short.startswith("model/classification_heads/"):
            short = "encoder/" + short.removeprefix("model/")
        found[name] = TABLE if short == TIED else short
    return found


def merged(tensors: dict[str, np.ndarray], names: dict[str, str], source: str) -> dict[str, np.ndarray]:
    """A checkpoint's tensors by the names of `tensor_mappings`.

    Args:
        tensors: by their names there.
        names: as `plain` gives them.
        source: what to call it in errors.

    Raises:
        InputError: the word table is there twice, as two tables.
    """
    found, first = {}, {}
    for name, short in names.items():
        tensor = tensors[name]
        if short in found and not np.array_equal(tensor, found[short]):
            one, two = first[short].removesuffix(ENDING), name.removesuffix(ENDING)
            raise InputError(f"{one} and {two} are one tensor in a BERT. Received: two that differ in {source}")
        found[short], first[short] = tensor, name
    return found


def read(config: BertConfig, tensors: dict[str, np.ndarray], source: str) -> dict[str, dict]:
    """A checkpoint's tensors by our names, by part.

    Where the next-sentence head has a pooler it is the one that was trained, and becomes ours: the encoder's own was
    not used. So does `copy_pooler_dense_to_encoder` of Google's exporter, official/nlp/tools/export_tfhub_lib.py.

    Args:
        config: the encoder's.
        tensors: as `merged` gives them.
        source: what to call it in errors.

    Raises:
        InputError: a tensor is missing, left over or of another shape.
    """
    where = tensor_mappings(config)
    if any(name.startswith(f"{HEAD_POOLER}/") for name in tensors):
        own = {place.ours.rsplit("/", 1)[1]: place for place in where["encoder"] if "pooler_transform" in place.ours}
        unused = {place.theirs for place in own.values()}
        tensors = {name: tensor for name, tensor in tensors.items() if name not in unused}
        heads = [dataclasses.replace(place, theirs=f"{HEAD_POOLER}/{leaf}") for leaf, place in own.items()]
        where["encoder"] = [place for place in where["encoder"] if place.theirs not in unused] + heads
        if not config.share_blocks:  # an ALBERT's would be of the order
            found = shapes(config)["next_sentence"]
            where["next_sentence"] = [
                TensorMapping(name, f"{HEAD}/{name.rsplit('/', 1)[1]}", shape, flat=False)
                for name, shape in found.items()
            ]
    return to_ours(where, tensors, source)


def tensor_mappings(config: BertConfig) -> dict[str, list[TensorMapping]]:
    """Where each tensor of ours is: the encoder's layers are counted."""
    order = ["word_embeddings", "position_embedding", "type_embeddings", "embeddings/layer_norm"]
    order += ["embedding_projection"] if config.embedding_size else []
    order += [f"transformer/layer_{i}" for i in range(1 if config.share_blocks else config.num_layers)]
    order += ["pooler_transform"]

    def theirs(name: str) -> str:
        layer, leaf = name.rsplit("/", 1)
        inside = ""
        if layer.startswith("transformer/"):
            head, number, part = layer.split("/", 2)
            layer, inside = f"{head}/{number}", f"{BLOCK[part]}/"
        return f"encoder/layer_with_weights-{order.index(layer)}/{inside}{leaf}"

    parts = shapes(config)
    encoder = [TensorMapping(name, theirs(name), shape, flat=False) for name, shape in parts["encoder"].items()]
    head = [TensorMapping(name, MASKED_LM[name], shape, flat=False) for name, shape in parts["masked_lm"].items()]
    return {"encoder": encoder, "masked_lm": head}
