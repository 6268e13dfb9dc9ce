"""Hugging Face's folders: `config.json`, `model.safetensors` or `pytorch_model.bin`, `vocab.txt`; in and out."""

import json
from pathlib import Path

import numpy as np

from keras_bert.config import BertConfig
from keras_bert.errors import InputError
from keras_bert.files import atomic_write
from keras_bert.weights.canonical_names import model_weights
from keras_bert.weights.formats.huggingface_names import (
    ARCHITECTURES,
    CLASSIFIER_DROPOUT,
    kind_of,
    read_classifier_dropout,
    read_config,
    tensor_mappings,
    write_config,
)
from keras_bert.weights.source import Source
from keras_bert.weights.tensor_mapping import read_json, to_ours, to_theirs

CLASS = {"bert": "Bert", "distilbert": "DistilBert", "albert": "Albert"}
# The output table, tied to the word table: some files store it again, and its bias. And numbers that are no weights.
TIED = {
    "bert": ("cls.predictions.decoder", "cls.predictions.bias"),
    "distilbert": ("vocab_projector", "vocab_projector.bias"),
    "albert": ("predictions.decoder", "predictions.bias"),
}
PROBLEM_TYPES = {
    "single_label_classification": "single_label",
    "multi_label_classification": "multi_label",
    "regression": "regression",
}
WEIGHTS = ("model.safetensors", "pytorch_model.bin")
NO_WEIGHTS = ("embeddings.position_ids", "embeddings.token_type_ids")


def matches(path: Path) -> bool:
    """Whether a folder is one of Hugging Face's."""
    if not (path / "config.json").is_file() or (path / "model.keras").is_file():
        return False
    return any((path / name).is_file() for name in WEIGHTS) or b'"model_type"' in (path / "config.json").read_bytes()


def read_source(path: Path) -> Source:
    """A folder's weights, config and vocabulary.

    Raises:
        InputError: an unknown model type, a config that the weights contradict, a damaged file, tensors missing or left
            over.
    """
    settings = read_json(path / "config.json")
    config = read_config(settings, str(path))
    kind = settings["model_type"]
    tensors = _read_tensors(path)
    tensors = _by_plain_name(tensors, kind, path)
    if config.pooler and not any(name.startswith("pooler.") for name in tensors):
        config = BertConfig.from_dict({**config.to_dict(), "pooler": False})  # as ForMaskedLM and others are
    _drop_tied(tensors, kind, path)
    task = "tokens" if "TokenClassification" in str(settings.get("architectures")) else "classifier"
    classes = np.size(tensors.get("classifier.bias", (0, 0)))
    heads = tensor_mappings(kind, config, classes)
    del heads["classifier" if task == "tokens" else "tokens"]  # both are called classifier there
    parts = to_ours(heads, tensors, str(path))
    labels = settings.get("id2label") if task in parts else None
    if labels:
        if not isinstance(labels, dict) or not all(key.isdecimal() for key in labels):
            raise InputError(f"id2label is an object of numbers to names. Received: {labels!r:.60} in {path}")
        labels = [str(labels[key]) for key in sorted(labels, key=int)]
        if len(labels) != classes:
            raise InputError(f"a label for each of {classes} classes is expected. Received: {len(labels)} in {path}")
    vocabulary, lowercase = _vocabulary(path)
    problem_type = PROBLEM_TYPES.get(
        str(settings.get("problem_type")), "regression" if classes == 1 else "single_label"
    )
    rate = read_classifier_dropout(settings, task, str(path)) if task in parts else None
    return Source(
        str(path), "huggingface", parts, lambda: config, True, vocabulary, lowercase, labels, problem_type, rate
    )


