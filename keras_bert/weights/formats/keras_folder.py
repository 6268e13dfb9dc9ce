"""The folders of this package, with `model.keras`, `vocab.txt` and `config.json`, and single `.keras` files."""

import zipfile
from pathlib import Path

from keras_bert.errors import InputError
from keras_bert.files import atomic_write
from keras_bert.models import MODEL_CLASSES, check_vocabulary_size, kind_of
from keras_bert.models.task_model import class_count
from keras_bert.text.splitting import SETTINGS as SPLITTING_SETTINGS
from keras_bert.text.splitting import Splitting
from keras_bert.text.vocabulary import load_vocabulary, save_vocabulary
from keras_bert.weights.formats.format import Format
from keras_bert.weights.json_file import read_json, write_json
from keras_bert.weights.messages import one_line
from keras_bert.weights.source import Source

FILES = ("model.keras", "vocab.txt", "config.json")
SETTINGS = {  # field of config.json: whether a value is valid
    "kind": lambda value: isinstance(value, str) and value in MODEL_CLASSES,
    "labels": lambda value: value is None or isinstance(value, list),
    "lowercase": lambda value: isinstance(value, bool),
    "added_tokens": lambda value: isinstance(value, list) and all(isinstance(each, str) for each in value),
    "sequence_length": lambda value: value is None or (type(value) is int and value >= 3),
    "pairs": lambda value: value is None or isinstance(value, bool),
    "no_answer": lambda value: value is None or isinstance(value, bool),
}


class KerasFolder(Format):
    """Folders that `save_pretrained` writes, and `.keras` files that contain a model of this package."""

    name = "keras"
    marker_files = ("model.keras", "config.json")

    def matches(self, path: Path) -> bool:
        """See `Format.matches`. A folder with an incomplete set of files matches too; `read` names the missing file."""
        if path.suffix == ".keras":
            return b'"keras_bert.' in _keras_config(path)
        config = path / "config.json"
        return (path / "model.keras").is_file() or (config.is_file() and b'"lowercase"' in config.read_bytes())

    def read(self, source) -> Source:
        """See `Format.read`."""
        path = Path(source)
        if path.suffix == ".keras":
            return Source(label=str(path), format=self.name, model=_load_model(path))
        missing = [name for name in FILES if not (path / name).is_file()]
        if missing:
            raise InputError(
                f"`source` must be a folder with {', '.join(FILES[:2])} and {FILES[2]}. "
                f"Received: source={path} ({missing[0]} is missing)"
            )
        settings = _read_settings(path / "config.json")
        model, expected = _load_model(path / "model.keras"), MODEL_CLASSES[settings["kind"]]
        if not isinstance(model, expected):
            raise InputError(
                f"`source` must contain a {expected.__name__}, as its config.json states. "
                f"Received: source={path} ({type(model).__name__})"
            )
        vocabulary = load_vocabulary(path / "vocab.txt")
        check_vocabulary_size(getattr(model, "encoder", model), len(vocabulary))
        return Source(
            label=str(path),
            format=self.name,
            model=model,
            vocabulary=vocabulary,
            lowercase=settings["lowercase"],
            added_tokens=settings["added_tokens"],
            splitting=Splitting.from_dict(settings),
            labels=check_labels(model, settings["labels"]),
            sequence_length=settings["sequence_length"],
            pairs=settings["pairs"],
            no_answer=settings["no_answer"],
        )

    def read_vectorizer(self, source) -> dict:
        """See `Format.read_vectorizer`. The model is not loaded."""
        path = Path(source)
        if path.suffix == ".keras":
            return {"vocabulary": None}
        settings = _read_settings(path / "config.json")
        names = ("lowercase", "sequence_length", "added_tokens", *(set(SPLITTING_SETTINGS) & set(settings)))
        return {"vocabulary": load_vocabulary(path / "vocab.txt"), **{name: settings[name] for name in names}}

    def write(self, model, path, vectorizer=None, labels=None) -> Path:
        """See `Format.write`. A vectorizer is required."""
        if vectorizer is None:
            raise InputError(
                "`vectorizer` must be a BertTextVectorization: a folder of the keras format contains the vocabulary. "
                "Received: vectorizer=None. Use a source that contains a vocabulary."
            )
        return save_pretrained(model, path, vectorizer, labels)


