"""The predictions of a classifier on labeled examples, in the log folder of its run."""

import json
from pathlib import Path

import keras
import numpy as np

from keras_bert.constants import PREDICTIONS_FILE
from keras_bert.data.examples import read_examples
from keras_bert.errors import InputError
from keras_bert.files import atomic_write
from keras_bert.inference.predict import predict_logits
from keras_bert.inference.rows import model_rows
from keras_bert.tasks.classification import softmax

PROBLEM_TYPES = ("single_label", "binary")


def log_predictions(
    log_dir: str | Path, model: keras.Model, inputs, labels=None, vectorizer=None, label_names=None
) -> Path:
    """Write the probabilities of a classifier for labeled texts to `predictions.json`, for `kb.explain.run_page`.

    Args:
        log_dir: the folder of the run's log, as in `TrainingConfig`.
        model: a `BertClassifier` or `BertFeatureClassifier` with one class per text.
        inputs: N texts or pairs of texts, or a dataset, as for `kb.finetune`.
        labels: N class names or class ids; None if `inputs` is a dataset that has them.
        vectorizer: `BertTextVectorization`. None uses the model's own.
        label_names: names of the C classes. Default: the model's own, else their numbers.

    Returns:
        The path of the file: a dict of `label_names` and `examples`, a list of dicts with `text` (a string, or a list
        of two), `label` (class id) and `probabilities`.

    Raises:
        InputError: the model has no classes, `inputs` are token ids, or there are no labels.

    Example:

    >>> import tempfile, keras_bert as kb
    >>> vectorizer = kb.BertTextVectorization(["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "fine", "dull"])
    >>> config = kb.BertConfig(vocab_size=7, hidden_size=8, num_layers=1, num_heads=2, intermediate_size=16)
    >>> model = kb.BertClassifier(kb.BertEncoder(config), num_classes=2)
    >>> log_predictions(tempfile.mkdtemp(), model, ["fine", "dull"], [1, 0], vectorizer).name
    'predictions.json'
    """
    if getattr(model, "problem_type", None) not in PROBLEM_TYPES:
        kind = getattr(model, "problem_type", None) or type(model).__name__
        raise InputError(f"`model` must be a classifier with one class per text. Received: {kind}")
    if isinstance(inputs, dict):
        raise InputError("`inputs` must be texts, because the log contains them. Received: token ids")
    examples = read_examples(inputs, labels)
    if examples.labels is None:
        raise InputError("`labels` must be given unless `inputs` is a dataset with labels. Received: labels=None")
    ids, labels = model_rows(model, examples, vectorizer)
    logits = np.asarray(predict_logits(model, ids), np.float64)  # [N, C], or [N, 1]
    if logits.shape[1] == 1:  # one logit x is the same as the two logits (0, x)
        logits = np.concatenate([np.zeros_like(logits), logits], -1)  # [N, 2]
    texts = examples.texts
    if isinstance(texts, tuple):
        texts = [list(pair) for pair in zip(*texts, strict=True)]
    names = [str(name) for name in label_names or getattr(model, "labels", None) or range(logits.shape[1])]
    rows = zip(texts, np.asarray(labels).reshape(-1).astype(int).tolist(), softmax(logits).tolist(), strict=True)
    content = {
        "label_names": names,
        "examples": [{"text": text, "label": label, "probabilities": row} for text, label, row in rows],
    }
    path = Path(log_dir) / PREDICTIONS_FILE
    with atomic_write(path) as temporary:
        temporary.write_text(json.dumps(content, ensure_ascii=False), encoding="utf-8")
    return path


class PredictionLog(keras.callbacks.Callback):
    """Callback of `kb.finetune` that writes the predictions of the trained model, see `log_predictions`.

    Args:
        log_dir, inputs, labels, vectorizer: as for `log_predictions`.

    Example:

    >>> import tempfile, keras_bert as kb
    >>> vectorizer = kb.BertTextVectorization(["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "fine", "dull"])
    >>> config = kb.BertConfig(vocab_size=7, hidden_size=8, num_layers=1, num_heads=2, intermediate_size=16)
    >>> model, folder = kb.BertClassifier(kb.BertEncoder(config), num_classes=2), tempfile.mkdtemp()
    >>> log, data = PredictionLog(folder, ["fine"], ["good"]), (["fine", "dull"], ["good", "bad"])
    >>> history = kb.finetune(model, *data, vectorizer=vectorizer, epochs=1, callbacks=[log], verbose=0)
    >>> [path.name for path in Path(folder).iterdir()]
    ['predictions.json']
    """

    def __init__(self, log_dir: str | Path, inputs, labels=None, vectorizer=None):
        super().__init__()
        self.arguments = (inputs, labels, vectorizer)
        self.log_dir = log_dir

    def on_train_end(self, logs=None) -> None:
        """Write the predictions of the weights that the run keeps."""
        log_predictions(self.log_dir, self.model, *self.arguments)
