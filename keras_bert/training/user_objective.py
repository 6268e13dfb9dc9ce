"""A loss and metrics of the user, in place of those of a task or beside them."""

import contextlib
import inspect
from collections.abc import Iterator

import keras
import numpy as np

from keras_bert.errors import InputError
from keras_bert.inference.predict import predict_logits
from keras_bert.models import BertTokenClassifier
from keras_bert.models.encoder_of import is_user_model
from keras_bert.tasks.from_logits import FromLogits
from keras_bert.tasks.losses import MeanOf
from keras_bert.training.common import jit_compile
from keras_bert.training.metric_sums import MetricSums
from keras_bert.training.validation import BatchHooks

ACTIVATIONS = {"single_label": "softmax", "multi_label": "sigmoid", "binary": "sigmoid"}  # by problem type


class UserObjective:
    """Loss and metrics of the user. Keras's own training step runs, so each has the effect that it has in `fit`.

    Args:
        model: the model that is trained.
        task: its task, whose loss and metric are used where the user gives none.
        loss: a Keras loss, a function, a name, or None.
        metrics: Keras metrics, functions and names, or None.
        own_task: the task without a teacher, for validation.

    Raises:
        InputError: the loss or a metric is unknown, or does not accept targets and outputs of the model.
    """

    per_example_fns = None  # no kernel computes another loss

    def __init__(self, model: keras.Model, task, loss, metrics, own_task):
        self.model, self.task, self.own_task = model, task, own_task
        if isinstance(model.output, dict):
            given, kind = "metrics" if loss is None else "loss", type(model).__name__
            raise InputError(f"`{given}` must be None for a {kind}, which has two outputs. Received: {given}")
        self.own_loss = None if loss is None else _loss(loss, model)
        self.loss = task.loss if loss is None else self.own_loss
        name, function = task.metric
        known = {name, "acc"} if name == "accuracy" else {name}  # names of the task's metric, which is always logged
        self.metrics = [_metric(each, model) for each in _as_list(metrics) if each not in known]
        names = [metric.name for metric in self.metrics]
        if len(set(names)) != len(names):
            raise InputError(f"`metrics` must have different names. Received: {', '.join(names)}")
        self.task_metrics = [] if name in names or function is None else [MeanOf(function, name)]
        self.previous = {}  # metric: (value, weight) since the epoch began

    def compile(self, optimizer) -> None:
        """Compile the model with an optimizer."""
        weighted, metrics = list(self.task_metrics), list(self.metrics)
        if self.task.per_token:  # the weights leave out tokens without a label
            weighted, metrics = weighted + metrics, None
        self.model.compile(optimizer, self.loss, metrics=metrics, weighted_metrics=weighted, jit_compile=jit_compile())

    def check(self, ids: dict, targets) -> None:
        """Call loss and metrics on two rows, so that one that does not fit raises InputError before the training."""
        rows = {key: array[:2] for key, array in ids.items()}
        outputs, targets = predict_logits(self.model, rows), targets[:2]
        shapes = f"targets {targets.shape} {targets.dtype} and outputs {outputs.shape}"
        functions = [("metrics", metric.name, metric) for metric in self.metrics]
        if self.own_loss is not None:
            model = keras.Model(self.model.input, self.model.output)  # so that an error leaves the user's as it is
            model.compile(loss=self.own_loss)
            functions.append(("loss", _name(self.own_loss), model.compute_loss))
        for argument, name, function in functions:
            try:
                value = _value(function, targets, outputs)
            except Exception as error:  # of Keras or of the user's function
                line = " ".join(str(error).split())[:120]
                raise InputError(f"`{argument}` must accept {shapes}. Received: {name} ({line})") from None
            if np.size(value) != 1:  # F1Score of a binary classifier has shape (1,)
                raise InputError(
                    f"`{argument}` must return one number each. Received: {name} with shape {np.shape(value)}. "
                    'Metrics have an argument `average`, such as "macro".'
                )
        self.start_epoch()

    def batch_sums(self, logs: dict, batch: tuple) -> MetricSums:
        """Turn the logs of a batch into (sum, weight) pairs whose mean over an epoch is the value at its end.

        Keras resets the loss and the task's metric before each batch. The user's metrics are kept for an epoch, because
        the mean of AUCs of batches is no AUC: the sum of a batch is what it adds to value times weight.
        """
        rows = float(len(batch[0]["input_word_ids"]))
        count = float(batch[2].sum()) if len(batch) > 2 else rows
        sums = {metric.name: (float(logs[metric.name]) * count, count) for metric in self.task_metrics}
        loss_count = count if self.own_loss is None else rows  # Keras's losses are means over rows
        sums["loss"] = float(logs["loss"]) * loss_count, loss_count
        for metric in self.metrics:
            total, weight = self.previous.get(metric.name, (0.0, 0.0))
            value = np.asarray(logs[metric.name]).item()
            sums[metric.name] = (value * (weight + rows) - total, rows)
            self.previous[metric.name] = (value * (weight + rows), weight + rows)
        return sums

    def evaluate(self, ids: dict, targets, weights, callbacks: keras.callbacks.CallbackList) -> dict[str, float]:
        """Compute loss and metrics on validation rows, with what the `targets` of the task returned for them."""
        outputs = predict_logits(self.model, ids, on_batch=BatchHooks({}, targets, weights, callbacks))
        found = {}
        if self.own_loss is None or self.task_metrics:
            found = self.own_task.compute_metrics(outputs, targets, weights)
            found = {name: found[name] for name in ("loss", self.task.metric[0])}
        if self.own_loss is not None:
            loss = self.model.compute_loss(ids, targets, outputs, sample_weight=weights, training=False)
            found["loss"] = float(keras.ops.convert_to_numpy(loss))
        weights = weights if self.task.per_token else None
        for metric in self.metrics:
            metric.metric.reset_state()
            found[metric.name] = _value(metric, targets, outputs, weights).item()
        return found

    def start_epoch(self) -> None:
        """Reset the user's metrics."""
        self.previous = {}
        for metric in self.metrics:
            metric.metric.reset_state()

    @contextlib.contextmanager
    def running(self) -> Iterator[list]:
        """Keep the state of the user's metrics between batches; yield the callbacks that a run needs for it."""
        for metric in self.metrics:
            metric.keeps_state = True
        try:
            yield [_EpochStart(self)]
        finally:
            for metric in self.metrics:
                metric.keeps_state = False

    def identity(self) -> dict:
        """Return what a resumed run must have in common, ready for JSON."""
        return {"loss": _name(self.loss), "metrics": [metric.name for metric in self.metrics]}


