"""The training loop of all trainers: steps, evaluations, checkpoints and interruption."""

import dataclasses
from collections.abc import Callable, Sequence

import keras
import numpy as np

from keras_bert import ops
from keras_bert.training.callbacks import begin_training, callback_list, epoch_logs
from keras_bert.training.checkpoint import Progress, load_checkpoint, save_checkpoint
from keras_bert.training.config import TrainingConfig
from keras_bert.training.finite import FiniteGuard
from keras_bert.training.interrupts import defer_interrupts
from keras_bert.training.metric_sums import MetricSums, accumulate_metrics, mean_metrics
from keras_bert.training.processes import any_process, check_same_run, is_first_process, wait_for_processes
from keras_bert.training.run_log import RunLog


def run(
    model: keras.Model,
    batches,
    config: TrainingConfig,
    *,
    title: str,
    steps: int,
    validate_every: int,
    per_example_fns: dict[str, Callable],
    batch_sums: Callable[[dict, tuple], MetricSums],
    evaluate: Callable[[keras.callbacks.CallbackList], dict[str, float]] | None,
    selection_key: Callable[[dict[str, float]], tuple[float, ...]],
    identity: dict,
    trace_batches: Sequence[tuple] = (),
    few_lengths: bool = False,
    callback_model: keras.Model | None = None,
) -> keras.callbacks.History:
    """Train a compiled model up to step `steps`, from a checkpoint if there is one.

    `Model.fit` is not used, for three reasons. It cannot start within an epoch. It averages losses over batches, where
    every prediction should have the same weight. It fixes the input shapes by the first two batches.

    Callbacks are called as `Model.fit` calls them. An epoch is the interval between two evaluations, and its batches
    are counted from 0. A run that resumes within an epoch begins that epoch again with `on_epoch_begin`.

    Args:
        model: a compiled model.
        batches: an object with `batch(epoch, i)` and a length.
        config: the settings. Used here: `seed`, `accumulate`, checkpoints, `log_dir`, `callbacks`, `verbose`.
        title: name shown with the progress.
        steps: number of the last step.
        validate_every: steps between evaluations.
        per_example_fns: the loss and metrics that the model is compiled with, as functions of targets and outputs that
            return one value per prediction; see `ops.train_on_batch`.
        batch_sums: function of a batch's logs and the batch that returns the metrics as (sum, weight) pairs.
        evaluate: function that returns the metrics on validation data and calls the hooks of test batches; None if
            there is no validation.
        selection_key: function of an evaluation's metrics. The weights with the largest key are kept.
        identity: what a resumed run must have in common with the first one, ready for JSON.
        trace_batches: if batches vary in shape, two batches that differ in every size that varies.
        few_lengths: whether the rows of these batches have few different lengths, see `ops.train_on_batch`.
        callback_model: the model that callbacks see, compiled with the same optimizer. None means `model`.

    Returns:
        A Keras `History` with one entry per evaluation. With validation, the model has the weights of the best one.

    Raises:
        InputError: a callback cannot work in this run, or the checkpoint is of another model or run.
        NonFiniteError: a loss or a weight is not finite. The last checkpoint stays, and the model has the weights of
            the last checkpoint or evaluation.
        KeyboardInterrupt: after Ctrl-C, when the current step is complete and a checkpoint is written.
    """
    visible = callback_model or model
    model.optimizer.build(model.trainable_variables)
    if not is_first_process():
        config = dataclasses.replace(config, log_dir=None, verbose=0)
    callbacks = callback_list(visible, config, steps, validate_every)
    train_on_batch = ops.train_on_batch(model, per_example_fns, bool(trace_batches), few_lengths)
    if keras.backend.backend() == "tensorflow":
        _warm_up_traces(model, train_on_batch, trace_batches)
    folder, progress = config.checkpoint_dir, None
    if folder is not None:
        wait_for_processes()  # the first one may still write the checkpoint of an earlier run
        progress = load_checkpoint(folder, model, identity)
    if progress is None:
        progress = Progress()
        _seed_dropout(model, config.seed)
    check_same_run(identity, progress.step)
    visible.stop_training = False
    guard = FiniteGuard(visible, steps, len(batches), config.accumulate, folder, progress.step)

    def save() -> None:
        guard.keep(progress.step)
        if folder is not None:
            save_checkpoint(folder, model, progress, identity)

    step_complete, logs = True, None

    def train_epoch(first: int, end: int) -> None:
        """Train from the step of `progress` to step `end`, or until a callback stops the training."""
        nonlocal step_complete
        while progress.step < end:
            step_complete = False
            for number in range(progress.step * config.accumulate, (progress.step + 1) * config.accumulate):
                index = number - first * config.accumulate  # of the batch in its epoch
                callbacks.on_train_batch_begin(index)
                batch = batches.batch(*divmod(number, len(batches)))
                sums = batch_sums(train_on_batch(*batch), batch)
                guard.check_batch(sums, number, progress.step + 1)
                accumulate_metrics(progress.sums, sums)
                last = number + 1 == (progress.step + 1) * config.accumulate
                if last:  # before the callback: it may raise KeyboardInterrupt
                    progress.step += 1
                    step_complete = True
                running = mean_metrics(progress.sums)
                if last:
                    log.step(progress.step, running, lambda: _learning_rate(model))
                callbacks.on_train_batch_end(index, running)
            if progress.step < end and progress.step % config.checkpoint_every == 0:
                save()
            if any_process(interrupted()):
                raise KeyboardInterrupt
            if visible.stop_training:
                break

    progress.step = max(progress.step, begin_training(callbacks) * validate_every)
    log = RunLog(title, steps, progress.step, config.log_dir, config.verbose)
    with log, defer_interrupts() as interrupted:
        try:
            # A run may have been interrupted between a step and its evaluation: then there are sums.
            while progress.step < steps or progress.sums:
                epoch = (progress.step - bool(progress.sums)) // validate_every
                callbacks.on_epoch_begin(epoch)
                if logs is not None:  # after both hooks, so that the checkpoint has what callbacks changed in them
                    save()
                if any_process(interrupted()):
                    raise KeyboardInterrupt
                train_epoch(epoch * validate_every, min((epoch + 1) * validate_every, steps))
                metrics = _finish_epoch(model, progress, callbacks, evaluate, selection_key, guard)
                log.evaluation(progress.step, metrics)
                logs = epoch_logs(metrics)
                callbacks.on_epoch_end(epoch, logs)
                if visible.stop_training:
                    break
            if logs is not None:
                save()
        except KeyboardInterrupt:
            # A second Ctrl-C can come within a step. Then the previous checkpoint is kept.
            if step_complete:
                save()
            raise
        model.optimizer.finalize_variable_values(model.trainable_variables)  # for optimizers that average weights
        if progress.best_weights:
            model.set_weights(progress.best_weights)
        callbacks.on_train_end(logs)  # last: EarlyStopping restores the weights that are best by its own measure
    return _as_history(visible, progress.history)


