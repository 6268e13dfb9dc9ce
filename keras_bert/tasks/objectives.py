"""What each kind of model learns: its targets, its loss, what counts as right, and how it is judged.

A task is found by its model: a `BertClassifier` by its `problem_type`, a `BertFeatureClassifier`, a `BertSpanLabeler`,
a `BertTokenClassifier`.
"""

import dataclasses
from collections.abc import Callable

import keras
import numpy as np
from keras import ops

from keras_bert.errors import InputError
from keras_bert.models import BertClassifier, BertFeatureClassifier, BertSpanLabeler, BertTokenClassifier
from keras_bert.tasks.losses import MeanCrossEntropy, MeanOf, WeightedMean, right

IGNORED = -1  # the label of a token that has none


@dataclasses.dataclass(frozen=True)
class Task:
    """How a kind of label is learned.

    Attributes:
        name: `"class"`, `"labels"`, `"number"`, `"span"` or `"tokens"`.
        loss: a `WeightedMean`, for each output.
        measure: beside the loss, what is logged: its name, and a function of targets and outputs, a number for each.
        targets: from a model, ids and labels to targets and weights (or None), arrays or dicts by output; it refuses
            labels that do not fit.
        per_token: whether targets go along the tokens.
    """

    name: str
    loss: WeightedMean
    measure: tuple[str, Callable]
    targets: Callable
    per_token: bool = False

    @property
    def measures(self) -> dict[str, Callable]:
        """For `fused.train_on_batch`."""
        return {"loss": self.loss.call, self.measure[0]: self.measure[1]}

    def compile(self, model, optimizer, jit_compile) -> None:
        """Give a model its optimizer, and each output its loss and its measure."""
        outputs = model.output if isinstance(model.output, dict) else None
        name, function = self.measure
        losses = self.loss if outputs is None else {key: self.loss for key in outputs}
        metrics = [MeanOf(function, name)] if outputs is None else {key: [MeanOf(function, name)] for key in outputs}
        model.compile(optimizer, loss=losses, weighted_metrics=metrics, jit_compile=jit_compile)


def task_of(model) -> Task:
    """The task of a model.

    Raises:
        InputError: a model without one.

    Example:

    >>> import keras_bert as kb
    >>> config = kb.BertConfig(vocab_size=50, hidden_size=8, num_layers=1, num_heads=2, intermediate_size=16)
    >>> task_of(kb.BertSpanLabeler(kb.BertEncoder(config))).name
    'span'
    """
    if isinstance(model, BertClassifier):
        return {"single_label": CLASS, "multi_label": LABELS, "regression": NUMBER}[model.problem_type]
    if isinstance(model, BertFeatureClassifier):
        return CLASS
    if isinstance(model, BertSpanLabeler):
        return SPAN
    if isinstance(model, BertTokenClassifier):
        return TOKENS
    raise InputError(f"a model with a head for a task is expected. Received: {type(model).__name__}")


def _class_targets(model, ids: dict, labels):
    labels, rows = np.asarray(labels), len(ids["input_word_ids"])
    if labels.shape != (rows,) or (rows and not np.issubdtype(labels.dtype, np.integer)):
        raise InputError(f"whole-number labels, {rows}, are expected. Received: {labels.dtype} of shape {labels.shape}")
    _check_range(labels, 0, model.num_classes - 1)
    return labels.astype(np.int32), None


def _label_targets(model, ids: dict, labels):
    labels, shape = np.asarray(labels), (len(ids["input_word_ids"]), model.num_classes)
    if labels.shape != shape or not np.isin(labels, (0, 1)).all():
        raise InputError(
            f"labels that apply or not, 1 or 0 of shape {list(shape)}, are expected. "
            f"Received: {labels.dtype} of shape {labels.shape}"
        )
    return labels.astype(np.float32), None


