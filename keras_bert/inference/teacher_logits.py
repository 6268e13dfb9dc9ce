"""Logits of teachers for distillation: from files, from classifiers of this package, and from transformers."""

import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from keras_bert.catalog.download import locate
from keras_bert.data.labeled import Texts
from keras_bert.errors import InputError
from keras_bert.extras import require


def read_teacher_logits(sources: Sequence[str | Path], texts: Texts, labels: Sequence[str]) -> np.ndarray:
    """Return the logits of one teacher, or the mean of several, for texts.

    Args:
        sources: for each teacher a `.npy` file, a `.npz` file with one array, or the folder, the name or the address
            (`hf://NAME`) of a classifier: of this package, or of any architecture that transformers loads with
            `AutoModelForSequenceClassification`.
        texts: N strings, or a tuple of two such lists for pairs.
        labels: C names of the classes, in the order of the student's logits.

    Returns:
        float32 `[N, C]`.

    Raises:
        InputError: a source is neither, its logits have another shape or are not finite, or a classifier has other
            classes.

    Example:

    >>> import tempfile
    >>> path = Path(tempfile.mkdtemp()) / "logits.npy"
    >>> np.save(path, np.array([[1.0, -1.0], [0.0, 3.0]]))
    >>> read_teacher_logits([path], ["fine", "dull"], ["good", "bad"]).tolist()
    [[1.0, -1.0], [0.0, 3.0]]

    Source: Hinton et al. 2015 (arXiv:1503.02531), section 2; section 5 for the averages of several models.
    """
    logits = [_read(Path(locate(source)), texts, labels) for source in sources]
    return np.mean(logits, axis=0, dtype=np.float32)


def _read(source: Path, texts, labels) -> np.ndarray:
    count = len(texts[0] if isinstance(texts, tuple) else texts)
    if source.suffix in (".npy", ".npz"):
        logits = _read_array(source)
    elif source.is_dir():
        is_foreign = _is_transformers_classifier(source)
        logits = (_transformers_logits if is_foreign else _own_logits)(source, texts, labels)
    else:
        raise InputError(
            "`teacher_logits` must be a .npy or .npz file or the folder of a classifier. "
            f"Received: teacher_logits={source}"
        )
    expected = count, len(labels)
    if logits.shape != expected or not np.isfinite(logits).all():
        raise InputError(
            f"`teacher_logits` must be finite numbers of shape {expected}: one row per training text. "
            f"Received: {source} with shape={logits.shape}, finite={bool(np.isfinite(logits).all())}"
        )
    return logits


def _read_array(path: Path) -> np.ndarray:
    try:
        found = np.load(path)
        arrays = [found] if isinstance(found, np.ndarray) else [found[name] for name in found.files]
    except (ValueError, OSError) as error:
        raise InputError(f"`teacher_logits` must be a file that NumPy wrote. Received: {path} ({error})") from None
    if len(arrays) != 1:
        raise InputError(f"`teacher_logits` must be a file with one array. Received: {path} with {len(arrays)}")
    return np.asarray(arrays[0], np.float32)


def _own_logits(folder: Path, texts, labels) -> np.ndarray:
    """Return the logits of a classifier that `kb.load_pretrained` loads."""
    from keras_bert.inference.predict import predict_logits
    from keras_bert.tasks import Preprocessor
    from keras_bert.weights import load_pretrained

    teacher = load_pretrained(folder)
    if teacher.kind != "classifier":
        raise InputError(f"`teacher_logits` must be of a classifier. Received: {folder}, a {teacher.kind}")
    preprocessor = Preprocessor.from_pretrained(teacher)
    logits = predict_logits(teacher.model, preprocessor(texts))
    preprocessor.long_texts.warn()
    return _in_order(logits, teacher.labels, labels, folder)


def _is_transformers_classifier(folder: Path) -> bool:
    """Return whether a folder is a classifier of transformers that this package does not load."""
    config = folder / "config.json"
    if not config.is_file():
        return False
    architectures = json.loads(config.read_text(encoding="utf-8")).get("architectures") or [""]
    own = ("Bert", "DistilBert", "Albert")
    return architectures[0].endswith("ForSequenceClassification") and not architectures[0].startswith(own)


def _transformers_logits(folder: Path, texts, labels, batch_size: int = 64) -> np.ndarray:
    """Return the logits of a classifier that transformers loads, without a network."""
    transformers = require("transformers", "the logits of another architecture than BERT", extra="peers")
    torch = require("torch", "the logits of another architecture than BERT", extra="peers")
    settings = {"local_files_only": True, "trust_remote_code": False}
    tokenizer = transformers.AutoTokenizer.from_pretrained(folder, **settings)
    model = transformers.AutoModelForSequenceClassification.from_pretrained(folder, **settings).eval()
    columns = texts if isinstance(texts, tuple) else (texts,)
    count = len(columns[0])
    order = sorted(range(count), key=lambda i: sum(len(column[i]) for column in columns))  # little padding
    logits = np.zeros((count, model.config.num_labels), np.float32)
    with torch.inference_mode():
        for start in range(0, count, batch_size):
            rows = order[start : start + batch_size]
            inputs = tokenizer(
                *([column[i] for i in rows] for column in columns), padding=True, truncation=True, return_tensors="pt"
            )
            logits[rows] = model(**inputs).logits.float().numpy()
    return _in_order(logits, [model.config.id2label[i] for i in range(logits.shape[1])], labels, folder)


def _in_order(logits: np.ndarray, found: Sequence[str] | None, labels: Sequence[str], folder: Path) -> np.ndarray:
    """Put the columns of logits into the order of the student's classes; names are compared without case."""
    names = [str(name).lower() for name in found or ()]
    wanted = [str(name).lower() for name in labels]
    if not names or all(name == f"label_{i}" for i, name in enumerate(names)):  # no names: the order is the same
        return logits
    if sorted(names) != sorted(wanted):
        raise InputError(
            f"`teacher_logits` must be of a classifier with the classes {', '.join(labels)}. "
            f"Received: {folder} with {', '.join(map(str, found))}"
        )
    return logits[:, [names.index(name) for name in wanted]]
