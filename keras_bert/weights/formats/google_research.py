"""Checkpoints of google-research/bert and google-research/albert: `bert_config.json`, `bert_model.ckpt.*`, `vocab.txt`.

TensorFlow 1 wrote them, and any TensorFlow reads their tensors by name. ALBERT's config is `albert_config.json`. The
Model Garden's checkpoints lie in such folders too; see `garden`.
"""

import json
import re
from pathlib import Path

import numpy as np

from keras_bert.config import BertConfig
from keras_bert.errors import InputError
from keras_bert.files import atomic_write
from keras_bert.weights.canonical_names import model_weights, shapes
from keras_bert.weights.formats import model_garden as garden
from keras_bert.weights.source import Source
from keras_bert.weights.tensor_mapping import TensorMapping, read_json, to_ours, to_theirs

CONFIGS = ("bert_config.json", "albert_config.json")
PREFIX = "bert_model.ckpt"
SETTINGS = {  # our field: theirs
    "vocab_size": "vocab_size",
    "hidden_size": "hidden_size",
    "num_layers": "num_hidden_layers",
    "num_heads": "num_attention_heads",
    "intermediate_size": "intermediate_size",
    "max_position_embeddings": "max_position_embeddings",
    "type_vocab_size": "type_vocab_size",
    "activation": "hidden_act",
    "hidden_dropout": "hidden_dropout_prob",
    "attention_dropout": "attention_probs_dropout_prob",
    "initializer_range": "initializer_range",
}
ACTIVATIONS = {"gelu": "gelu_tanh", "relu": "relu"}  # Google's gelu is the tanh form
EMBEDDINGS = {
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
# Heads are vectors times a matrix that lies the other way round, and what fine-tuning made has the plainest names.
HEADS = {
    "bert/cls/predictions/output_bias/bias": "cls/predictions/output_bias",
    "bert/cls/seq_relationship/kernel": "cls/seq_relationship/output_weights",
    "bert/cls/seq_relationship/bias": "cls/seq_relationship/output_bias",
    "classifier/kernel": "output_weights",
    "classifier/bias": "output_bias",
    "spans/kernel": "cls/squad/output_weights",
    "spans/bias": "cls/squad/output_bias",
}
PARTS = ("encoder", "masked_lm", "classifier", "spans")  # and the sentence task's, of the same name in both
NO_WEIGHTS = ("global_step",)
SLOTS = ("/adam_m", "/adam_v", "/lamb_m", "/lamb_v")  # of the optimizer


def matches(path: Path) -> bool:
    """Whether a folder holds such a checkpoint."""
    return any((path / name).is_file() for name in CONFIGS)


def read_source(path: Path) -> Source:
    """A folder's weights, config and vocabulary.

    Raises:
        InputError: no checkpoint or several, a damaged one, a config that the weights contradict, tensors missing or
            left over.
    """
    file = next(path / name for name in CONFIGS if (path / name).is_file())
    config = read_config(settings := read_json(file), file)
    tensors, of_garden = _read_tensors(path)
    classes = np.size(tensors["output_bias"]) if "output_bias" in tensors else 2
    named = (tensors, str(path))
    parts = garden.read(config, *named) if of_garden else to_ours(tensor_mappings(config, classes), *named)
    vocabulary = None
    if (path / "vocab.txt").is_file():
        from keras_bert.text.vocabulary import load_vocabulary

        vocabulary = load_vocabulary(path / "vocab.txt")
    # Ours say it. The published folders' names do: those of google-research/bert's `validate_case_matches_checkpoint`.
    lowercase = settings.get("do_lower_case", re.search(r"(^|_)cased_", path.resolve().name) is None)
    return Source(
        str(path), "garden" if of_garden else "google", parts, lambda: config, True, vocabulary, bool(lowercase)
    )


def read_config(settings: dict, path: Path) -> BertConfig:
    """The `BertConfig` of the settings in a `bert_config.json` or `albert_config.json`.

    Raises:
        InputError: they are of no such model.
    """
    missing = [theirs for theirs in ("vocab_size", "hidden_size", "num_hidden_layers") if theirs not in settings]
    if missing:
        raise InputError(f"a config of Google's BERT says its {missing[0]}. Received: {path} without it")
    for name, value in {"num_hidden_groups": 1, "inner_group_num": 1}.items():
        if settings.get(name, value) != value:
            raise InputError(f"{name} is {value} in every model we know. Received: {settings[name]!r} in {path}")
    values = {ours: settings[theirs] for ours, theirs in SETTINGS.items() if theirs in settings}
    activation = values.get("activation", "gelu")
    if str(activation) not in ACTIVATIONS:
        raise InputError(f"an activation is one of {', '.join(ACTIVATIONS)}. Received: {activation!r} in {path}")
    values["activation"] = ACTIVATIONS[activation]
    if "embedding_size" in settings:
        values |= {"embedding_size": settings["embedding_size"], "share_blocks": True}
    return BertConfig.from_dict(values)


def save_google(model, path, vectorizer=None) -> Path:
    """Write a folder as google-research/bert does: `bert_config.json`, `bert_model.ckpt.*` and `vocab.txt`.

    Args:
        model: a `BertEncoder`, `BertPretrainer`, `BertClassifier` or `BertSpanLabeler`, BERT or ALBERT.
        path: the folder; one that is there is replaced when the new one is complete.
        vectorizer: its `BertTextVectorization`, for `vocab.txt`.

    Returns:
        The folder's path.

    Raises:
        InputError: that code has no such model: no segments, no pooler, the exact GELU, another epsilon, a head for
            tokens, several labels or numbers, a sentence task that is not its own (BERT's is the next sentence,
            ALBERT's the order).

    Source: `modeling.py` and `run_pretraining.py` of google-research/bert; of google-research/albert.
    """
    config, weights = getattr(model, "encoder", model).config, model_weights(model)
    names = {ours: theirs for theirs, ours in ACTIVATIONS.items()}
    fixed = {
        "type_vocab_size": config.type_vocab_size > 0,
        "pooler": config.pooler,
        "activation": config.activation in names,
        "layer_norm_epsilon": config.layer_norm_epsilon == 1e-12,
        "share_blocks": config.share_blocks == bool(config.embedding_size),
    }
    for field, fits in fixed.items():
        if not fits:
            raise InputError(f"Google's code has no BERT like that. Received: {field}={getattr(config, field)!r}")
    unknown = set(weights) - set(tensor_mappings(config))
    if unknown:
        raise InputError(f"Google's code has no head for {', '.join(unknown)}. Received: {type(model).__name__}")
    problem_type = getattr(model, "problem_type", "single_label")
    if problem_type != "single_label":  # the checkpoint has no place to say so, and would come back as another model
        raise InputError(f"Google's code tells one class of several. Received: problem_type={problem_type!r}")
    import keras

    ours = {
        part: {name: keras.ops.convert_to_numpy(weight) for name, weight in found.items()}
        for part, found in weights.items()
    }
    classes = len(ours["classifier"]["classifier/bias"]) if "classifier" in ours else 2
    tensors = to_theirs(tensor_mappings(config, classes), ours)
    settings = {theirs: getattr(config, field) for field, theirs in SETTINGS.items()}
    settings["hidden_act"] = names[config.activation]
    if config.embedding_size:
        settings |= {"embedding_size": config.embedding_size, "num_hidden_groups": 1, "inner_group_num": 1}
    if vectorizer is not None:
        settings["do_lower_case"] = bool(vectorizer.lowercase)  # theirs has it on the command line
    with atomic_write(path) as draft:
        draft.mkdir()
        _write_tensors(draft / PREFIX, tensors)
        file = CONFIGS[bool(config.embedding_size)]
        (draft / file).write_text(json.dumps(settings, indent=2) + "\n", encoding="utf-8")
        if vectorizer is not None:
            from keras_bert.text.vocabulary import save_vocabulary

            save_vocabulary(vectorizer.get_vocabulary(), draft / "vocab.txt")
    return Path(path)


def tensor_mappings(config: BertConfig, num_classes: int = 2) -> dict[str, list[TensorMapping]]:
    """Where each tensor of ours is in such a checkpoint."""
    names = ALBERT if config.share_blocks else BERT
    parts = (*PARTS, "sentence_order" if config.share_blocks else "next_sentence")
    layer = "bert/encoder/transformer/group_0/inner_group_0/" if config.share_blocks else "bert/encoder/layer_{}/"

    def theirs(name: str) -> str:
        if name in HEADS:
            return HEADS[name]
        prefix = ""
        if name.startswith("transformer/layer_"):
            _, number, name = name.split("/", 2)
            prefix = layer.format(number.removeprefix("layer_"))
        name, leaf = name.rsplit("/", 1)
        return prefix + names[name] + ("" if leaf == "embeddings" else f"/{leaf}")

    return {
        part: [
            TensorMapping(name, theirs(name), shape, transposed=theirs(name).endswith("output_weights"))
            for name, shape in tensors.items()
        ]
        for part, tensors in shapes(config, num_classes).items()
        if part in parts
    }


def _read_tensors(path: Path) -> tuple[dict[str, np.ndarray], bool]:
    """The weights by their names, and whether the Model Garden wrote them."""
    import tensorflow as tf

    found = sorted(path.glob("*.index"))
    if len(found) != 1:
        names = ", ".join(file.name for file in found) or "none"
        raise InputError(f"a folder with one checkpoint, {PREFIX}.index, is expected. Received: {path} with {names}")
    try:
        reader = tf.train.load_checkpoint(str(found[0].with_suffix("")))
        names = sorted(reader.get_variable_to_shape_map())
        by_place = garden.plain(names)
        kept = by_place or [name for name in names if name not in NO_WEIGHTS and not name.endswith(SLOTS)]
        tensors = {name: reader.get_tensor(name) for name in kept}
    except (tf.errors.OpError, RuntimeError, ValueError, IndexError) as error:
        line = str(error).splitlines()[0][:200]
        raise InputError(f"{found[0]}: a checkpoint that is whole is expected. Received: {line}") from None
    return (garden.merged(tensors, by_place, str(path)), True) if by_place else (tensors, False)


def _write_tensors(prefix: Path, tensors: dict[str, np.ndarray]) -> None:
    import tensorflow as tf

    names = sorted(tensors)
    tf.raw_ops.SaveV2(
        prefix=str(prefix), tensor_names=names, shape_and_slices=[""] * len(names), tensors=[tensors[n] for n in names]
    )
