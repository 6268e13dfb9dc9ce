"""A trained model as a folder: `model.keras`, `vocab.txt`, `config.json`; written whole or not at all."""

import functools
import json
import zipfile
from pathlib import Path

from keras_bert.errors import InputError
from keras_bert.files import atomic_write
from keras_bert.models import MODEL_CLASSES, BertEncoder, BertPretrainer, check_vocabulary_size, kind_of

SETTINGS = {  # of config.json: what each may be
    "kind": lambda value: isinstance(value, str) and value in MODEL_CLASSES,
    "labels": lambda value: value is None or isinstance(value, list),
    "lowercase": lambda value: isinstance(value, bool),
    "sequence_length": lambda value: value is None or (type(value) is int and value >= 3),
    "pairs": lambda value: value is None or isinstance(value, bool),
    "no_answer": lambda value: value is None or isinstance(value, bool),
}


class Pretrained:
    """A model that came out of a folder, with what belongs to it.

    Attributes:
        model: the `BertEncoder`, or the model that has one.
        kind: `"encoder"`, `"pretrainer"`, `"classifier"`, `"feature_classifier"`, `"span_labeler"` or
            `"token_classifier"`.
        labels: the classes' names in the order of the logits, or None.
        vocabulary: list of tokens; a token's place is its id.
        lowercase: whether text is lower-cased before it is split.
        sequence_length: tokens a text is cut or padded to; None for the batch's longest.
        path: the folder.
        pairs: of a classifier, whether it was trained on pairs of texts; None where nobody said.
        no_answer: of a span labeler, whether some of the questions it was trained on have no answer; None likewise.
    """

    def __init__(self, model, kind, labels, vocabulary, lowercase, sequence_length, path, pairs=None, no_answer=None):
        self.model = model
        self.kind = kind
        self.labels = labels
        self.vocabulary = vocabulary
        self.lowercase = lowercase
        self.sequence_length = sequence_length
        self.path = path
        self.pairs = pairs
        self.no_answer = no_answer

    @property
    def encoder(self) -> BertEncoder:
        """The encoder inside `model`, or `model` itself."""
        return self.model if self.kind == "encoder" else self.model.encoder

    def new_pretrainer(
        self, sentence_task: str | None = "next", dropout: float | None = None, dtype=None
    ) -> BertPretrainer:
        """A pretrainer with these weights, to be trained on; a head that is not here starts anew.

        Args:
            sentence_task: as in `BertPretrainer`.
            dropout, dtype: as in `BertEncoder.copy`.
        """
        pretrainer = BertPretrainer(self.encoder.copy(dropout, dtype), sentence_task)
        for name in ("mlm_head", "nsp_head", "sop_head"):
            here, there = getattr(self.model, name, None), getattr(pretrainer, name)
            if here is not None and there is not None:
                there.set_weights(here.get_weights())
        return pretrainer

    @functools.cached_property
    def vectorizer(self):
        """The `BertTextVectorization`, made when first asked for: it needs TensorFlow, the model does not."""
        from keras_bert.text.vectorization import BertTextVectorization

        return BertTextVectorization(
            vocabulary=self.vocabulary, lowercase=self.lowercase, sequence_length=self.sequence_length
        )


