"""Checkpoints of google-research/bert and google-research/albert: `bert_config.json`, `bert_model.ckpt.*`, `vocab.txt`.

TensorFlow 1 wrote them, and TensorFlow 2 reads their tensors by name. ALBERT's config file is `albert_config.json`.
"""

import math
from collections.abc import Iterable
from pathlib import Path

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
    read_tokenizer,
)
from keras_bert.weights.formats.tf_checkpoint import is_object_based, read_shapes, read_tensors, write_tensors
from keras_bert.weights.json_file import write_json
from keras_bert.weights.messages import first_names
from keras_bert.weights.source import Source
from keras_bert.weights.tensor_mapping import TensorMapping, to_canonical, to_format
from keras_bert.weights.training_state import training_state

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
TOKEN_TABLE, ENCODER_SCOPES = "embeddings/word_embeddings", ("embeddings", "encoder", "pooler")


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
        plain = plain_names(read_shapes(path), str(path))  # name in the file: name in `tensor_mappings`
        shapes = {plain[name]: shape for name, shape in read_shapes(path).items()}
        if not any(name.startswith("bert/pooler/") for name in shapes):
            config = BertConfig.from_dict({**config.to_dict(), "pooler": False})
        num_classes = math.prod(shapes["output_bias"]) if "output_bias" in shapes else 2
        mappings = tensor_mappings(config, num_classes)
        names = [mapping.format_name for part in mappings.values() for mapping in part]
        state = set(training_state(shapes, names))
        found = read_tensors(path, lambda name: plain[name] not in state)
        tensors = {plain[name]: tensor for name, tensor in found.items()}
        return Source(
            label=str(path),
            format=self.name,
            tensors=to_canonical(mappings, tensors, str(path)),
            read_config=lambda: config,
            skipped=[name for name, short in plain.items() if short in state],
            **read_tokenizer(path),
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


def plain_names(names: Iterable[str], source: str) -> dict[str, str]:
    """Map the names in a checkpoint to those of the original code, without the scope of another program.

    Raises:
        InputError: there are several encoders.

    Example:

    >>> plain_names(["student/bert/embeddings/word_embeddings", "student/cls/predictions/output_bias"], "a folder")
    ... # doctest: +NORMALIZE_WHITESPACE
    {'student/bert/embeddings/word_embeddings': 'bert/embeddings/word_embeddings',
     'student/cls/predictions/output_bias': 'cls/predictions/output_bias'}
    """
    names = list(names)
    scopes = [
        name.removesuffix(TOKEN_TABLE) for name in names if name.endswith(f"/{TOKEN_TABLE}") or name == TOKEN_TABLE
    ]
    if len(scopes) > 1 and "bert/" not in scopes:
        raise InputError(
            "`source` must contain one encoder. "
            f"Received: source={source} ({first_names(f'{scope}{TOKEN_TABLE}' for scope in scopes)})"
        )
    scope = "bert/" if "bert/" in scopes or not scopes else scopes[0]  # such as "student/bert/"
    outer = scope.removesuffix("bert/") if scope.endswith("bert/") else scope[: scope.rstrip("/").rfind("/") + 1]

    def plain(name: str) -> str:
        rest = name.removeprefix(scope) if name.startswith(scope) else ""
        return f"bert/{rest}" if rest.split("/")[0] in ENCODER_SCOPES else name.removeprefix(outer)

    return {name: plain(name) for name in names}


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
        changes = vectorizer.splitting.changes()
        # The original code has 200 as a constant. Only words of more characters than the model's limit differ.
        settings |= {name: changes.pop(name) for name in ("max_word_length",) if name in changes}
        if changes:
            raise InputError(
                "`vectorizer` must split texts as google-research's tokenizer does. "
                f"Received: {', '.join(f'{name}={value!r}' for name, value in changes.items())}"
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
        if part in parts and (config.pooler or part != "classifier")  # the original classifier needs the pooler
    }
