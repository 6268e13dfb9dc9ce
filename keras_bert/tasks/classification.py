"""The task of single-label classification: one class per text or pair of texts."""

import dataclasses
from collections.abc import Sequence

import numpy as np

from keras_bert.errors import InputError
from keras_bert.metrics import classification_metrics, classification_report
from keras_bert.tasks.objectives import class_objective
from keras_bert.tasks.registry import register_task
from keras_bert.tasks.text_task import TextTask, shown_text


@dataclasses.dataclass(frozen=True)
class ClassificationTask(TextTask):
    """Classification of texts or pairs of texts into one of C classes.

    Source: Devlin et al. 2018 (arXiv:1810.04805), section 4.1.
    """

    columns: tuple[str, ...] = ("label", "probability", "text")

    def labels_of(self, table, labels) -> np.ndarray:
        """Return the class ids, int32 `[N]`."""
        return table.class_labels(labels)[0]

    def targets(self, model, ids: dict, labels) -> tuple:
        """Check class ids, int `[N]` in 0 … C - 1, and return them as int32."""
        return class_targets(labels, len(ids["input_word_ids"]), model.num_classes), None

    def compute_metrics(self, outputs, targets, weights) -> dict:
        """Compute accuracy, loss and confusion matrix."""
        return classification_metrics(outputs, targets)

    def report(self, outputs, targets, weights, label_names=None, bootstrap=None) -> dict:
        """Compute all metrics of classification, see `classification_report`."""
        return classification_report(outputs, targets, label_names, bootstrap)

    def decode(self, outputs: np.ndarray, labels: Sequence[str], top_k: int | None) -> list[dict]:
        """Return the predicted label, its probability and the probability of each class."""
        return [_decode(row, labels, top_k) for row in softmax(outputs)]

    def cells(self, prediction: dict) -> tuple:
        """Return label, probability and text."""
        if "top_k" in prediction:
            label = ", ".join(f"{each['label']} {each['probability']:.3f}" for each in prediction["top_k"])
        else:
            label = prediction["label"]
        return label, f"{prediction['probability']:.3f}", shown_text(prediction)


def _decode(probabilities: np.ndarray, labels: Sequence[str], top_k: int | None) -> dict:
    best = int(probabilities.argmax())
    prediction = {
        "label": labels[best],
        "probability": float(probabilities[best]),
        "probabilities": dict(zip(labels, probabilities.tolist(), strict=True)),
    }
    if top_k is not None:
        order = np.argsort(-probabilities, kind="stable")[:top_k]
        prediction["top_k"] = [{"label": labels[i], "probability": float(probabilities[i])} for i in order]
    return prediction


def class_targets(labels, rows: int, num_classes: int) -> np.ndarray:
    """Check class ids and return them as int32 `[N]`.

    Args:
        labels: int `[N]`, in 0 … C - 1.
        rows: N, number of examples.
        num_classes: C.

    Raises:
        InputError: `labels` have another shape or dtype, or a class id outside 0 … C - 1.
    """
    labels = np.asarray(labels)
    if labels.shape != (rows,) or (rows and not np.issubdtype(labels.dtype, np.integer)):
        raise InputError(
            f"`labels` must be integers with one entry per example ({rows}). "
            f"Received: shape={labels.shape}, dtype={labels.dtype}"
        )
    check_range(labels, 0, num_classes - 1)
    return labels.astype(np.int32)


def check_range(labels: np.ndarray, low: int, high: int) -> None:
    """Raise InputError if an entry of `labels` is outside low … high."""
    if labels.size and not low <= labels.min() <= labels.max() <= high:
        raise InputError(f"`labels` must be in {low} … {high}. Received: {labels.min()} … {labels.max()}")


def softmax(logits: np.ndarray) -> np.ndarray:
    """Compute the probabilities of each row of logits, float `[N, C]`.

    Example:

    >>> softmax(np.array([[0.0, 0.0]])).tolist()
    [[0.5, 0.5]]
    """
    exponentials = np.exp(logits - logits.max(-1, keepdims=True))  # [N, C]
    return exponentials / exponentials.sum(-1, keepdims=True)  # [N, C]


CLASSIFICATION = register_task(
    ClassificationTask(
        name="classification",
        kind="classifier",
        objective=class_objective,
        problem_type="single_label",
    )
)
