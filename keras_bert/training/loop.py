"""One loop for pretraining and fine-tuning: steps, rounds with validation, checkpoints, interruption."""

import contextlib
import signal
import threading
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import keras
import numpy as np

from keras_bert import ops
from keras_bert.training.checkpoint import Progress, load_checkpoint, save_checkpoint
from keras_bert.training.log import RunLog

Sums = dict[str, tuple[float, float]]


def run(
    model: keras.Model,
    batches,
    *,
    title: str,
    steps: int,
    round_steps: int,
    measures: dict[str, Callable],
    measure: Callable[[dict, tuple], Sums],
    validate: Callable[[], dict[str, float]] | None,
    score: Callable[[dict[str, float]], tuple[float, ...]],
    settings: dict,
    seed: int,
    accumulate: int = 1,
    shapes: Sequence[tuple] = (),
    checkpoint_dir: str | Path | None,
    checkpoint_every: int,
    log_dir: str | Path | None,
    callbacks,
    verbose: int,
) -> keras.callbacks.History:
    """Train a compiled model for `steps` steps of its optimizer; go on from a checkpoint where there is one.

    A loop of its own and not `fit`, since `fit` cannot begin in the middle of an epoch, averages losses over batches
    where predictions should count alike, and fixes the input shapes by the first two batches.

    Args:
        model: compiled.
        batches: has `batch(epoch, i)` and a length.
        title: shown with the progress.
        steps: the number of the last step.
        round_steps: after how many steps metrics are reported, the model is validated and its weights compared.
        measures: what the model is compiled with, each a number for each prediction; see `ops.train_on_batch`.
        measure: from the batch's logs and the batch to metrics as (sum, weight).
        validate: gives the metrics on data never trained on.
        score: from a round's metrics to what is compared; the largest is the best.
        settings: what a resumed run must share with the one before.
        seed: of dropout.
        accumulate: batches a step, as many as the optimizer accumulates.
        shapes: where batches vary in shape, two that differ in each size that does.
        checkpoint_dir, checkpoint_every: where, and after how many steps besides each round's end.
        log_dir, callbacks, verbose: see `pretrain`.

    Returns:
        A Keras `History`: an entry a round. The model has the weights of its best round, where it was validated.

    Raises:
        KeyboardInterrupt: after Ctrl-C, once the step is done and a checkpoint written.
    """
    model.optimizer.build(model.trainable_variables)
    train_on_batch = ops.train_on_batch(model, measures, varying_lengths=bool(shapes))
    if keras.backend.backend() == "tensorflow":
        _trace(model, train_on_batch, shapes)
    progress = load_checkpoint(checkpoint_dir, model, settings) if checkpoint_dir is not None else None
    if progress is None:
        progress = Progress()
        _seed_dropout(model, seed)
    model.stop_training = False
    hooks = keras.callbacks.CallbackList(
        list(callbacks), model=model, epochs=-(-steps // round_steps), steps=steps, verbose=verbose
    )

    def save() -> None:
        if checkpoint_dir is not None:
            save_checkpoint(checkpoint_dir, model, progress, settings)

    with RunLog(title, steps, progress.step, log_dir, verbose) as log, _interrupt_between_steps() as interrupted:
        hooks.on_train_begin()
        whole = True  # no step is half done
        try:
            while True:
                # First what may be left of a round: a run interrupted right at its end goes on here.
                if progress.sums and (progress.step % round_steps == 0 or progress.step == steps):
                    metrics = _finish_round(model, progress, validate, score)
                    log.round(progress.step, metrics)
                    save()
                    hooks.on_epoch_end(len(progress.history["step"]) - 1, metrics)
                elif progress.sums and progress.step % checkpoint_every == 0:
                    save()
                if interrupted():
                    raise KeyboardInterrupt
                if progress.step >= steps or model.stop_training:
                    break
                whole = False
                for number in range(progress.step * accumulate, (progress.step + 1) * accumulate):
                    batch = batches.batch(*divmod(number, len(batches)))
                    logs = train_on_batch(*batch)
                    for name, (total, weight) in measure(logs, batch).items():
                        before = progress.sums.get(name, (0.0, 0.0))
                        progress.sums[name] = (before[0] + float(total), before[1] + float(weight))
                progress.step += 1
                whole = True
                so_far = _means(progress.sums)
                log.batch(progress.step, so_far)
                hooks.on_train_batch_end(progress.step - 1, so_far)
        except KeyboardInterrupt:
            # A second Ctrl-C may come in the midst of a step; then the checkpoint before is the one to keep.
            if whole:
                save()
            raise
        hooks.on_train_end()
    if progress.best_weights:
        model.set_weights(progress.best_weights)
    history = keras.callbacks.History()
    history.set_model(model)
    history.history = progress.history
    history.epoch = list(range(len(progress.history.get("step", []))))
    return history


def _finish_round(model, progress: Progress, validate, score) -> dict[str, float]:
    rate = float(keras.ops.convert_to_numpy(model.optimizer.learning_rate))
    metrics = {"step": progress.step, **_means(progress.sums), "learning_rate": rate}
    if validate is not None:
        metrics.update({f"val_{name}": value for name, value in validate().items()})
        if progress.best_score is None or score(metrics) > progress.best_score:
            progress.best_score = score(metrics)
            progress.best_weights = [np.array(weight) for weight in model.get_weights()]
    for name, value in metrics.items():
        progress.history.setdefault(name, []).append(value)
    progress.sums = {}
    return metrics


def _means(sums: Sums) -> dict[str, float]:
    means = {name: total / weight if weight else 0.0 for name, (total, weight) in sums.items()}
    if "loss" not in means:  # several objectives: their sum is what is minimised
        means = {"loss": sum(value for name, value in means.items() if name.endswith("_loss")), **means}
    return means


def _seed_dropout(model: keras.Model, seed: int) -> None:
    # Seed generators start from Keras's global seed; from here on they are a function of ours.
    rng = np.random.default_rng([seed, len(model.variables)])
    weights = {id(variable) for variable in model.weights}
    for variable in model.variables:
        if id(variable) not in weights:
            variable.assign(rng.integers(2**31, size=tuple(variable.shape)).astype("uint32"))
    if keras.backend.backend() == "torch":  # where Keras leaves dropout to the process's own generator
        import torch

        torch.manual_seed(seed)


def _trace(model: keras.Model, train_on_batch: Callable, batches: Sequence[tuple]) -> None:
    # TensorFlow makes a graph for the first shape it meets and, on meeting another, one for any shape; the two may
    # round differently. So that a resumed run computes with the very same graph, meet both first and undo the steps.
    variables = [*model.variables, *model.optimizer.variables]
    before = [keras.ops.convert_to_numpy(variable) for variable in variables]
    for batch in batches:
        train_on_batch(*batch)
    for variable, value in zip(variables, before, strict=True):
        variable.assign(value)


@contextlib.contextmanager
def _interrupt_between_steps() -> Iterator[Callable[[], bool]]:
    """Ctrl-C once: the step in progress is finished first. Twice: at once."""
    asked = threading.Event()
    if threading.current_thread() is not threading.main_thread():  # only there can a handler be set
        yield asked.is_set
        return

    def handler(number, frame):
        if asked.is_set():
            raise KeyboardInterrupt
        asked.set()

    before = signal.signal(signal.SIGINT, handler)
    try:
        yield asked.is_set
    finally:
        signal.signal(signal.SIGINT, before)
