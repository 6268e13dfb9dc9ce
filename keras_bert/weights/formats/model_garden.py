"""Checkpoints of TensorFlow's Model Garden: object-based, with google-research's config file and `vocab.txt`."""

import dataclasses
from collections.abc import Iterable
from pathlib import Path

import numpy as np

from keras_bert.config import BertConfig
from keras_bert.errors import InputError
from keras_bert.weights.canonical_names import canonical_shapes
from keras_bert.weights.formats.format import Format
from keras_bert.weights.formats.google_config import config_file, read_config, read_tokenizer
from keras_bert.weights.formats.tf_checkpoint import OBJECT_SUFFIX, is_object_based, read_shapes, read_tensors
from keras_bert.weights.messages import first_names
from keras_bert.weights.source import Source
from keras_bert.weights.tensor_mapping import TensorMapping, to_canonical
from keras_bert.weights.training_state import training_state

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
SENTENCE_HEAD_NAMES = [f"{prefix}/{leaf}" for prefix in (TRAINED_POOLER, SENTENCE_HEAD) for leaf in ("kernel", "bias")]
OBJECT_GRAPH = "_CHECKPOINTABLE_OBJECT_GRAPH"


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
        shapes = read_shapes(path)
        scope = encoder_scope(shapes, str(path))
        short = {name: short_name(name, scope) for name in shapes}
        names = [mapping.format_name for part in tensor_mappings(config).values() for mapping in part]
        by_short = {each: shapes[name] for name, each in short.items() if each is not None}
        state = {*training_state(by_short, [*names, *SENTENCE_HEAD_NAMES]), None}
        found = read_tensors(path, lambda name: short[name] not in state)
        tensors, untied = merge_duplicates(found, short)
        if not any(name.startswith((f"{TRAINED_POOLER}/", pooler_name(config))) for name in tensors):
            config = BertConfig.from_dict({**config.to_dict(), "pooler": False})
        return Source(
            label=str(path),
            format=self.name,
            tensors=read_parts(config, tensors, str(path)),
            read_config=lambda: config,
            skipped=[
                *untied,
                *(
                    name.removesuffix(OBJECT_SUFFIX)
                    for name, each in short.items()
                    if each in state and name != OBJECT_GRAPH
                ),
            ],
            **read_tokenizer(path),
        )


def encoder_scope(names: Iterable[str], source: str) -> str:
    """Return the path of the encoder in a checkpoint: `encoder/`, `model/` if it was saved alone, or another one.

    Raises:
        InputError: there are several encoders.
    """
    table = "layer_with_weights-1/embeddings" + OBJECT_SUFFIX  # of the positions; the head may have the token table
    scopes = [name.removesuffix(table) for name in names if name.endswith(table) and ".OPTIMIZER_SLOT" not in name]
    standard = [scope for scope in scopes if scope in ("encoder/", "model/")]
    if len(scopes) > 1 and len(standard) != 1:
        raise InputError(
            "`source` must contain one encoder. "
            f"Received: source={source} ({first_names(f'{scope}layer_with_weights-1' for scope in scopes)})"
        )
    return (standard or scopes or ["encoder/"])[0]


def short_name(name: str, scope: str = "encoder/") -> str | None:
    """Return the name of a tensor as in `tensor_mappings`; None if it is not a weight of the model.

    With a masked-LM head, the token table may be stored as the head's tied table.

    Args:
        name: the name in the checkpoint.
        scope: the result of `encoder_scope`.

    Example:

    >>> short_name("model/layer_with_weights-6/bias/.ATTRIBUTES/VARIABLE_VALUE", "model/")
    'encoder/layer_with_weights-6/bias'
    >>> short_name("optimizer/iter/.ATTRIBUTES/VARIABLE_VALUE") is None
    True
    """
    short = name.removesuffix(OBJECT_SUFFIX)
    if short == name or short.startswith("optimizer/") or ".OPTIMIZER_SLOT" in name:
        return None
    if short.startswith(scope) and not short.startswith("model/classification_heads/"):
        short = "encoder/" + short.removeprefix(scope)
    else:
        outer = scope[: scope.rstrip("/").rfind("/") + 1]  # such as "pretrainer/" of "pretrainer/encoder/"
        short = short.removeprefix(outer)
        short = f"model/{short}" if short.startswith("classification_heads/") else short
    return short


def merge_duplicates(tensors: dict[str, np.ndarray], names: dict[str, str]) -> tuple[dict[str, np.ndarray], list[str]]:
    """Rename a checkpoint's tensors to the names of `tensor_mappings`.

    Args:
        tensors: name in the checkpoint to array.
        names: name in the checkpoint to the result of `short_name`.

    Returns:
        A dict of name to array; and the names of a masked-LM head that is left out, because its token table is not
        that of the encoder.
    """
    found = {names[name]: tensor for name, tensor in tensors.items()}
    tied = found.pop(TIED_TABLE, None)
    if tied is None or np.array_equal(tied, found.setdefault(TOKEN_TABLE, tied)):
        return found, []
    untied = [name for name in found if name.startswith("masked_lm/")]
    return {name: tensor for name, tensor in found.items() if name not in untied}, [TIED_TABLE, *untied]


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


def pooler_name(config: BertConfig) -> str:
    """Return the name of the encoder's pooler, which is its last layer."""
    kernel = BertConfig.from_dict({**config.to_dict(), "pooler": True})
    names = {mapping.canonical_name: mapping.format_name for mapping in tensor_mappings(kernel)["encoder"]}
    return names["pooler_transform/kernel"].removesuffix("kernel")


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
