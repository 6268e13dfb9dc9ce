"""Hugging Face's folders: `config.json`, `model.safetensors` or `pytorch_model.bin`, and `vocab.txt`."""

import dataclasses
from pathlib import Path

import numpy as np

from keras_bert.config import BertConfig
from keras_bert.errors import InputError
from keras_bert.files import atomic_write
from keras_bert.models.two_classes import as_two_classes
from keras_bert.weights.canonical_names import weights_to_write
from keras_bert.weights.formats.format import Format
from keras_bert.weights.formats.huggingface_limits import missing_heads, nearest_config
from keras_bert.weights.formats.huggingface_names import (
    ARCHITECTURES,
    CLASSIFIER_DROPOUT,
    model_type_of,
    read_classifier_dropout,
    read_config,
    tensor_mappings,
    write_config,
)
from keras_bert.weights.formats.huggingface_tokenizer import Tokenizer, read_tokenizer, write_tokenizer
from keras_bert.weights.formats.huggingface_weights import drop_tied, has_weights, read_settings, read_weights
from keras_bert.weights.formats.sentence_transformers import MODULES, SentenceModel, read_modules
from keras_bert.weights.formats.tokenizer_json import OtherTokenizer
from keras_bert.weights.json_file import read_json, write_json
from keras_bert.weights.source import Source
from keras_bert.weights.tensor_mapping import to_canonical, to_format
from keras_bert.weights.training_state import training_state

CLASS_PREFIXES = {"bert": "Bert", "distilbert": "DistilBert", "albert": "Albert"}
PROBLEM_TYPES = {  # value in config.json: value in BertClassifier
    "single_label_classification": "single_label",
    "multi_label_classification": "multi_label",
    "regression": "regression",
}


class HuggingFace(Format):
    """Folders of BERT, DistilBERT and ALBERT, as `save_pretrained` of transformers writes them."""

    name = "huggingface"
    marker_files = ("config.json", "model.safetensors")

    def nearest_config(self, config: BertConfig) -> BertConfig:
        """See `Format.nearest_config`."""
        return nearest_config(config)

    def missing_heads(self, model) -> list[str]:
        """See `Format.missing_heads`."""
        return missing_heads(model)

    def matches(self, path: Path) -> bool:
        """See `Format.matches`. A folder without its weight file matches too; `read` names the missing file."""
        if (path / MODULES).is_file():
            return True
        if not (path / "config.json").is_file() or (path / "model.keras").is_file():
            return has_weights(path) and (path / "bert_config.json").is_file()
        return has_weights(path) or b'"model_type"' in (path / "config.json").read_bytes()

    def read(self, source) -> Source:
        """See `Format.read`."""
        sentence_model = read_modules(Path(source))
        path = sentence_model.folder
        settings = read_settings(path)
        config = read_config(settings, str(path))
        model_type = settings["model_type"]
        tensors, skipped = read_weights(path, model_type)
        if config.pooler and not any(name.startswith("pooler.") for name in tensors):  # such as BertForMaskedLM
            config = BertConfig.from_dict({**config.to_dict(), "pooler": False})
        untied = drop_tied(tensors, model_type)
        head, other = "classifier", "tokens"  # both are named "classifier" in the file
        if "TokenClassification" in str(settings.get("architectures")):
            head, other = other, head
        num_classes = np.size(tensors["classifier.bias"]) if "classifier.bias" in tensors else 2
        mappings = tensor_mappings(model_type, config, num_classes)
        del mappings[other]
        if untied:  # the masked-LM head of this package uses the token table
            untied += [mapping.format_name for mapping in mappings.pop("masked_lm") if mapping.format_name in tensors]
        names = [mapping.format_name for part in mappings.values() for mapping in part]
        state = training_state({name: np.shape(tensor) for name, tensor in tensors.items()}, names)
        tensors = {name: tensor for name, tensor in tensors.items() if name not in {*state, *untied}}
        parts = to_canonical(mappings, tensors, str(path))
        try:
            tokenizer, problem = _lowercased(read_tokenizer(path), sentence_model), None
        except OtherTokenizer as error:  # the weights can be loaded
            tokenizer, problem = Tokenizer(None), str(error)
        default_problem = "regression" if num_classes == 1 else "single_label"
        return Source(
            label=str(path),
            format=self.name,
            tensors=parts,
            read_config=lambda: config,
            vocabulary=tokenizer.vocabulary,
            vocabulary_problem=problem,
            lowercase=tokenizer.lowercase,
            added_tokens=tokenizer.added_tokens,
            splitting=tokenizer.splitting,
            sequence_length=_sequence_length(sentence_model, config.max_position_embeddings),
            pool=sentence_model.pool,
            normalize=sentence_model.normalize,
            labels=_read_labels(settings, num_classes, path) if head in parts else None,
            problem_type=PROBLEM_TYPES.get(str(settings.get("problem_type")), default_problem),
            classifier_dropout=read_classifier_dropout(settings, head, str(path)) if head in parts else None,
            skipped=[*skipped, *untied, *(name for name in state if name not in untied)],
        )

    def read_vectorizer(self, source) -> dict:
        """See `Format.read_vectorizer`. The folder needs no model."""
        sentence_model = read_modules(Path(source))
        path = sentence_model.folder
        tokenizer = _lowercased(read_tokenizer(path), sentence_model)
        settings = read_json(path / "config.json") if (path / "config.json").is_file() else {}
        rows, positions = (_size(settings, name) for name in ("vocab_size", "max_position_embeddings"))
        return {
            "vocabulary": tokenizer.vocabulary,
            "lowercase": tokenizer.lowercase,
            "sequence_length": _sequence_length(sentence_model, positions),
            "added_tokens": tokenizer.added_tokens,
            **tokenizer.splitting.changes(),
            "vocab_size": rows,
        }

    def write(self, model, path, vectorizer=None, labels=None) -> Path:
        """See `Format.write`; transformers reads the folder with `from_pretrained(path)`."""
        return save_huggingface(model, path, vectorizer, labels)


