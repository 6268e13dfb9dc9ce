"""Checkpoints of google-research/bert and google-research/albert: `bert_config.json`, `bert_model.ckpt.*`, `vocab.txt`.

TensorFlow 1 wrote them, and TensorFlow 2 reads their tensors by name. ALBERT's config file is `albert_config.json`.
"""

from pathlib import Path

import numpy as np

from keras_bert.config import BertConfig
from keras_bert.errors import InputError
from keras_bert.files import atomic_write
from keras_bert.models.two_classes import as_two_classes
from keras_bert.text.vocabulary import save_vocabulary
from keras_bert.weights.canonical_names import canonical_shapes, model_weights, weights_to_write
from keras_bert.weights.formats.format import Format
from keras_bert.weights.formats.google_config import (
    CONFIG_FILES,
    config_fields,
    config_file,
    nearest_config,
    read_config,
    read_vocabulary,
)
from keras_bert.weights.formats.tf_checkpoint import is_object_based, read_tensors, write_tensors
from keras_bert.weights.json_file import write_json
from keras_bert.weights.source import Source
from keras_bert.weights.tensor_mapping import TensorMapping, to_canonical, to_format

PREFIX = "bert_model.ckpt"
EMBEDDINGS = {  # canonical name: name in the checkpoint
    "word_embeddings": "bert/embeddings/word_embeddings",
    "position_embedding": "bert/embeddings/position_embeddings",
    "type_embeddings": "bert/embeddings/token_type_embeddings",
    "embeddings/layer_norm": "bert/embeddings/LayerNorm",
    "embedding_projection": "bert/encoder/embedding_hidden_mapping_in",
    "pooler_transform": "bert/pooler/dense",
    "bert/cls/predictions/transform/dense": "cls/predictions/transform/dense",
    "bert/cls/predictions/transform/LayerNorm": "cls/predictions/transform/LayerNorm",
}
BERT = {
    **EMBEDDINGS,
    "self_attention/query": "attention/self/query",
    "self_attention/key": "attention/self/key",
    "self_attention/value": "attention/self/value",
    "self_attention/attention_output": "attention/output/dense",
    "self_attention_layer_norm": "attention/output/LayerNorm",
    "intermediate": "intermediate/dense",
    "output": "output/dense",
    "output_layer_norm": "output/LayerNorm",
}
ALBERT = {
    **EMBEDDINGS,
    "self_attention/query": "attention_1/self/query",
    "self_attention/key": "attention_1/self/key",
    "self_attention/value": "attention_1/self/value",
    "self_attention/attention_output": "attention_1/output/dense",
    "self_attention_layer_norm": "LayerNorm",
    "intermediate": "ffn_1/intermediate/dense",
    "output": "ffn_1/intermediate/output/dense",
    "output_layer_norm": "LayerNorm_1",
}
# Google stores the kernels of heads transposed. The heads of fine-tuning scripts have no scope in their names.
HEAD_NAMES = {
    "bert/cls/predictions/output_bias/bias": "cls/predictions/output_bias",
    "bert/cls/seq_relationship/kernel": "cls/seq_relationship/output_weights",
    "bert/cls/seq_relationship/bias": "cls/seq_relationship/output_bias",
    "classifier/kernel": "output_weights",
    "classifier/bias": "output_bias",
    "spans/kernel": "cls/squad/output_weights",
    "spans/bias": "cls/squad/output_bias",
}
PARTS = ("encoder", "masked_lm", "classifier", "spans")  # and next_sentence of BERT, or sentence_order of ALBERT
NOT_WEIGHTS = ("global_step",)
OPTIMIZER_SUFFIXES = ("/adam_m", "/adam_v", "/lamb_m", "/lamb_v")