def save_pretrained(
    model, path, vectorizer, labels=None, pairs: bool | None = None, no_answer: bool | None = None
) -> Path:
    """Write a model and its vocabulary as one folder; what stood at `path` is replaced, whole, at the very end.

    Args:
        model: a `BertEncoder`, or a model that has one.
        path: the folder.
        vectorizer: the `BertTextVectorization` that the model was trained with.
        labels: names of the classes, in the order of the logits, for a classifier of texts or tokens.
        pairs: of a classifier, whether it was trained on pairs of texts, so that other texts are refused later.
        no_answer: of a span labeler, whether some of the questions it was trained on have no answer, so that it may say
            so later.

    Returns:
        The folder's path.

    Raises:
        InputError: the model is none of these, its `vocab_size` is not the vocabulary's, or the labels do not fit.
        OSError: the disk is full or not writable; nothing is left behind.

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
    encoder = model if kind == "encoder" else model.encoder
    vocabulary = list(vectorizer.get_vocabulary())
    check_vocabulary_size(encoder, len(vocabulary))
    labels = check_labels(model, labels)
    settings = {
        "kind": kind,
        "labels": labels,
        "lowercase": bool(vectorizer.lowercase),
        "sequence_length": vectorizer.sequence_length,
        "pairs": pairs,
        "no_answer": no_answer,
        "encoder": encoder.config.to_dict(),
    }
    from keras_bert.text.vocabulary import save_vocabulary

    if Path(path).is_file():
        raise InputError(f"a model is saved as a folder. Received: {path}, which is a file")
    with atomic_write(path) as draft:
        draft.mkdir()
        _without_optimizer(model).save(draft / "model.keras")
        save_vocabulary(vocabulary, draft / "vocab.txt")
        (draft / "config.json").write_text(json.dumps(settings, indent=2) + "\n", encoding="utf-8")
    return Path(path)


def read_folder(path) -> Pretrained:
    """What `save_pretrained` wrote; see `load_pretrained`."""
    import keras

    from keras_bert.text.vocabulary import load_vocabulary

    folder = Path(path)
    files = ("model.keras", "vocab.txt", "config.json")
    missing = [] if folder.is_dir() else ["not a folder"]
    for wrong in missing or [f"without {name}" for name in files if not (folder / name).is_file()]:
        raise InputError(f"expected a folder with {', '.join(files[:2])} and {files[2]}. Received: {path}, {wrong}")
    settings = _settings(folder / "config.json")
    file = folder / "model.keras"
    if not zipfile.is_zipfile(file):
        raise InputError(f"expected a .keras file that is whole. Received: {file}, damaged or cut short")
    try:
        model = keras.saving.load_model(file, compile=False)
    except Exception as error:  # a foreign or damaged archive fails in Keras, h5py, zipfile and json alike
        reason = " ".join(str(error).split())[:500] or type(error).__name__  # Keras names the tensor in a later line
        raise InputError(f"expected a .keras file that keras_bert wrote. Received: {file} ({reason})") from None
    expected = MODEL_CLASSES[settings["kind"]]
    if not isinstance(model, expected):
        raise InputError(f"expected a {expected.__name__} in {file}. Received: {type(model).__name__}")
    vocabulary = load_vocabulary(folder / "vocab.txt")
    check_vocabulary_size(model if settings["kind"] == "encoder" else model.encoder, len(vocabulary))
    labels = check_labels(model, settings["labels"])
    return Pretrained(
        model,
        settings["kind"],
        labels,
        vocabulary,
        settings["lowercase"],
        settings["sequence_length"],
        folder,
        settings["pairs"],
        settings["no_answer"],
    )


def _without_optimizer(model):
    """A copy that was never compiled: Keras saves an optimizer with its model, which makes three of one."""
    if not model.compiled:
        return model
    copy = type(model).from_config(model.get_config())
    copy.set_weights(model.get_weights())
    return copy


def check_labels(model, labels) -> list | None:
    """The labels as a list of strings, one a class; InputError if they do not fit the model."""
    if labels is None:
        return None
    classes = getattr(model, "num_classes", None)
    if classes is None:
        raise InputError(f"labels belong to a classifier. Received: labels with a {type(model).__name__}")
    labels = [str(label) for label in labels]
    if len(labels) != classes or len(set(labels)) != classes:
        raise InputError(
            f"a classifier of {classes} classes has {classes} different labels. Received: {', '.join(labels)}"
        )
    return labels


def _settings(file: Path) -> dict:
    try:
        settings = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise InputError(f"a config is a JSON file that can be read. Received: {file} ({error})") from None
    settings = {"pairs": None, "no_answer": None, **settings} if isinstance(settings, dict) else {}
    for name, fits in SETTINGS.items():
        if name not in settings or not fits(settings[name]):
            found = f"{name}={settings[name]!r:.40}" if name in settings else f"no {name}"
            raise InputError(f"expected a config.json that keras_bert wrote. Received: {file} with {found}")
    return settings