def _number_targets(model, ids: dict, labels):
    labels, rows = np.asarray(labels, np.float32), len(ids["input_word_ids"])
    if labels.shape == (rows,):
        labels = labels[:, None]
    if labels.shape != (rows, model.num_classes) or not np.isfinite(labels).all():
        raise InputError(f"finite numbers, {rows}, are expected. Received: shape {labels.shape}")
    return labels, None


def _span_targets(model, ids: dict, labels):
    rows, length = ids["input_word_ids"].shape
    found = {}
    for name in ("start_logits", "end_logits"):
        if name not in labels:
            raise InputError(f"a span has start_logits and end_logits. Received: no {name}")
        found[name] = np.asarray(labels[name])
        if found[name].shape != (rows,) or not np.issubdtype(found[name].dtype, np.integer):
            raise InputError(f"{name} are {rows} places of tokens. Received: shape {found[name].shape}")
        _check_range(found[name], 0, length - 1)
    return {name: value.astype(np.int32) for name, value in found.items()}, None


def _token_targets(model, ids: dict, labels):
    labels = np.asarray(labels)
    if labels.shape != ids["input_word_ids"].shape or not np.issubdtype(labels.dtype, np.integer):
        raise InputError(
            f"a label for each token, {list(ids['input_word_ids'].shape)}, is expected, {IGNORED} for none. "
            f"Received: {labels.dtype} of shape {labels.shape}"
        )
    _check_range(labels, IGNORED, model.num_classes - 1)
    counted = labels >= 0
    return np.where(counted, labels, 0).astype(np.int32), counted.astype(np.float32)


def _check_range(labels: np.ndarray, low: int, high: int) -> None:
    if labels.size and not low <= labels.min() <= labels.max() <= high:
        raise InputError(f"labels must lie in {low} … {high}. Received: {labels.min()} … {labels.max()}")


@keras.saving.register_keras_serializable(package="keras_bert")
class MeanBinaryCrossEntropy(WeightedMean):
    """The cross-entropy of each label that may apply, in nats, the mean over them and over rows."""

    def __init__(self, name="binary_cross_entropy"):
        super().__init__(name)

    def call(self, y_true, y_pred):
        logits, labels = ops.cast(y_pred, "float32"), ops.cast(y_true, "float32")  # [B, C]
        # max(x, 0) - x y + log(1 + exp(-|x|)), which overflows nowhere
        losses = ops.maximum(logits, 0) - logits * labels + ops.log1p(ops.exp(-ops.abs(logits)))
        return ops.mean(losses, -1)  # [B]


@keras.saving.register_keras_serializable(package="keras_bert")
class MeanSquaredError(WeightedMean):
    """The squared difference, the mean over numbers and rows."""

    def __init__(self, name="squared_error"):
        super().__init__(name)

    def call(self, y_true, y_pred):
        return ops.mean((ops.cast(y_pred, "float32") - ops.cast(y_true, "float32")) ** 2, -1)  # [B]


def labels_right(y_true, y_pred):
    """The share of a row's labels that are told right: float32 `[B]`."""
    said = ops.cast(y_pred > 0, "float32")
    return ops.mean(ops.cast(said == ops.cast(y_true, "float32"), "float32"), -1)


def absolute_error(y_true, y_pred):
    """How far a row's numbers are off: float32 `[B]`."""
    return ops.mean(ops.abs(ops.cast(y_pred, "float32") - ops.cast(y_true, "float32")), -1)


CLASS = Task("class", MeanCrossEntropy(), ("accuracy", right), _class_targets)
LABELS = Task("labels", MeanBinaryCrossEntropy(), ("accuracy", labels_right), _label_targets)
NUMBER = Task("number", MeanSquaredError(), ("error", absolute_error), _number_targets)
SPAN = Task("span", MeanCrossEntropy(), ("accuracy", right), _span_targets)
TOKENS = Task("tokens", MeanCrossEntropy(), ("accuracy", right), _token_targets, per_token=True)
