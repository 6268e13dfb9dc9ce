"""What a run of `finetune` minimizes and reports: the loss and metric of a task, or those of the user."""

import contextlib
import math

import keras
import numpy as np

from keras_bert.errors import InputError
from keras_bert.models.encoder_of import check_user_model, is_user_model, returns_class_logits
from keras_bert.tasks import Task, task_for
from keras_bert.training.common import jit_compile
from keras_bert.training.metric_sums import MetricSums
from keras_bert.training.user_objective import UserObjective
from keras_bert.training.validation import validate


class GivenLabels:
    """Replacement of the task of a functional model with a loss of the user. Labels are used as they are."""

    name = "functional model"
    metric = (None, None)
    loss = None
    per_token = False

    def __init__(self, model: keras.Model):
        check_user_model(model)
        self.has_class_ids = model.output.ndim == 2 and model.output.shape[-1] > 1

    def targets(self, model, ids: dict, labels) -> tuple:
        """Return the labels, numbers with N rows."""
        if not isinstance(labels, np.ndarray) or labels.dtype.kind not in "iuf" or not np.isfinite(labels).all():
            raise InputError(
                "`labels` must be finite numbers for a functional model with `loss`. Received: other labels"
            )
        return labels, None


def training_task(model: keras.Model, loss):
    """Return the task of a model, or `GivenLabels` for a functional model with a loss of the user.

    Raises:
        InputError: the model is of an unknown class, or its loss cannot be inferred.
    """
    if is_user_model(model):
        if loss is not None:
            return GivenLabels(model)
        check_user_model(model)
        if not returns_class_logits(model):
            raise InputError(
                "`loss` must be given for a functional model that does not end with a Dense layer of class logits. "
                "Received: loss=None"
            )
    return task_for(model)


def make_objective(model: keras.Model, task, loss, metrics, own_task=None):
    """Return the objective of a run.

    Args:
        model: the model that is trained.
        task: its task; with the loss of distillation, if it has a teacher.
        loss, metrics: those of the user, or None.
        own_task: the task without a teacher, for validation. None means `task`.
    """
    if loss is None and not metrics:
        return TaskObjective(model, task, own_task or task)
    return UserObjective(model, task, loss, metrics, own_task or task)


class TaskObjective:
    """The loss and the metric of a task.

    Args:
        model: the model that is trained.
        task: its task; with the loss of distillation, if it has a teacher.
        own_task: the task without a teacher, for validation.
    """

    def __init__(self, model: keras.Model, task: Task, own_task: Task):
        self.model, self.task, self.own_task = model, task, own_task
        self.per_example_fns = task.per_example_fns
        self.names = ("loss", task.metric[0])

    def compile(self, optimizer) -> None:
        """Compile the model with an optimizer."""
        self.task.compile(self.model, optimizer, jit_compile())

    def batch_sums(self, logs: dict, batch: tuple) -> MetricSums:
        """Turn the means that Keras logs for a batch into (sum, weight) pairs."""
        count = float(batch[2].sum()) if len(batch) > 2 else float(len(batch[0]["input_word_ids"]))
        return {name: (_mean_log(logs, name) * count, count) for name in self.names}

    def evaluate(self, ids: dict, targets, weights, callbacks: keras.callbacks.CallbackList) -> dict[str, float]:
        """Compute loss and metric on validation rows, with what the `targets` of the task returned for them."""
        return validate(self.model, self.own_task, ids, targets, weights, callbacks)

    def check(self, ids: dict, targets) -> None:
        """Do nothing: the task has checked the targets."""

    def running(self):
        """Return a context without callbacks."""
        return contextlib.nullcontext([])

    def identity(self) -> dict:
        """Return what a resumed run must have in common, ready for JSON."""
        return {}


def selection_key(metrics: dict[str, float]) -> tuple[float, ...]:
    """Return the key that epochs are compared by. The epoch with the largest key is the best.

    The key is `val_selection_metric` or, without it, `val_accuracy`. Ties are resolved by the lowest `val_loss`. Where
    there is neither, as in regression, the lowest `val_loss` decides.

    Args:
        metrics: the metrics of one epoch, by the names in the history.

    Example:

    >>> selection_key({"val_accuracy": 0.9, "val_loss": 0.3})
    (0.9, -0.3)
    """
    value = next((metrics[name] for name in ("val_selection_metric", "val_accuracy") if name in metrics), 0.0)
    return -math.inf if math.isnan(value) else value, -metrics["val_loss"]  # NaN, such as an undefined correlation


def _mean_log(logs: dict, name: str) -> float:
    """Return a metric, averaged over the outputs: for several outputs, Keras logs only the sum of their losses."""
    parts = [float(value) for key, value in logs.items() if key.endswith(f"_{name}")]
    return sum(parts) / len(parts) if parts else float(logs[name])
