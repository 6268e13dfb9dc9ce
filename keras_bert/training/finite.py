"""The stop of a run whose loss or weights are no longer finite, with the last good weights."""

import math
from pathlib import Path

import keras
import numpy as np

from keras_bert import keras_internals, ops
from keras_bert.errors import NonFiniteError
from keras_bert.training.checkpoint import FILE, has_checkpoint


class FiniteGuard:
    """Checks of a run, and a copy of the weights of the last step at which all of them were finite.

    A NaN of one batch makes all weights NaN, so the weights from before the batch cannot be computed back. The copy is
    made where the training loop evaluates or writes a checkpoint.

    Args:
        model: the model that is trained, compiled, with a built optimizer.
        steps: number of the last step.
        epoch_batches: batches of an epoch of the data.
        accumulate: batches of a step.
        folder: the folder of checkpoints, or None.
        step: the step at which the run starts.

    Raises:
        NonFiniteError: a weight is not finite before the first step.
    """

    def __init__(
        self, model: keras.Model, steps: int, epoch_batches: int, accumulate: int = 1, folder=None, step: int = 0
    ):
        self._model, self._steps, self._folder = model, steps, folder
        self._epoch_batches, self._accumulate = epoch_batches, accumulate
        self._good: list[tuple[keras.Variable, np.ndarray]] = []
        self._good_step = step
        trained = {id(variable) for variable in model.trainable_weights}
        # A constant of the user may be infinite, such as a mask.
        self._exempt = {id(v) for v in model.weights if id(v) not in trained and not _is_finite(ops.to_numpy(v))}
        self.keep(step)

    def keep(self, step: int) -> None:
        """Check all weights and the optimizer's state after a step, and copy the weights.

        Raises:
            NonFiniteError: one is not finite. The model has the weights of the last call.
        """
        weights = [(variable, np.array(ops.to_numpy(variable))) for variable in self._model.weights]
        state = [(variable, ops.to_numpy(variable)) for variable in self._model.optimizer.variables]
        for name, values in (("optimizer", state), ("weights", weights)):
            for variable, value in values:
                if not _is_finite(value) and id(variable) not in self._exempt:
                    self._stop(name, f"{_first(value)} in {variable.path} after", step)
        self._good, self._good_step = weights, step

    def check_batch(self, sums: dict, number: int, step: int) -> None:
        """Check the losses of a batch.

        Args:
            sums: the batch's (sum, weight) pairs by metric.
            number: the batch, counted from 0 over all epochs of the data.
            step: the step that it is a part of, counted from 1.

        Raises:
            NonFiniteError: a loss is not finite. The model has the last good weights.
        """
        for name, (total, weight) in sums.items():
            if _is_loss(name) and not math.isfinite(total):
                self._stop(name, f"{name}={total / weight if weight else total} in", step, number)

    def check_metrics(self, metrics: dict[str, float], step: int) -> None:
        """Check the losses of an evaluation after a step.

        Raises:
            NonFiniteError: a loss is not finite. The model has the last good weights.
        """
        for name, value in metrics.items():
            if _is_loss(name) and not math.isfinite(value):
                self._stop(f"val_{name}", f"val_{name}={value} on the validation data after", step)

    def _stop(self, name: str, received: str, step: int, batch: int | None = None) -> None:
        """Assign the last good weights and raise the error. `batch` is by default the last one of the step."""
        batch = max(0, step * self._accumulate - 1) if batch is None else batch
        epoch, index = divmod(batch, self._epoch_batches)
        schedule = keras_internals.schedule_of(self._model.optimizer)
        rate = self._model.optimizer.learning_rate if schedule is None else schedule(max(0, step - 1))
        rate = float(keras.ops.convert_to_numpy(rate))
        for variable, value in self._good:
            variable.assign(value)
        place = f"in {Path(self._folder) / FILE}" if has_checkpoint(self._folder) else "in the model"
        kept = f" The weights of step {self._good_step} are kept {place}." if self._good else ""
        raise NonFiniteError(
            f"`{name}` must be finite in training. Received: {received} step {step} of {self._steps} "
            f"(batch {index + 1} of epoch {epoch + 1}), learning_rate={rate:g}.{kept} "
            "Use a lower learning rate, or check the data."
        )


class StopAtNonFinite(keras.callbacks.Callback):
    """`FiniteGuard` for `Model.fit`.

    Args:
        epoch_batches: batches of an epoch.
        epochs: number of epochs.
    """

    def __init__(self, epoch_batches: int, epochs: int):
        super().__init__()
        self._batches, self._steps = epoch_batches, epoch_batches * epochs

    def on_train_begin(self, logs=None):
        """Copy the weights."""
        self.model.optimizer.build(self.model.trainable_variables)
        self._guard, self._step = FiniteGuard(self.model, self._steps, self._batches), 0

    def on_train_batch_end(self, batch, logs=None):
        """Check the loss."""
        self._step += 1
        self._guard.check_batch({"loss": (float(logs["loss"]), 1.0)}, self._step - 1, self._step)

    def on_epoch_end(self, epoch, logs=None):
        """Check weights and validation loss, and copy the weights."""
        self._guard.check_metrics({"loss": float(logs["val_loss"])}, self._step)
        self._guard.keep(self._step)


def _is_loss(name: str) -> bool:
    return name == "loss" or name.endswith("_loss")


def _is_finite(value: np.ndarray) -> bool:
    return bool(np.isfinite(value).all())


def _first(value: np.ndarray) -> float:
    """Return the first number that is not finite."""
    return float(value[~np.isfinite(value)][0])