class GoogleResearch(Format):
    """Name-based checkpoints of TensorFlow 1, as the original code of BERT and ALBERT reads and writes them."""

    name = "google_research"
    marker_files = (f"{PREFIX}.index",)

    def nearest_config(self, config: BertConfig) -> BertConfig:
        """See `Format.nearest_config`."""
        return nearest_config(config)

    def missing_heads(self, model) -> list[str]:
        """See `Format.missing_heads`. Of classifiers, only single-label ones on the encoder's pooler can be read."""
        config = getattr(model, "encoder", model).config
        mappings = tensor_mappings(nearest_config(config))
        is_other = not config.pooler or getattr(model, "problem_type", "single_label") != "single_label"
        return [part for part in model_weights(model) if part not in mappings or (part == "classifier" and is_other)]

    def matches(self, path: Path) -> bool:
        """See `Format.matches`. The Model Garden's checkpoints have the same config file, but are object-based."""
        return config_file(path) is not None and not is_object_based(path)

    def read(self, source) -> Source:
        """See `Format.read`."""
        path = Path(source)
        config = read_config(config_file(path))
        tensors = read_tensors(path, lambda name: name not in NOT_WEIGHTS and not name.endswith(OPTIMIZER_SUFFIXES))
        num_classes = np.size(tensors["output_bias"]) if "output_bias" in tensors else 2
        vocabulary, lowercase = read_vocabulary(path)
        return Source(
            label=str(path),
            format=self.name,
            tensors=to_canonical(tensor_mappings(config, num_classes), tensors, str(path)),
            read_config=lambda: config,
            vocabulary=vocabulary,
            lowercase=lowercase,
        )

    def write(self, model, path, vectorizer=None, labels=None) -> Path:
        """See `Format.write`. The format does not store labels.

        Raises:
            InputError: the original code does not support the model: it has no segments, no pooler, the exact GELU, an
                epsilon other than 1e-12, a token classification head, a multi-label or regression head, or a sentence
                task other than next sentence for BERT and sentence order for ALBERT. Or the vectorizer has added
                tokens.
        """
        return save_google_research(model, path, vectorizer)


def save_google_research(model, path, vectorizer=None) -> Path:
    """Write `bert_config.json`, `bert_model.ckpt.*` and, with a vectorizer, `vocab.txt`; see `GoogleResearch.write`.

    Source: `modeling.py` and `run_pretraining.py` of google-research/bert and of google-research/albert.
    """
    model = as_two_classes(model)
    config, parts = getattr(model, "encoder", model).config, weights_to_write(model, "a checkpoint of google-research")
    settings = config_fields(config)
    unknown = [part for part in parts if part not in tensor_mappings(config)]
    if unknown:
        raise InputError(
            "`model` must have heads that google-research's code has. "
            f"Received: {type(model).__name__} with {', '.join(unknown)}"
        )
    problem_type = getattr(model, "problem_type", "single_label")
    if problem_type != "single_label":  # not stored in the checkpoint, so it would be read as single-label
        raise InputError(
            "`model` must be a single-label classifier: google-research's checkpoints support no other. "
            f"Received: problem_type={problem_type!r}"
        )
    arrays = parts
    num_classes = len(arrays["classifier"]["classifier/bias"]) if "classifier" in arrays else 2
    if vectorizer is not None:
        if vectorizer.added_tokens:
            raise InputError(
                "`vectorizer` must have no added tokens, which google-research's tokenizer would split. "
                f"Received: added_tokens={list(vectorizer.added_tokens)!r:.60}"
            )
        settings["do_lower_case"] = bool(vectorizer.lowercase)  # a command-line flag in google-research's code
    with atomic_write(path) as draft:
        draft.mkdir()
        write_tensors(draft / PREFIX, to_format(tensor_mappings(config, num_classes), arrays))
        write_json(draft / CONFIG_FILES[bool(config.embedding_size)], settings)
        if vectorizer is not None:
            save_vocabulary(vectorizer.get_vocabulary(), draft / "vocab.txt")
    return Path(path)


def tensor_mappings(config: BertConfig, num_classes: int = 2) -> dict[str, list[TensorMapping]]:
    """Return the mapping of each canonical tensor, by part."""
    names = ALBERT if config.share_blocks else BERT
    parts = (*PARTS, "sentence_order" if config.share_blocks else "next_sentence")
    layer = "bert/encoder/transformer/group_0/inner_group_0/" if config.share_blocks else "bert/encoder/layer_{}/"

    def format_name(name: str) -> str:
        if name in HEAD_NAMES:
            return HEAD_NAMES[name]
        prefix = ""
        if name.startswith("transformer/layer_"):
            _, number, name = name.split("/", 2)
            prefix = layer.format(number.removeprefix("layer_"))
        name, leaf = name.rsplit("/", 1)
        return prefix + names[name] + ("" if leaf == "embeddings" else f"/{leaf}")

    return {
        part: [
            TensorMapping(name, format_name(name), shape, transposed=format_name(name).endswith("output_weights"))
            for name, shape in shapes.items()
        ]
        for part, shapes in canonical_shapes(config, num_classes).items()
        if part in parts
    }
