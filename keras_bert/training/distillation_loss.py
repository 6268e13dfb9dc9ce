"""Learning a task from labels and from a teacher's logits at once."""

import dataclasses

import keras
import numpy as np
from keras import ops

from keras_bert.errors import InputError
from keras_bert.tasks import Task
from keras_bert.tasks.losses import WeightedMean, cross_entropy, is_correct


@keras.saving.register_keras_serializable(package="keras_bert")
class DistillationLoss(WeightedMean):
    """(1 - share) times the cross-entropy with the label, share times that with the teacher's softened distribution.

    Args:
        temperature: what both logits are divided by in the second; its square puts the gradient's size back.
        share: of the teacher, in [0, 1].

    Call arguments:
        y_true: float `[B, 1 + C]`: the class, then the teacher's logits.
        y_pred: float `[B, C]` logits.

    Example:

    >>> loss = DistillationLoss(temperature=1.0, share=1.0)
    >>> round(float(loss(np.array([[0.0, 0.0, 0.0]]), np.zeros((1, 2), "float32"))), 4)  # agreeing costs nothing
    0.0

    Source: Hinton et al. 2015 (arXiv:1503.02531), section 2.
    """

    def __init__(self, temperature=2.0, share=0.5, name="taught_cross_entropy"):
        super().__init__(name)
        self.temperature, self.share = temperature, share

    def get_config(self):
        return {**super().get_config(), "temperature": self.temperature, "share": self.share}

    def call(self, y_true, y_pred):
        labels, theirs = y_true[:, 0], ops.cast(y_true[:, 1:], "float32") / self.temperature  # [B], [B, C]
        ours = ops.cast(y_pred, "float32") / self.temperature
        taught = ops.softmax(theirs)
        soft = ops.sum(taught * (ops.log_softmax(theirs) - ops.log_softmax(ours)), -1) * self.temperature**2  # [B]
        return (1 - self.share) * cross_entropy(labels, y_pred) + self.share * soft


def distillation_targets(labels, teacher_logits, num_classes: int) -> np.ndarray:
    """Targets of `DistillationLoss`: float32 `[N, 1 + C]`.

    Raises:
        InputError: other logits than one of each class for each label.
    """
    logits = np.asarray(teacher_logits, np.float32)
    if logits.shape != (len(labels), num_classes) or not np.isfinite(logits).all():
        raise InputError(
            f"a teacher's logits are finite numbers, one a class, [{len(labels)}, {num_classes}]. "
            f"Received: shape {logits.shape}"
        )
    return np.concatenate([np.asarray(labels, np.float32)[:, None], logits], axis=1)


def distillation_task(task: Task, temperature: float, share: float) -> Task:
    """The task of learning classes from labels and a teacher.

    Raises:
        InputError: another task than one class of several, or impossible settings.
    """
    if task.problem_type != "single_label":
        raise InputError(f"a teacher's logits are for one class of several. Received: a task of {task.name}")
    if temperature <= 0 or not 0 <= share <= 1:
        raise InputError(
            "a temperature above 0 and a share in [0, 1] are expected. "
            f"Received: temperature={temperature!r}, alpha={share!r}"
        )
    loss = DistillationLoss(temperature, share)
    return dataclasses.replace(task, loss=loss, metric=("accuracy", first_right))


def first_right(y_true, y_pred):
    """`right` for targets `[B, 1 + C]` that begin with the class."""
    return is_correct(y_true[:, 0], y_pred)
