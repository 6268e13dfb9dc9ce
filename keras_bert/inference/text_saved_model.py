"""Opening of a SavedModel with text as input, which `kb.export_saved_model` writes."""

import functools
from pathlib import Path

import numpy as np

from keras_bert.errors import InputError
from keras_bert.extras import require_tensorflow
from keras_bert.inference.backends import EmbeddingBackend, TaskBackend
from keras_bert.tasks import TrainedModel, find_task


def open_text_saved_model(folder: Path) -> TaskBackend | EmbeddingBackend | None:
    """Open a SavedModel whose `serving_default` maps texts to the outputs of a classifier, or to one vector each.

    Args:
        folder: a SavedModel folder.

    Returns:
        A `TaskBackend` or an `EmbeddingBackend`, or None if the SavedModel does not take texts.

    Raises:
        InputError: the SavedModel takes texts, and its outputs are none of these.
    """
    tf = require_tensorflow(f"the SavedModel {folder}")
    loaded = tf.saved_model.load(str(folder))
    serve = getattr(loaded, "signatures", {}).get("serving_default")
    if serve is None or set(serve.structured_input_signature[1]) != {"text"}:
        return None
    names = set(serve.structured_outputs)

    def run(output: str, texts: list[str], batch_size: int) -> np.ndarray:
        parts = [
            loaded.signatures["serving_default"](text=tf.constant(texts[i : i + batch_size]))[output].numpy()
            for i in range(0, len(texts), batch_size)
        ]  # [B, C] each
        return np.concatenate(parts)

    if "embedding" in names:
        return EmbeddingBackend(functools.partial(_embed_texts, run, folder))
    if "numbers" in names:
        task, output = find_task("regression"), "numbers"
    elif {"logits", "label"} <= names:
        task, output = find_task("classification"), "logits"
    elif {"logits", "probabilities"} <= names:
        task, output = find_task("multi-label"), "logits"
    else:
        raise InputError(
            "`model` must be a classifier, or return one vector per text, if it is a SavedModel of text. "
            f"Received: {folder} (outputs {', '.join(sorted(names))})"
        )

    labels = None
    if "labels" in loaded.signatures:
        labels = [label.decode() for label in loaded.signatures["labels"]()["labels"].numpy()]  # C strings
    # The graph preprocesses the texts, so the preprocessor `list` only passes them on.
    return TaskBackend(task, TrainedModel(functools.partial(run, output), list, labels, {"pairs": False}))


def _embed_texts(run, folder: Path, texts, batch_size: int) -> np.ndarray:
    if isinstance(texts, tuple):
        raise InputError(f"`texts` must be single texts for a SavedModel of text. Received: pairs, for {folder}")
    return run("embedding", texts, batch_size)  # [N, D]