def save_huggingface(model, path, vectorizer=None, labels=None) -> Path:
    """Write a folder that transformers reads, `from_pretrained(path)`.

    The rate of dropout before a classifier goes along; a DistilBERT that tags has no field for it, only the encoder's.

    Args:
        model: a `BertEncoder` or a model on one.
        path: the folder; one that is there is replaced when the new one is complete.
        vectorizer: its `BertTextVectorization`, for `vocab.txt`.
        labels: the classes' names.

    Returns:
        The folder's path.

    Raises:
        InputError: the encoder is no BERT, DistilBERT or ALBERT, or has blocks of its own, or a DistilBERT has another
            epsilon than 1e-12; the model has a sentence
            task that is not theirs (BERT's is the next sentence, ALBERT's the order).

    Example:

    >>> import tempfile, keras_bert as kb
    >>> config = kb.BertConfig(vocab_size=10, hidden_size=8, num_layers=1, num_heads=2, intermediate_size=16)
    >>> folder = save_huggingface(kb.BertEncoder(config), tempfile.mkdtemp() + "/bert")
    >>> sorted(file.name for file in folder.iterdir())
    ['config.json', 'model.safetensors']

    Source: `modeling_bert.py`, `modeling_distilbert.py` and `modeling_albert.py` of huggingface/transformers.
    """
    from safetensors.numpy import save_file

    config = getattr(model, "encoder", model).config
    kind, parts = kind_of(config), model_weights(model)
    heads = tuple(part for part in parts if part != "encoder")
    architecture = ARCHITECTURES.get(heads)
    if not set(heads) <= set(tensor_mappings(kind, config, 2)):
        raise InputError(f"{CLASS[kind]}ForPreTraining has another sentence task. Received: {', '.join(heads)}")
    if architecture is None or (kind != "distilbert" and "classifier" in heads and not config.pooler):
        raise InputError(f"a model with the heads of one of Hugging Face's is expected. Received: {', '.join(heads)}")
    ours = {part: {name: _numpy(weight) for name, weight in weights.items()} for part, weights in parts.items()}
    classes = len(ours.get("classifier", ours.get("tokens", {})).get(f"{heads[0]}/bias", (0, 0))) if heads else 2
    where = tensor_mappings(kind, config, classes)
    tensors = to_theirs({"encoder": where["encoder"]}, ours)
    if heads:
        tensors = {f"{kind}.{name}": value for name, value in tensors.items()}
        tensors |= to_theirs({part: where[part] for part in heads}, ours)
    settings = {"architectures": [CLASS[kind] + architecture], **write_config(config, kind)}
    if heads and heads[0] in ("classifier", "tokens"):
        labels = labels or [f"LABEL_{i}" for i in range(classes)]
        if heads[0] in CLASSIFIER_DROPOUT[kind]:
            settings[CLASSIFIER_DROPOUT[kind][heads[0]]] = model.dropout_rate
        settings |= {
            "id2label": {str(i): label for i, label in enumerate(labels)},
            "label2id": {label: i for i, label in enumerate(labels)},
        }
    if heads == ("classifier",):
        settings["problem_type"] = next(theirs for theirs, ours in PROBLEM_TYPES.items() if ours == model.problem_type)
    with atomic_write(path) as draft:
        draft.mkdir()
        save_file(tensors, draft / "model.safetensors", metadata={"format": "pt"})
        _write_json(draft / "config.json", settings)
        if vectorizer is not None:
            from keras_bert.text.vocabulary import save_vocabulary

            save_vocabulary(vectorizer.get_vocabulary(), draft / "vocab.txt")
            _write_json(
                draft / "tokenizer_config.json",
                {"tokenizer_class": "BertTokenizer", "do_lower_case": bool(vectorizer.lowercase)},
            )
    return Path(path)


def _read_tensors(path: Path) -> dict[str, np.ndarray]:
    if (path / "model.safetensors").is_file():
        from safetensors import SafetensorError
        from safetensors.numpy import load_file

        try:
            return load_file(path / "model.safetensors")
        except (SafetensorError, OSError, ValueError, KeyError, AttributeError) as error:  # or float8, say
            line = str(error).splitlines()[0]
            raise InputError(
                f"{path / 'model.safetensors'}: a file that is whole is expected. Received: {line}"
            ) from None
    if (path / "pytorch_model.bin").is_file():
        from keras_bert.weights.formats.pytorch_bin import read_bin

        return read_bin(path / "pytorch_model.bin")
    raise InputError(f"a folder with model.safetensors or pytorch_model.bin is expected. Received: {path} with neither")


def _by_plain_name(tensors: dict, kind: str, path: Path) -> dict:
    found, names = {}, {}
    for name, value in tensors.items():
        if name.endswith(NO_WEIGHTS):
            continue
        plain = _plain(name, kind)
        if plain in found:
            raise InputError(f"one tensor of a name is expected. Received: {names[plain]} and {name} in {path}")
        found[plain], names[plain] = value, name
    return found


def _plain(name: str, kind: str) -> str:
    """A tensor's name without the prefix of models with heads, and with LayerNorm's parts as they are called today."""
    name = name.removeprefix(f"{kind}.")
    return name.replace("LayerNorm.gamma", "LayerNorm.weight").replace("LayerNorm.beta", "LayerNorm.bias")


def _drop_tied(tensors: dict, kind: str, path: Path) -> None:
    decoder, bias = TIED[kind]
    for again, once in ((f"{decoder}.weight", "embeddings.word_embeddings.weight"), (f"{decoder}.bias", bias)):
        if again in tensors and again != once:
            if once in tensors and not np.array_equal(tensors[again], tensors[once]):
                raise InputError(f"{again} is {once} again in a BERT. Received: another one in {path}")
            del tensors[again]


def _vocabulary(path: Path) -> tuple[list[str] | None, bool]:
    from keras_bert.text.vocabulary import load_vocabulary

    settings = read_json(path / "tokenizer_config.json") if (path / "tokenizer_config.json").is_file() else {}
    lowercase = bool(settings.get("do_lower_case", True))
    if (path / "vocab.txt").is_file():
        return load_vocabulary(path / "vocab.txt"), lowercase
    return None, lowercase


def _numpy(weight) -> np.ndarray:
    import keras

    return keras.ops.convert_to_numpy(weight).astype(np.float32)


def _write_json(path: Path, values: dict) -> None:
    path.write_text(json.dumps(values, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
