"""The task of multi-label classification: any number of labels per text or pair of texts."""

import dataclasses
from collections.abc import Sequence

import numpy as np

from keras_bert.errors import InputError
from keras_bert.metrics import multi_label_metrics, multi_label_report
from keras_bert.tasks.objectives import label_objective
from keras_bert.tasks.registry import register_task
from keras_bert.tasks.text_task import TextTask, shown_text


@dataclasses.dataclass(frozen=True)
class MultiLabelTask(TextTask):
    """Classification of texts or pairs of texts where each of C labels applies or not."""

    columns: tuple[str, ...] = ("labels", "text")

    def labels_of(self, table, labels) -> np.ndarray:
        """Return 1 where a label applies, otherwise 0: int32 `[N, C]`."""
        return table.multi_hot_labels(labels)[0]

    def targets(self, model, ids: dict, labels) -> tuple:
        """Check labels, 0 or 1 `[N, C]`, and return them as float32."""
        labels, shape = np.asarray(labels), (len(ids["input_word_ids"]), model.num_classes)
        if labels.shape != shape or not np.isin(labels, (0, 1)).all():
            raise InputError(
                f"`labels` must be 0 or 1 for each example and label, of shape {list(shape)}. "
                f"Received: shape={labels.shape}, dtype={labels.dtype}"
            )
        return labels.astype(np.float32), None

    def compute_metrics(self, outputs, targets, weights) -> dict:
        """Compute accuracy, exact match, F1 and loss."""
        return multi_label_metrics(outputs, targets)

    def report(self, outputs, targets, weights, label_names=None, bootstrap=None) -> dict:
        """Compute all metrics of multi-label classification, see `multi_label_report`."""
        return multi_label_report(outputs, targets, label_names, bootstrap)

    def decode(self, outputs: np.ndarray, labels: Sequence[str], top_k: int | None) -> list[dict]:
        """Return the labels with a probability above 0.5, and the probability of each label."""
        predictions = []
        for row in 1 / (1 + np.exp(-outputs.astype(np.float64))):  # [C]
            probabilities = dict(zip(labels, row.tolist(), strict=True))
            names = [name for name, probability in probabilities.items() if probability > 0.5]
            prediction = {"labels": names, "probabilities": probabilities}
            if top_k is not None:
                order = np.argsort(-row, kind="stable")[:top_k]
                prediction["top_k"] = [{"label": labels[i], "probability": float(row[i])} for i in order]
            predictions.append(prediction)
        return predictions

    def cells(self, prediction: dict) -> tuple:
        """Return the labels and the text."""
        return ", ".join(prediction["labels"]) or "none", shown_text(prediction)


register_task(
    MultiLabelTask(
        name="multi-label",
        kind="classifier",
        objective=label_objective,
        problem_type="multi_label",
    )
)