class _EpochStart(keras.callbacks.Callback):
    """Reset the metrics of an objective at the beginning of a run and after each epoch."""

    def __init__(self, objective: UserObjective):
        super().__init__()
        self.objective = objective

    def on_train_begin(self, logs=None):
        self.objective.start_epoch()

    def on_epoch_end(self, epoch, logs=None):
        self.objective.start_epoch()


def _value(function, targets, outputs, weights=None):
    """Return the value of a metric, or of the `compute_loss` of a model, as a NumPy array."""
    if isinstance(function, keras.metrics.Metric):
        function.update_state(targets, outputs, sample_weight=weights)
        return keras.ops.convert_to_numpy(function.result())
    return keras.ops.convert_to_numpy(function(None, targets, outputs, training=False))


def _as_list(metrics) -> list:
    if metrics is None:
        return []
    if isinstance(metrics, dict):
        raise InputError("`metrics` must be a list for a model with one output. Received: a dict")
    return list(metrics) if isinstance(metrics, list | tuple) else [metrics]


def _loss(loss, model):
    """Return a Keras loss, or a function, that accepts logits where the model returns them."""
    try:
        found = keras.losses.get(loss)
    except (ValueError, TypeError):
        found = None
    if not callable(found):
        raise InputError(f"`loss` must be a Keras loss, a function or a name. Received: loss={loss!r:.60}")
    if not is_user_model(model) and _takes_logits(found) is False:
        raise InputError(
            f"`loss` must have from_logits=True, because a {type(model).__name__} returns logits. "
            f"Received: {_name(found)} of probabilities"
        )
    return found


def _metric(metric, model) -> FromLogits:
    """Return a metric of the outputs of a model, whose state can be kept between batches."""
    found = metric
    if isinstance(metric, str):
        try:
            found = keras.metrics.get(metric)
        except ValueError:
            found = None
    if callable(found) and not isinstance(found, keras.metrics.Metric):
        name = metric if isinstance(metric, str) else getattr(metric, "__name__", type(metric).__name__)
        found = keras.metrics.MeanMetricWrapper(found, name=name)
    if not isinstance(found, keras.metrics.Metric):
        raise InputError(f"`metrics` must be Keras metrics, functions or names. Received: {metric!r:.60}")
    if isinstance(found, FromLogits):
        return found
    default = "softmax" if isinstance(model, BertTokenClassifier) else "linear"
    activation = ACTIVATIONS.get(getattr(model, "problem_type", None), default)
    return FromLogits(found, "linear" if _takes_logits(found) else activation)


def _takes_logits(function) -> bool | None:
    """Return the value of `from_logits` of a loss or metric; None if it has no such argument."""
    if hasattr(function, "get_config"):
        config = function.get_config()
        return config.get("from_logits", (config.get("fn_kwargs") or {}).get("from_logits"))
    parameter = inspect.signature(function).parameters.get("from_logits")
    return None if parameter is None else bool(parameter.default)


def _name(function) -> str:
    return getattr(function, "__name__", type(function).__name__)
