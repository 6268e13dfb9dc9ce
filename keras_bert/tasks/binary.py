"""The task of binary classification with one logit: the second of two classes applies, or not."""

import dataclasses
from collections.abc import Sequence

import numpy as np

from keras_bert.data import load_labeled
from keras_bert.errors import InputError
from keras_bert.tasks.classification import ClassificationTask
from keras_bert.tasks.objectives import label_objective
from keras_bert.tasks.registry import register_task
from keras_bert.tasks.task_data import TaskData


@dataclasses.dataclass(frozen=True)
class BinaryTask(ClassificationTask):
    """Classification of texts or pairs of texts into two classes, with one logit `[N, 1]` for the second.

    Targets and probabilities have the shape that `keras.metrics.AUC` and `F1Score` expect.
    """

    has_class_ids = True

    def load(self, dataset: str, label_names: Sequence[str] | None = None, **options) -> TaskData:
        """Read `train.tsv` and `dev.tsv`, which must have two classes."""
        data = super().load(dataset, label_names, **options)
        if len(data.label_names) != 2:
            raise InputError(f"`dataset` must have two classes. Received: {len(data.label_names)} classes in {dataset}")
        return data

    def read_labeled(self, dataset: str, label_names: Sequence[str] | None, **options):
        """Read a dataset with one class per text."""
        return load_labeled(dataset, label_names, **options)

    def build_model(self, encoder, data: TaskData, **options):
        """Return a `BertClassifier` with one logit."""
        from keras_bert.models import BertClassifier

        return BertClassifier(encoder, 1, encoder.config.hidden_dropout)

    def targets(self, model, ids: dict, labels) -> tuple:
        """Check labels, 0 or 1 `[N]` or `[N, 1]`, and return them as float32 `[N, 1]`."""
        labels, rows = np.asarray(labels), len(ids["input_word_ids"])
        if labels.shape not in ((rows,), (rows, 1)) or not np.isin(labels, (0, 1)).all():
            raise InputError(
                f"`labels` must be 0 or 1 with one entry per example ({rows}), or two class names. "
                f"Received: shape={labels.shape}, dtype={labels.dtype}"
            )
        return labels.reshape(rows, 1).astype(np.float32), None

    def compute_metrics(self, outputs, targets, weights) -> dict:
        """Compute the metrics of classification into two classes."""
        return super().compute_metrics(_two_logits(outputs), np.asarray(targets).reshape(-1).astype(np.int32), weights)

    def decode(self, outputs: np.ndarray, labels: Sequence[str], top_k: int | None) -> list[dict]:
        """Return the predicted label, its probability and the probabilities of both classes."""
        return super().decode(_two_logits(outputs), labels if len(labels) == 2 else ("0", "1"), top_k)


def _two_logits(outputs) -> np.ndarray:
    """Return the logits (0, x) `[N, 2]` of logits x `[N, 1]`: their softmax is (1 - sigmoid(x), sigmoid(x))."""
    outputs = np.asarray(outputs)
    return np.concatenate([np.zeros_like(outputs), outputs], axis=-1)


register_task(
    BinaryTask(
        name="binary",
        kind="classifier",
        objective=label_objective,
        problem_type="binary",
    )
)
