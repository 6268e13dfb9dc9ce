"""Reader and writer of the config files of google-research/bert and google-research/albert.

The checkpoints of the Model Garden have the same config files.
"""

import dataclasses
import re
from pathlib import Path

from keras_bert.config import BertConfig
from keras_bert.errors import InputError
from keras_bert.text.splitting import Splitting
from keras_bert.text.vocabulary import load_vocabulary
from keras_bert.weights.json_file import read_json

CONFIG_FILES = ("bert_config.json", "albert_config.json")
FIELDS = {  # field of BertConfig: field of the file
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
ACTIVATIONS = {"gelu": "gelu_tanh", "relu": "relu"}  # Google's gelu is the tanh approximation


def config_file(path: Path) -> Path | None:
    """Return the path of the config file in a folder, or None."""
    return next((path / name for name in CONFIG_FILES if (path / name).is_file()), None)


def read_config(file: Path) -> BertConfig:
    """Read the `BertConfig` from a `bert_config.json` or an `albert_config.json`.

    Raises:
        InputError: the file is damaged or describes another model.
    """
    settings = read_json(file)
    missing = [name for name in ("vocab_size", "hidden_size", "num_hidden_layers") if name not in settings]
    if missing:
        raise InputError(
            f"`path` must be a BERT config with {missing[0]}. Received: path={file} ({missing[0]} is missing)"
        )
    for name, value in {"num_hidden_groups": 1, "inner_group_num": 1}.items():
        if settings.get(name, value) != value:
            raise InputError(f"`{name}` must be {value}. Received: {name}={settings[name]!r} in {file}")
    values = {field: settings[name] for field, name in FIELDS.items() if name in settings}
    activation = values.get("activation", "gelu")
    if str(activation) not in ACTIVATIONS:
        names = ", ".join(ACTIVATIONS)
        raise InputError(f"`hidden_act` must be one of {names}. Received: hidden_act={activation!r} in {file}")
    values["activation"] = ACTIVATIONS[activation]
    if "embedding_size" in settings:
        values |= {"embedding_size": settings["embedding_size"], "share_blocks": True}
    return BertConfig.from_dict(values)


def nearest_config(config: BertConfig) -> BertConfig:
    """Return the nearest config that google-research's code supports."""
    return dataclasses.replace(
        config,
        activation=config.activation if config.activation in ACTIVATIONS.values() else "gelu_tanh",
        layer_norm_epsilon=1e-12,
        pooler=True,
        type_vocab_size=config.type_vocab_size or 2,
    )


def config_fields(config: BertConfig) -> dict:
    """Return the fields to write to a config file.

    Raises:
        InputError: google-research's code does not support a model with this config.
    """
    names = {value: name for name, value in ACTIVATIONS.items()}
    supported = {
        "type_vocab_size": config.type_vocab_size > 0,
        "pooler": config.pooler,
        "activation": config.activation in names,
        "layer_norm_epsilon": config.layer_norm_epsilon == 1e-12,
        "share_blocks": config.share_blocks == bool(config.embedding_size),
    }
    for field, is_supported in supported.items():
        if not is_supported:
            raise InputError(
                f"`model` must be one that google-research's code supports. "
                f"Received: {field}={getattr(config, field)!r}"
            )
    settings = {name: getattr(config, field) for field, name in FIELDS.items()}
    settings["hidden_act"] = names[config.activation]
    if config.embedding_size:
        settings |= {"embedding_size": config.embedding_size, "num_hidden_groups": 1, "inner_group_num": 1}
    return settings


def read_tokenizer(path: Path) -> dict:
    """Read the `vocabulary` of a folder, or None without one, `lowercase` and `splitting`.

    This package writes `do_lower_case` and `max_word_length` to the config file. Google's files do not have them: the
    name of a published folder shows whether the model is cased, as in `validate_case_matches_checkpoint` of
    google-research/bert.

    Raises:
        InputError: a file is damaged.
    """
    settings = read_json(config_file(path))
    lowercase = settings.get("do_lower_case", re.search(r"(^|_)cased_", path.resolve().name) is None)
    if not isinstance(lowercase, bool):
        raise InputError(f"`do_lower_case` must be true or false. Received: do_lower_case={lowercase!r:.40} in {path}")
    file = path / "vocab.txt"
    return {
        "vocabulary": load_vocabulary(file) if file.is_file() else None,
        "lowercase": lowercase,
        "splitting": Splitting.from_dict(settings),
    }