def _learning_rate(model) -> float:
    return float(keras.ops.convert_to_numpy(model.optimizer.learning_rate))


def _finish_epoch(model, progress: Progress, callbacks, evaluate, selection_key, guard: FiniteGuard) -> dict:
    """Compute the metrics since the last evaluation, evaluate, and keep the weights if they are the best so far."""
    metrics = {"step": progress.step, **mean_metrics(progress.sums), "learning_rate": _learning_rate(model)}
    if evaluate is not None:
        callbacks.on_test_begin()
        found = evaluate(callbacks)
        guard.check_metrics(found, progress.step)
        metrics.update({f"val_{name}": value for name, value in found.items()})
        key = selection_key(metrics)
        if progress.best_key is None or key > progress.best_key:
            progress.best_key = key
            # Before `on_test_end`, because SwapEMAWeights evaluates other weights than it trains.
            progress.best_weights = [np.array(ops.to_numpy(weight)) for weight in model.weights]
        callbacks.on_test_end(found)
    guard.keep(progress.step)
    for name, value in metrics.items():
        progress.history.setdefault(name, []).append(value)
    progress.sums = {}
    return metrics


def _as_history(model: keras.Model, metrics: dict[str, list[float]]) -> keras.callbacks.History:
    history = keras.callbacks.History()
    history.set_model(model)
    history.history = metrics
    history.epoch = list(range(len(metrics.get("step", []))))
    return history


def _seed_dropout(model: keras.Model, seed: int) -> None:
    """Set the states of the seed generators from `seed`; Keras initializes them from its global seed."""
    rng = np.random.default_rng([seed, len(model.variables)])
    weights = {id(variable) for variable in model.weights}
    for variable in model.variables:
        if id(variable) not in weights:
            variable.assign(rng.integers(2**31, size=tuple(variable.shape)).astype("uint32"))
    if keras.backend.backend() == "torch":  # Keras uses the generators of the process for dropout on PyTorch
        import torch

        torch.manual_seed(seed)


def _warm_up_traces(model: keras.Model, train_on_batch: Callable, batches: Sequence[tuple]) -> None:
    """Trace the training step of TensorFlow for all shapes before the first step, and undo the changes of weights.

    TensorFlow builds one graph for the first input shape, and a general graph for any shape when a second shape comes.
    The two graphs may round differently. Without this function, a resumed run could start with another graph than the
    uninterrupted run used at the same step, and would not give the same weights. After steps on two batches of
    different shapes, every later step uses the general graph. The steps change the variables, so their values from
    before are assigned again.
    """
    variables = [*model.variables, *model.optimizer.variables]
    before = [keras.ops.convert_to_numpy(variable) for variable in variables]
    for batch in batches:
        train_on_batch(*batch)
    for variable, value in zip(variables, before, strict=True):
        variable.assign(value)
