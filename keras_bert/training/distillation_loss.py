"""Loss and targets for training a classifier on labels and a teacher's logits."""

import dataclasses

import keras
import numpy as np
from keras import ops

from keras_bert.errors import InputError
from keras_bert.ops import cross_entropy, is_correct
from keras_bert.tasks import Task
from keras_bert.tasks.losses import MeanCrossEntropy, WeightedMean
from keras_bert.training.config import TrainingConfig


@keras.saving.register_keras_serializable(package="keras_bert")
class DistillationLoss(WeightedMean):
    """Loss of distillation: (1 - alpha) * cross-entropy with the label + alpha * divergence from the teacher.

    The divergence is the Kullback-Leibler divergence of the softened distributions, times temperature ** 2. The factor
    keeps the size of the gradients independent of the temperature.

    Args:
        temperature: divides the logits of teacher and student.
        alpha: weight of the teacher's term, in [0, 1].

    Call arguments:
        y_true: float `[B, 1 + C]`: the class, then the teacher's logits.
        y_pred: float `[B, C]` logits.

    Example:

    >>> loss = DistillationLoss(temperature=1.0, alpha=1.0)
    >>> round(float(loss(np.array([[0.0, 0.0, 0.0]]), np.zeros((1, 2), "float32"))), 4)  # equal distributions
    0.0

    Source: Hinton et al. 2015 (arXiv:1503.02531), section 2.
    """

    def __init__(self, temperature=2.0, alpha=0.5, name="distillation_loss"):
        super().__init__(name)
        self.temperature, self.alpha = temperature, alpha

    def get_config(self):
        """Return the arguments of the constructor."""
        return {**super().get_config(), "temperature": self.temperature, "alpha": self.alpha}

    def call(self, y_true, y_pred):
        """Compute the loss of each example, float32 `[B]`."""
        labels = y_true[:, 0]  # [B]
        teacher_logits = ops.cast(y_true[:, 1:], "float32") / self.temperature  # [B, C]
        student_logits = ops.cast(y_pred, "float32") / self.temperature  # [B, C]
        log_ratios = ops.log_softmax(teacher_logits) - ops.log_softmax(student_logits)  # [B, C]
        divergence = ops.sum(ops.softmax(teacher_logits) * log_ratios, -1) * self.temperature**2  # [B]
        return (1 - self.alpha) * cross_entropy(labels, y_pred) + self.alpha * divergence


def check_teacher(task: Task, labels, teacher_logits, config: TrainingConfig) -> None:
    """Check that the teacher's logits can be used for a task, and that their settings are not given without them.

    Args:
        task: the task of the model that is trained.
        labels: the training targets of the task.
        teacher_logits: the logits, or None.
        config: settings.

    Raises:
        InputError: the task is not single-label classification, or there are no logits although `temperature` or
            `alpha` differs from its default.
    """
    if teacher_logits is None:
        for name in ("temperature", "alpha"):
            value = getattr(config, name)
            if value != getattr(TrainingConfig, name):
                raise InputError(f"`{name}` must be given together with `teacher_logits`. Received: {name}={value!r}")
    elif not isinstance(task.loss, MeanCrossEntropy) or isinstance(labels, dict) or labels.ndim != 1:
        raise InputError(
            "`teacher_logits` must be None unless the task has one class per example. "
            f"Received: a task of {task.name} with `teacher_logits`"
        )


def distillation_targets(labels, teacher_logits, num_classes: int) -> np.ndarray:
    """Build the targets of `DistillationLoss`.

    Args:
        labels: int `[N]`.
        teacher_logits: float `[N, C]`.
        num_classes: C.

    Returns:
        float32 `[N, 1 + C]`.

    Raises:
        InputError: `teacher_logits` have another shape or values that are not finite.
    """
    logits = np.asarray(teacher_logits, np.float32)
    if logits.shape != (len(labels), num_classes) or not np.isfinite(logits).all():
        raise InputError(
            f"`teacher_logits` must be finite numbers of shape ({len(labels)}, {num_classes}). "
            f"Received: shape={logits.shape}, finite={bool(np.isfinite(logits).all())}"
        )
    return np.concatenate([np.asarray(labels, np.float32)[:, None], logits], axis=1)


def distillation_task(task: Task, temperature: float, alpha: float) -> Task:
    """Return a single-label classification task with the loss `DistillationLoss`."""
    loss = DistillationLoss(temperature, alpha)
    return dataclasses.replace(task, objective=lambda: (loss, ("accuracy", is_label_correct)))


@keras.saving.register_keras_serializable(package="keras_bert")
def is_label_correct(y_true, y_pred):
    """Return 1 where the label has the highest logit, otherwise 0, for targets `[B, 1 + C]`: float32 `[B]`."""
    return is_correct(y_true[:, 0], y_pred)
