"""Checkpoints of TensorFlow's Model Garden: object-based, with google-research's config file and `vocab.txt`."""

import dataclasses
from pathlib import Path

import numpy as np

from keras_bert.config import BertConfig
from keras_bert.errors import InputError
from keras_bert.weights.canonical_names import canonical_shapes
from keras_bert.weights.formats.format import Format
from keras_bert.weights.formats.google_config import config_file, read_config, read_tokenizer
from keras_bert.weights.formats.tf_checkpoint import OBJECT_SUFFIX, is_object_based, read_tensors
from keras_bert.weights.source import Source
from keras_bert.weights.tensor_mapping import TensorMapping, to_canonical

BLOCK = {  # canonical name: name in the checkpoint
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
TOKEN_TABLE, TIED_TABLE = "encoder/layer_with_weights-0/embeddings", "masked_lm/embedding_table"
# Google's pretrainer trains the pooler inside its next-sentence head; the encoder may contain an untrained one as well.
TRAINED_POOLER, SENTENCE_HEAD = "next_sentence..pooler_dense", "model/classification_heads/0/out_proj"
NOT_WEIGHTS = ("_CHECKPOINTABLE_OBJECT_GRAPH", "save_counter", "global_step")


class ModelGarden(Format):
    """Object-based checkpoints of BERT and ALBERT, as `tf.train.Checkpoint` in the Model Garden writes them."""

    name = "model_garden"
    marker_files = ("bert_config.json", "bert_model.ckpt.index")

    def matches(self, path: Path) -> bool:
        """See `Format.matches`."""
        return config_file(path) is not None and is_object_based(path)

    def read(self, source) -> Source:
        """See `Format.read`."""
        path = Path(source)
        config = read_config(config_file(path))
        tensors = merge_duplicates(read_tensors(path, lambda name: short_name(name) is not None), str(path))
        return Source(
            label=str(path),
            format=self.name,
            tensors=read_parts(config, tensors, str(path)),
            read_config=lambda: config,
            **read_tokenizer(path),
        )


def short_name(name: str) -> str | None:
    """Return the name of a tensor as in `tensor_mappings`; None if it is not a weight of the model.

    The encoder is called `encoder`, or `model` if it was saved alone. With a masked-LM head, the token table may be
    stored as the head's tied table.

    Example:

    >>> short_name("model/layer_with_weights-6/bias/.ATTRIBUTES/VARIABLE_VALUE")
    'encoder/layer_with_weights-6/bias'
    >>> short_name("save_counter/.ATTRIBUTES/VARIABLE_VALUE") is None
    True
    """
    short = name.removesuffix(OBJECT_SUFFIX)
    if short == name or short in NOT_WEIGHTS or short.startswith("optimizer/") or ".OPTIMIZER_SLOT" in name:
        return None
    if short.startswith("model/") and not short.startswith("model/classification_heads/"):
        short = "encoder/" + short.removeprefix("model/")
    return TOKEN_TABLE if short == TIED_TABLE else short


def merge_duplicates(tensors: dict[str, np.ndarray], source: str) -> dict[str, np.ndarray]:
    """Rename a checkpoint's tensors to the names of `tensor_mappings`.

    Args:
        tensors: name in the checkpoint to array.
        source: name of the source in error messages.

    Raises:
        InputError: the token table is stored twice, with different values.
    """
    found, first = {}, {}
    for name, tensor in tensors.items():
        short = short_name(name)
        if short in found and not np.array_equal(tensor, found[short]):
            one, two = first[short].removesuffix(OBJECT_SUFFIX), name.removesuffix(OBJECT_SUFFIX)
            raise InputError(
                f"`source` must contain tied weights: {one} and {two} must be identical. "
                f"Received: source={source} (different values)"
            )
        found[short], first[short] = tensor, name
    return found


def read_parts(config: BertConfig, tensors: dict[str, np.ndarray], source: str) -> dict[str, dict]:
    """Convert a checkpoint's tensors to canonical ones, by part.

    If the next-sentence head has a pooler, that one was trained and is used. Google's exporter does the same:
    `copy_pooler_dense_to_encoder` in official/nlp/tools/export_tfhub_lib.py.

    Args:
        config: the encoder's `BertConfig`.
        tensors: dict of name to array, the result of `merge_duplicates`.
        source: name of the source in error messages.

    Raises:
        InputError: a tensor is missing, unexpected or has another shape.
    """
    mappings = tensor_mappings(config)
    if any(name.startswith(f"{TRAINED_POOLER}/") for name in tensors):
        pooler = {m.canonical_name.rsplit("/", 1)[1]: m for m in mappings["encoder"] if "pooler_" in m.canonical_name}
        unused = {mapping.format_name for mapping in pooler.values()}
        tensors = {name: tensor for name, tensor in tensors.items() if name not in unused}
        mappings["encoder"] = [
            *(mapping for mapping in mappings["encoder"] if mapping.format_name not in unused),
            *(dataclasses.replace(m, format_name=f"{TRAINED_POOLER}/{leaf}") for leaf, m in pooler.items()),
        ]
        if not config.share_blocks:  # ALBERT's head is not for next sentence prediction
            mappings["next_sentence"] = [
                TensorMapping(name, f"{SENTENCE_HEAD}/{name.rsplit('/', 1)[1]}", shape, merged_heads=False)
                for name, shape in canonical_shapes(config)["next_sentence"].items()
            ]
    return to_canonical(mappings, tensors, source)


def tensor_mappings(config: BertConfig) -> dict[str, list[TensorMapping]]:
    """Return the mapping of each canonical tensor, by part; the checkpoint numbers the encoder's layers."""
    order = ["word_embeddings", "position_embedding", "type_embeddings", "embeddings/layer_norm"]
    order += ["embedding_projection"] if config.embedding_size else []
    order += [f"transformer/layer_{i}" for i in range(1 if config.share_blocks else config.num_layers)]
    order += ["pooler_transform"]

    def format_name(name: str) -> str:
        layer, leaf = name.rsplit("/", 1)
        sublayer = ""
        if layer.startswith("transformer/"):
            first, number, part = layer.split("/", 2)
            layer, sublayer = f"{first}/{number}", f"{BLOCK[part]}/"
        return f"encoder/layer_with_weights-{order.index(layer)}/{sublayer}{leaf}"

    return {
        part: [
            TensorMapping(name, MASKED_LM.get(name) or format_name(name), shape, merged_heads=False)
            for name, shape in canonical_shapes(config)[part].items()
        ]
        for part in ("encoder", "masked_lm")
    }
