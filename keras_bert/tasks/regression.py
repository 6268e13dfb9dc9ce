"""The task of regression: one number per text or pair of texts."""

import dataclasses
from collections.abc import Sequence

import numpy as np

from keras_bert.errors import InputError
from keras_bert.metrics import regression_metrics
from keras_bert.tasks.objectives import number_objective
from keras_bert.tasks.registry import register_task
from keras_bert.tasks.task import reject_top_k
from keras_bert.tasks.text_task import TextTask, shown_text


@dataclasses.dataclass(frozen=True)
class RegressionTask(TextTask):
    """Regression of texts or pairs of texts, such as STS-B."""

    columns: tuple[str, ...] = ("value", "text")
    report_options: tuple[str, ...] = ("bootstrap",)

    def labels_of(self, table, labels) -> np.ndarray:
        """Return the numbers, float32 `[N]`."""
        return table.float_labels()

    def targets(self, model, ids: dict, labels) -> tuple:
        """Check numbers, float `[N]` or `[N, C]`, and return them as float32 `[N, C]`."""
        labels, rows = np.asarray(labels, np.float32), len(ids["input_word_ids"])
        if labels.shape == (rows,):
            labels = labels[:, None]
        if labels.shape != (rows, model.num_classes) or not np.isfinite(labels).all():
            raise InputError(
                f"`labels` must be finite numbers with one entry per example ({rows}). Received: shape={labels.shape}"
                + ("" if np.isfinite(labels).all() else ", not all finite")
            )
        return labels, None

    def compute_metrics(self, outputs, targets, weights) -> dict:
        """Compute mean absolute error, Pearson and Spearman correlation, and loss."""
        return regression_metrics(targets, outputs)

    def report(self, outputs, targets, weights, bootstrap=None) -> dict:
        """Compute the metrics of regression, and their intervals if `bootstrap` is given."""
        metrics = self.compute_metrics(outputs, targets, weights)
        if bootstrap is None:
            return metrics

        def resampled(rows) -> dict:
            return regression_metrics(targets[rows], outputs[rows])

        return metrics | bootstrap.intervals(resampled, len(targets))

    def decode(self, outputs: np.ndarray, labels: Sequence[str], top_k: int | None) -> list[dict]:
        """Return the predicted number, or a list of numbers for a model with several outputs."""
        reject_top_k(top_k)
        return [{"value": row[0] if len(row) == 1 else row} for row in outputs.tolist()]

    def cells(self, prediction: dict) -> tuple:
        """Return the number and the text."""
        value = prediction["value"]
        shown = f"{value:.3f}" if isinstance(value, float) else ", ".join(f"{each:.3f}" for each in value)
        return shown, shown_text(prediction)


register_task(
    RegressionTask(
        name="regression",
        kind="classifier",
        objective=number_objective,
        higher_is_better=False,
        problem_type="regression",
    )
)
