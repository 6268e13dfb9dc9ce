"""Opening of a classifier as a SavedModel with text as input, which `kb.export_saved_model` writes."""

from pathlib import Path

import numpy as np

from keras_bert.errors import InputError
from keras_bert.inference.backends import TaskBackend
from keras_bert.tasks import TrainedModel, find_task

PROBE = ["good", "bad", "a fine film", "no", "yes", "two hours lost"]  # texts whose predicted class names are compared


def open_text_saved_model(folder: Path) -> TaskBackend | None:
    """Open a SavedModel whose `serving_default` maps texts to the outputs of a classifier.

    Args:
        folder: a SavedModel folder.

    Returns:
        A `TaskBackend`, or None if the SavedModel does not take texts.

    Raises:
        InputError: the SavedModel takes texts, and its outputs are not those of a classifier.
    """
    import tensorflow as tf

    loaded = tf.saved_model.load(str(folder))
    serve = getattr(loaded, "signatures", {}).get("serving_default")
    if serve is None or set(serve.structured_input_signature[1]) != {"text"}:
        return None
    names = set(serve.structured_outputs)
    if "numbers" in names:
        task, output = find_task("regression"), "numbers"
    elif {"logits", "label"} <= names:
        task, output = find_task("classification"), "logits"
    elif {"logits", "probabilities"} <= names:
        task, output = find_task("multi-label"), "logits"
    else:
        raise InputError(
            f"`model` must be a classifier if it is a SavedModel of text. Received: {folder} "
            f"(outputs {', '.join(sorted(names))})"
        )

    def outputs(texts: list[str], batch_size: int) -> np.ndarray:
        parts = [
            loaded.signatures["serving_default"](text=tf.constant(texts[i : i + batch_size]))[output].numpy()
            for i in range(0, len(texts), batch_size)
        ]  # [B, C] each
        return np.concatenate(parts)

    labels = stored_labels(serve) if "label" in names else None
    # The graph preprocesses the texts, so the preprocessor `list` only passes them on.
    return TaskBackend(task, TrainedModel(outputs, list, labels, {"pairs": False}))


def stored_labels(serve) -> list[str] | None:
    """Return the class names that the graph of a classifier contains, in the order of the logits.

    The SavedModel returns only the name of the predicted class. The names of all classes are a constant in its graph.
    The constant that agrees with the predicted names on some texts is returned.

    Args:
        serve: the signature `serving_default`.

    Returns:
        C strings, or None where no constant agrees with the predicted names.
    """
    import tensorflow as tf

    outputs = serve(text=tf.constant(PROBE))
    best = outputs["logits"].numpy().argmax(-1)  # [N]
    predicted = [label.decode() for label in outputs["label"].numpy()]
    graph = serve.graph.as_graph_def()
    nodes = [*graph.node, *(node for function in graph.library.function for node in function.node_def)]
    for node in nodes:
        if node.op != "Const" or node.attr["dtype"].type != tf.string.as_datatype_enum:
            continue
        values = tf.make_ndarray(node.attr["value"].tensor)
        if values.shape == outputs["logits"].shape[-1:]:
            labels = [value.decode("utf-8", "replace") for value in values]
            if [labels[i] for i in best] == predicted:
                return labels
    return None
