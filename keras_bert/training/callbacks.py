"""The Keras callbacks of a run: checks, and the list that the training loop calls as `Model.fit` does."""

import keras

from keras_bert import keras_internals
from keras_bert.errors import InputError
from keras_bert.training.config import TrainingConfig


def callback_list(model: keras.Model, config: TrainingConfig, steps: int, validate_every: int):
    """Return the callbacks of a config as a `keras.callbacks.CallbackList` for a model.

    Args:
        model: the compiled model that the callbacks see as `self.model`.
        config: the settings. Used here: `callbacks`, `accumulate`, `checkpoint_dir`, `verbose`.
        steps: optimizer steps of the whole run.
        validate_every: optimizer steps of an epoch.

    Raises:
        InputError: a callback cannot work in this run.
    """
    for callback in config.callbacks:
        if isinstance(callback, keras.callbacks.BackupAndRestore) and config.checkpoint_dir is not None:
            raise InputError(
                "`callbacks` must have no BackupAndRestore in a run with `checkpoint_dir`, which resumes more exactly. "
                "Received: both"
            )
        if isinstance(callback, keras.callbacks.SwapEMAWeights) and not model.optimizer.use_ema:
            raise InputError(
                "`callbacks` must have no SwapEMAWeights unless the optimizer has use_ema=True. "
                f"Received: SwapEMAWeights and {type(model.optimizer).__name__} with use_ema=False"
            )
    return keras.callbacks.CallbackList(
        list(config.callbacks),
        model=model,
        verbose=config.verbose,
        epochs=-(-steps // validate_every),
        steps=validate_every * config.accumulate,  # batches of an epoch
    )


def begin_training(callbacks: keras.callbacks.CallbackList) -> int:
    """Call `on_train_begin`, and return the epoch that the run begins with; `BackupAndRestore` sets it."""
    keras_internals.set_initial_epoch(callbacks.model, None)
    callbacks.on_train_begin()
    epoch = keras_internals.initial_epoch(callbacks.model) or 0
    keras_internals.set_initial_epoch(callbacks.model, None)  # it is not meant for the next run
    return epoch


def epoch_logs(metrics: dict[str, float]) -> dict[str, float]:
    """Return the metrics of an epoch under the names that Keras has: without `step` and `learning_rate`."""
    return {name: value for name, value in metrics.items() if name not in ("step", "learning_rate")}
