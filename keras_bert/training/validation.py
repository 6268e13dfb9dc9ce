"""Evaluation on validation rows during fine-tuning, with the hooks that `Model.evaluate` calls."""

import keras
import numpy as np

from keras_bert.inference.predict import predict_logits
from keras_bert.tasks import Task
from keras_bert.training.metric_sums import MetricSums, accumulate_metrics, mean_metrics


def validate(model, task: Task, ids: dict, targets, weights, callbacks: keras.callbacks.CallbackList) -> dict:
    """Compute loss and metric of a task on rows of token ids, and call the callbacks before and after each batch.

    Args:
        model: a model of the task.
        task: the task.
        ids: dict of the encoder's inputs, int32 `[N, T]`.
        targets, weights: what `task.targets` returned for the rows.
        callbacks: the callbacks of the run.

    Returns:
        A dict of `loss` and the name of the task's metric, over all rows.
    """
    names = ("loss", task.metric[0])
    hooks = BatchHooks(task.per_example_fns, targets, weights, callbacks) if callbacks.callbacks else None
    outputs = predict_logits(model, ids, on_batch=hooks)
    metrics = task.compute_metrics(outputs, targets, weights)
    return {name: metrics[name] for name in names}


class BatchHooks:
    """Calls `on_test_batch_begin` and `on_test_batch_end` with the means over all batches so far.

    Args:
        per_example_fns: functions of targets and outputs by the names of the means; empty for none.
        targets, weights: what `task.targets` returned for the rows.
        callbacks: the callbacks of the run.
    """

    def __init__(self, per_example_fns: dict, targets, weights, callbacks):
        self._fns, self._callbacks = per_example_fns, callbacks
        self._targets, self._weights = _by_output(targets), _by_output(weights)
        self._sums: MetricSums = {}
        self._index = 0

    def begin(self) -> None:
        """Call the hook before a batch."""
        self._callbacks.on_test_batch_begin(self._index)

    def end(self, rows: np.ndarray, outputs: dict[str, np.ndarray]) -> None:
        """Call the hook after a batch: the indices of its rows, and the outputs by name."""
        for output, values in outputs.items():
            weight = np.ones(len(rows)) if self._weights is None else self._weights[output][rows]
            for name, function in self._fns.items():
                per_example = keras.ops.convert_to_numpy(function(self._targets[output][rows], values))
                accumulate_metrics(self._sums, {name: ((per_example * weight).sum(), weight.sum())})
        self._callbacks.on_test_batch_end(self._index, mean_metrics(self._sums))
        self._index += 1


def _by_output(arrays) -> dict[str, np.ndarray] | None:
    return arrays if arrays is None or isinstance(arrays, dict) else {"": arrays}