def save_pretrained(
    model, path, vectorizer=None, labels=None, pairs: bool | None = None, no_answer: bool | None = None
) -> Path:
    """Save a model and its vocabulary as one folder, completely or not at all.

    Args:
        model: a `BertEncoder`, or a task model that contains one.
        path: the folder to write. An existing folder is replaced when the new one is complete.
        vectorizer: the `BertTextVectorization` that the model was trained with. None for `model.vectorizer`, which a
            model has after `kb.load_pretrained`, `from_pretrained` or `kb.finetune` on texts.
        labels: for a classifier of texts or tokens, the names of the classes in the order of the logits. None for
            `model.labels`.
        pairs: of a classifier, whether it was trained on pairs of texts. If it was, prediction accepts only pairs.
        no_answer: of a span labeler, whether its training data had questions without an answer. If it had, prediction
            may return no answer.

    Returns:
        The folder's path.

    Raises:
        InputError: the model is none of these, there is no vectorizer, the model's `vocab_size` is not the size of the
            vocabulary, or `labels` are not one different name per class.
        OSError: the disk is full or not writable. No partial folder remains.

    Example:

    >>> import tempfile
    >>> import keras_bert as kb
    >>> vectorizer = kb.BertTextVectorization(["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "film"])
    >>> config = kb.BertConfig(vocab_size=6, hidden_size=8, num_layers=1, num_heads=2, intermediate_size=16)
    >>> folder = kb.save_pretrained(kb.BertEncoder(config), tempfile.mkdtemp() + "/bert", vectorizer)
    >>> sorted(path.name for path in folder.iterdir())
    ['config.json', 'model.keras', 'vocab.txt']

    Source: the Keras 3 format, keras.io/api/models/model_saving_apis; `vocab.txt` as in google-research/bert.
    """
    kind = kind_of(model)
    encoder = getattr(model, "encoder", model)
    vectorizer = model.vectorizer if vectorizer is None else vectorizer
    if vectorizer is None:
        raise InputError(
            "`vectorizer` must be given for a model that has none. Received: vectorizer=None. Use "
            "`BertTextVectorization(vocabulary)`."
        )
    labels = model.labels if labels is None else labels
    pairs = model.pairs if pairs is None else pairs
    no_answer = model.no_answer if no_answer is None else no_answer
    vocabulary = list(vectorizer.get_vocabulary())
    check_vocabulary_size(encoder, len(vocabulary))
    settings = {
        "kind": kind,
        "labels": check_labels(model, labels),
        "lowercase": bool(vectorizer.lowercase),
        "added_tokens": list(vectorizer.added_tokens),
        **vectorizer.splitting.changes(),
        "sequence_length": vectorizer.sequence_length,
        "pairs": pairs,
        "no_answer": no_answer,
        "encoder": encoder.config.to_dict(),
    }
    if Path(path).is_file():
        raise InputError(f"`path` must be a new folder or one to replace. Received: path={path} (a file)")
    with atomic_write(path) as draft:
        draft.mkdir()
        _without_optimizer(model).save(draft / "model.keras")
        save_vocabulary(vocabulary, draft / "vocab.txt")
        write_json(draft / "config.json", settings)
    return Path(path)


def check_labels(model, labels) -> list | None:
    """Return the labels as a list of strings, one per class; raise InputError if they do not fit the model."""
    if labels is None:
        return None
    num_classes = class_count(model)
    if getattr(model, "problem_type", None) == "regression":
        raise InputError("`labels` must be None for regression. Received: labels with a model for regression")
    if num_classes is None:
        raise InputError(f"`labels` must be None for a model without classes. Received: model={type(model).__name__}")
    labels = [str(label) for label in labels]
    if len(labels) != num_classes or len(set(labels)) != num_classes:
        raise InputError(f"`labels` must be {num_classes} different names, one per class. Received: labels={labels}")
    return labels


def _load_model(file: Path):
    import keras

    if not zipfile.is_zipfile(file):
        raise InputError(
            f"`source` must contain a complete .keras file. Received: source={file} (damaged or cut short)"
        )
    try:
        return keras.saving.load_model(file, compile=False)
    except Exception as error:  # Keras, h5py, zipfile and json raise many error types on damaged or unknown files
        raise InputError(
            f"`source` must contain a .keras file that keras_bert wrote. Received: source={file} ({one_line(error)})"
        ) from None


def _keras_config(file: Path) -> bytes:
    """Read the config inside a `.keras` file, which contains the name of the model's class; empty if there is none."""
    try:
        with zipfile.ZipFile(file) as archive:
            return archive.read("config.json")
    except (OSError, zipfile.BadZipFile, KeyError):
        return b""


def _without_optimizer(model):
    """Return a copy that is not compiled: Keras would save the optimizer too, which is twice as large as the model."""
    if not model.compiled:
        return model
    copy = type(model).from_config(model.get_config())
    copy.set_weights(model.get_weights())
    return copy


def _read_settings(file: Path) -> dict:
    settings = {"pairs": None, "no_answer": None, "added_tokens": [], **read_json(file)}
    for name, is_valid in SETTINGS.items():
        if name not in settings or not is_valid(settings[name]):
            found = f"{name}={settings[name]!r:.40}" if name in settings else f"{name} is missing"
            raise InputError(
                f"`source` must contain a config.json that keras_bert wrote. Received: source={file} ({found})"
            )
    return settings