def _size(settings: dict, name: str) -> int | None:
    """Return a size that `config.json` states; None if there is none."""
    return settings[name] if type(settings.get(name)) is int else None


def _sequence_length(sentence_model: SentenceModel, positions: int | None) -> int | None:
    """Return the number of tokens to which a sentence model truncates texts; None for an encoder."""
    lengths = [each for each in (sentence_model.sequence_length, positions) if each is not None]
    return None if sentence_model.sequence_length is None else min(lengths)


def _lowercased(tokenizer: Tokenizer, sentence_model: SentenceModel) -> Tokenizer:
    """Return the tokenizer of a sentence model, which may lowercase texts before its cased tokenizer."""
    if not sentence_model.lowercase or tokenizer.lowercase:
        return tokenizer
    splitting = tokenizer.splitting
    if splitting.strip_accents is None:
        splitting = dataclasses.replace(splitting, strip_accents=False)
    return dataclasses.replace(tokenizer, lowercase=True, splitting=splitting)


def save_huggingface(model, path, vectorizer=None, labels=None) -> Path:
    """Write a folder that transformers reads with `from_pretrained(path)`.

    The dropout rate before a classifier is written too, except for a DistilBERT token classifier: its config has no
    field for it, and transformers uses the encoder's rate. A binary classifier with one logit is written as its
    equivalent with two, because transformers has a head with one logit for regression only.

    Args:
        model: a `BertEncoder`, or a task model that contains one.
        path: the folder. An existing folder is replaced when the new one is complete.
        vectorizer: the model's `BertTextVectorization`, for `vocab.txt`.
        labels: names of the classes in the order of the logits.

    Returns:
        The folder's path.

    Raises:
        InputError: the encoder is not a BERT, DistilBERT or ALBERT, or has custom blocks; a DistilBERT has an epsilon
            other than 1e-12; or the sentence task is not next sentence for BERT or sentence order for ALBERT.

    Example:

    >>> import tempfile, keras_bert as kb
    >>> config = kb.BertConfig(vocab_size=10, hidden_size=8, num_layers=1, num_heads=2, intermediate_size=16)
    >>> folder = save_huggingface(kb.BertEncoder(config), tempfile.mkdtemp() + "/bert")
    >>> sorted(file.name for file in folder.iterdir())
    ['config.json', 'model.safetensors']

    Source: `modeling_bert.py`, `modeling_distilbert.py` and `modeling_albert.py` of huggingface/transformers.
    """
    from safetensors.numpy import save_file

    model = as_two_classes(model)
    config = getattr(model, "encoder", model).config
    model_type, parts = model_type_of(config), weights_to_write(model, "a Hugging Face folder")
    heads = tuple(part for part in parts if part != "encoder")
    prefix, suffix = CLASS_PREFIXES[model_type], ARCHITECTURES.get(heads)
    if not set(heads) <= set(tensor_mappings(model_type, config, 2)):
        raise InputError(f"`model` must have the sentence task of {prefix}ForPreTraining. Received: {', '.join(heads)}")
    if suffix is None or (model_type != "distilbert" and "classifier" in heads and not config.pooler):
        raise InputError(
            f"`model` must have the heads of a {prefix} model of transformers. Received: {', '.join(heads)}, "
            f"pooler={config.pooler}"
        )
    arrays = {
        part: {name: array.astype(np.float32) for name, array in tensors.items()} for part, tensors in parts.items()
    }
    head = heads[0] if heads else None
    num_classes = len(arrays[head][f"{head}/bias"]) if head in ("classifier", "tokens") else 2
    mappings = tensor_mappings(model_type, config, num_classes)
    tensors = to_format({"encoder": mappings["encoder"]}, arrays)
    if heads:
        tensors = {f"{model_type}.{name}": tensor for name, tensor in tensors.items()}
        tensors |= to_format({part: mappings[part] for part in heads}, arrays)
    settings = {"architectures": [prefix + suffix], **write_config(config, model_type)}
    if head in ("classifier", "tokens"):
        labels = labels or [f"LABEL_{i}" for i in range(num_classes)]
        if head in CLASSIFIER_DROPOUT[model_type]:
            settings[CLASSIFIER_DROPOUT[model_type][head]] = model.dropout_rate
        settings["id2label"] = {str(i): label for i, label in enumerate(labels)}
        settings["label2id"] = {label: i for i, label in enumerate(labels)}
    if head == "classifier":
        settings["problem_type"] = next(name for name, value in PROBLEM_TYPES.items() if value == model.problem_type)
    with atomic_write(path) as draft:
        draft.mkdir()
        save_file(tensors, draft / "model.safetensors", metadata={"format": "pt"})
        write_json(draft / "config.json", settings)
        if vectorizer is not None:
            write_tokenizer(vectorizer, draft)
    return Path(path)


def _read_labels(settings: dict, num_classes: int, path: Path) -> list[str] | None:
    labels = settings.get("id2label")
    if not labels:
        return None
    if not isinstance(labels, dict) or not all(key.isdecimal() for key in labels):
        raise InputError(f"`id2label` must map numbers to names. Received: id2label={labels!r:.60} in {path}")
    if len(labels) != num_classes:
        raise InputError(
            f"`id2label` must have {num_classes} entries, one per class. Received: {len(labels)} in {path}"
        )
    return [str(labels[key]) for key in sorted(labels, key=int)]
