"""Opening of a SavedModel with text as input, which `kb.export_saved_model` writes."""

import functools
from pathlib import Path

import numpy as np

from keras_bert.errors import InputError
from keras_bert.extras import require_tensorflow
from keras_bert.inference.backends import EmbeddingBackend, TaskBackend
from keras_bert.tasks import TrainedModel, find_task
from keras_bert.weights.formats.saved_model import read_signatures, readable


def takes_text(folder: Path) -> bool:
    """Return whether the `serving_default` of a SavedModel takes texts, from its file alone.

    Raises:
        InputError: the SavedModel is damaged, or TensorFlow is not installed.
    """
    return read_signatures(folder).get("serving_default", ([], []))[0] == ["text"]


def open_text_saved_model(folder: Path) -> TaskBackend | EmbeddingBackend | None:
    """Open a SavedModel whose `serving_default` maps texts to the outputs of a classifier, or to one vector each.

    Only such a SavedModel is loaded, and its initializers run. Whether it is one is read from its file.

    Args:
        folder: a SavedModel folder.

    Returns:
        A `TaskBackend` or an `EmbeddingBackend`, or None if the SavedModel does not take texts.

    Raises:
        InputError: the SavedModel takes texts, and its outputs are none of these.
    """
    if not takes_text(folder):
        return None
    _, names = read_signatures(folder)["serving_default"]

    @functools.cache
    def load():
        tf = require_tensorflow(f"the SavedModel {folder}")
        with readable(folder):
            return tf.saved_model.load(str(folder))

    def run(output: str, texts: list[str], batch_size: int) -> np.ndarray:
        import tensorflow as tf

        serve = load().signatures["serving_default"]
        batches = [texts[i : i + batch_size] for i in range(0, len(texts), batch_size)]
        return np.concatenate([serve(text=tf.constant(batch))[output].numpy() for batch in batches])  # [N, C]

    if "embedding" in names:
        return EmbeddingBackend(functools.partial(_embed_texts, run, folder))
    if "numbers" in names:
        task, output = find_task("regression"), "numbers"
    elif {"logits", "label"} <= set(names):
        task, output = find_task("classification"), "logits"
    elif {"logits", "probabilities"} <= set(names):
        task, output = find_task("multi-label"), "logits"
    else:
        raise InputError(
            "`model` must be a classifier, or return one vector per text, if it is a SavedModel of text. "
            f"Received: {folder} (outputs {', '.join(sorted(names))})"
        )
    labels, signatures = None, load().signatures
    if "labels" in signatures:
        labels = [label.decode() for label in signatures["labels"]()["labels"].numpy()]  # C strings
    # The graph preprocesses the texts, so the preprocessor `list` only passes them on.
    return TaskBackend(task, TrainedModel(functools.partial(run, output), list, labels, {"pairs": False}))


def _embed_texts(run, folder: Path, texts, batch_size: int) -> np.ndarray:
    if isinstance(texts, tuple):
        raise InputError(f"`texts` must be single texts for a SavedModel of text. Received: pairs, for {folder}")
    return run("embedding", texts, batch_size)  # [N, D]
