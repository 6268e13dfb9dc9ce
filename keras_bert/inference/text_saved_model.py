"""Opening of a classifier as a SavedModel with text as input, which `kb.export_saved_model` writes."""

from pathlib import Path

import numpy as np

from keras_bert.errors import InputError
from keras_bert.extras import require_tensorflow
from keras_bert.inference.backends import TaskBackend
from keras_bert.tasks import TrainedModel, find_task
from keras_bert.weights.formats.saved_model import read_signatures, readable


def takes_text(folder: Path) -> bool:
    """Return whether the `serving_default` of a SavedModel takes texts, from its file alone.

    Raises:
        InputError: the SavedModel is damaged, or TensorFlow is not installed.
    """
    return read_signatures(folder).get("serving_default", ([], []))[0] == ["text"]


def open_text_saved_model(folder: Path) -> TaskBackend | None:
    """Open a SavedModel whose `serving_default` maps texts to the outputs of a classifier. Its initializers run.

    Only such a SavedModel is loaded. Whether it is one is read from its file.

    Args:
        folder: a SavedModel folder.

    Returns:
        A `TaskBackend`, or None if the SavedModel does not take texts.

    Raises:
        InputError: the SavedModel takes texts, and its outputs are not those of a classifier.
    """
    if not takes_text(folder):
        return None
    _, names = read_signatures(folder)["serving_default"]
    if "numbers" in names:
        task, output = find_task("regression"), "numbers"
    elif {"logits", "label"} <= set(names):
        task, output = find_task("classification"), "logits"
    elif {"logits", "probabilities"} <= set(names):
        task, output = find_task("multi-label"), "logits"
    else:
        raise InputError(
            f"`model` must be a classifier if it is a SavedModel of text. Received: {folder} "
            f"(outputs {', '.join(names)})"
        )
    tf = require_tensorflow(f"the SavedModel {folder}")
    with readable(folder):
        loaded = tf.saved_model.load(str(folder))

    def outputs(texts: list[str], batch_size: int) -> np.ndarray:
        parts = [
            loaded.signatures["serving_default"](text=tf.constant(texts[i : i + batch_size]))[output].numpy()
            for i in range(0, len(texts), batch_size)
        ]  # [B, C] each
        return np.concatenate(parts)

    labels = None
    if "labels" in loaded.signatures:
        labels = [label.decode() for label in loaded.signatures["labels"]()["labels"].numpy()]  # C strings
    # The graph preprocesses the texts, so the preprocessor `list` only passes them on.
    return TaskBackend(task, TrainedModel(outputs, list, labels, {"pairs": False}))
