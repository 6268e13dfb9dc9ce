"""Fine-tuning: a classifier learns labels, with or without the encoder under it."""

from collections.abc import Callable
from pathlib import Path

import keras
import numpy as np

from keras_bert import ops as fused
from keras_bert.data.id_arrays import as_id_arrays, check_ids
from keras_bert.errors import InputError
from keras_bert.inference.evaluate import evaluate
from keras_bert.tasks import task_for
from keras_bert.training import distillation_loss as taught
from keras_bert.training.batches import LengthGroupedBatches
from keras_bert.training.freeze import frozen
from keras_bert.training.layer_rates import layer_rates
from keras_bert.training.loop import Sums, run
from keras_bert.training.optimizer import bert_adamw
from keras_bert.training.pretrain import fingerprint, jit_compile
from keras_bert.training.schedule import WarmupLinearDecay


def finetune(
    classifier: keras.Model,
    train_ids: dict,
    train_labels,
    validation_ids: dict,
    validation_labels,
    *,
    epochs: int = 3,
    batch_size: int = 32,
    accumulate: int = 1,
    learning_rate: float = 5e-5,
    warmup: float = 0.1,
    weight_decay: float = 0.01,
    freeze: str | int | None = "none",
    layer_decay: float = 1.0,
    teacher_logits=None,
    temperature: float = 2.0,
    alpha: float = 0.5,
    score: Callable[[], float] | None = None,
    seed: int = 0,
    checkpoint_dir: str | Path | None = None,
    checkpoint_every: int = 1000,
    log_dir: str | Path | None = None,
    callbacks=(),
    verbose: int = 1,
) -> keras.callbacks.History:
    """Train a classifier on labelled rows, on any Keras backend; the weights of the best epoch stay in it.

    Args:
        classifier: a `BertClassifier`, `BertSpanLabeler` or `BertTokenClassifier`; it is trained in place.
        train_ids: dict of `input_word_ids`, `input_mask`, `input_type_ids`, int `[N, T]`.
        train_labels: what the model's head learns. Of a classifier int `[N]`, 0 … C - 1; 0 or 1 `[N, C]` where several
            labels may apply; float `[N]` for regression. Of a span labeler a dict of `start_logits` and `end_logits`,
            places int `[N]`. Of a token classifier int `[N, T]`, -1 at tokens without a label.
        validation_ids, validation_labels: the same, of sentences never trained on.
        epochs: times through the rows; 2 to 4 in the paper, more from random weights.
        batch_size: B.
        accumulate: batches a step: the optimizer goes by the mean of their gradients, in the memory of one. All that is
            counted in steps is then fewer: an epoch has (its batches) // `accumulate`, at least one, and the batches
            left over begin the next.
        learning_rate: the peak of `WarmupLinearDecay`; 2e-5 to 5e-5 in the paper, about ten times as much for the small
            models and from random weights.
        warmup: the share of the steps in which it rises, in [0, 1).
        weight_decay: see `bert_adamw`.
        freeze: `"none"`, `"all"` of the encoder, or the embeddings and the first k blocks. Afterwards all learns again.
            `"gradual"`: the heads alone in the first epoch, then one block more an epoch from above, and all in the
            last. None goes by what each layer says, for LoRA and adapters.
        layer_decay: each layer's rate is this times the rate of the layer above it, in (0, 1]; see `layer_rates`.
        teacher_logits: float `[N, C]`, what another model says of the training rows (`predict_logits`): the classifier
            learns from it as well as from the labels.
        temperature, alpha: see `DistillationLoss`.
        score: asked after each epoch, the model as it stands: the best epoch has the highest. For what rows cannot
            tell, such as the F1 of answers that are looked for in several windows.
        seed: of the order and dropout.
        checkpoint_dir: a folder for `checkpoint.npz`. Where one is, the run goes on from it exactly.
        checkpoint_every: steps between checkpoints, besides the end of each epoch.
        log_dir: a folder for TensorBoard's event files.
        callbacks: Keras callbacks.
        verbose: 0 is quiet, 1 shows progress on standard error.

    Returns:
        A Keras `History` with an entry an epoch: `step`, `loss`, `accuracy`, `learning_rate`, `val_loss`,
        `val_accuracy`, and `val_score` where there is a `score`. Best is the highest `val_score`, without one the
        highest `val_accuracy`, and among equals the lowest `val_loss`. For regression `error`, the mean absolute one,
        stands for `accuracy`, and best is the lowest `val_loss`.

    Raises:
        InputError: ids, labels, encoder and settings do not fit each other; a checkpoint of another shape or run.
        KeyboardInterrupt: after Ctrl-C, with a checkpoint of the step reached.

    Example:

    >>> import keras_bert as kb
    >>> import numpy as np
    >>> config = kb.BertConfig(vocab_size=50, hidden_size=8, num_layers=1, num_heads=2, intermediate_size=16)
    >>> classifier = kb.BertClassifier(kb.BertEncoder(config), num_classes=2)
    >>> ids = np.array([[2, 7, 3, 0], [2, 8, 9, 3]])
    >>> rows = {"input_word_ids": ids, "input_mask": ids > 0, "input_type_ids": 0 * ids}
    >>> history = finetune(classifier, rows, [0, 1], rows, [0, 1], epochs=2, verbose=0)
    >>> history.history["step"]
    [1, 2]

    Source: Devlin et al. 2018, sections 3.2 and 4.1, appendix A.3; Hinton et al. 2015 (arXiv:1503.02531) for the
    teacher.
    """
    train_ids, validation_ids = as_id_arrays(train_ids), as_id_arrays(validation_ids)
    task = task_for(classifier)
    for ids, labels in ((train_ids, train_labels), (validation_ids, validation_labels)):
        check_ids(classifier.encoder.config, ids)
        targets, weights = task.targets(classifier, ids, labels)
        if ids is train_ids:
            train_targets, train_weights = targets, weights
    if teacher_logits is not None:
        task = taught.distillation_task(task, temperature, alpha)
        train_targets = taught.distillation_targets(train_targets, teacher_logits, classifier.num_classes)
    batches = LengthGroupedBatches(train_ids, train_targets, batch_size, seed, train_weights, task.per_token)
    for name, value in (("epochs", epochs), ("accumulate", accumulate), ("checkpoint_every", checkpoint_every)):
        if value < 1:
            raise InputError(f"{name} must be at least 1. Received: {value}")
    if not 0 <= warmup < 1:
        raise InputError(f"the warm-up is a share of the steps, at least 0 and below 1. Received: {warmup!r}")
    epoch_steps = max(1, len(batches) // accumulate)
    total = epochs * epoch_steps
    schedule = WarmupLinearDecay(learning_rate, total, int(warmup * total))

    names = ("loss", task.metric[0])

    def validate() -> dict[str, float]:
        result = evaluate(classifier, validation_ids, validation_labels)
        return {name: result[name] for name in names} | ({"score": float(score())} if score else {})

    def measure(logs: dict, batch: tuple) -> Sums:
        count = float(batch[2].sum()) if len(batch) > 2 else float(len(batch[0]["input_word_ids"]))
        return {name: (_mean_log(logs, name) * count, count) for name in names}

    # Batches are of many widths, and XLA would compile the block for each; the optimizer's shapes never change.
    gradual = freeze == "gradual"
    with frozen(classifier.encoder, "none" if gradual else freeze), fused.without("embeddings", "block", "loss"):
        rates = None
        if gradual or layer_decay != 1:
            rates = layer_rates(classifier, layer_decay, (epoch_steps, epochs) if gradual else None)
        task.compile(classifier, bert_adamw(schedule, weight_decay, accumulate, rates), jit_compile())
        return run(
            classifier,
            batches,
            title="finetune",
            steps=total,
            round_steps=epoch_steps,
            measures=task.per_example_fns,
            measure=measure,
            validate=validate,
            score=goodness,
            settings={
                "epochs": epochs,
                "batch_size": batch_size,
                "accumulate": accumulate,
                "learning_rate": learning_rate,
                "warmup": warmup,
                "weight_decay": weight_decay,
                "freeze": freeze,
                "layer_decay": layer_decay,
                "dtype": classifier.dtype_policy.name,
                "seed": seed,
                "train_ids": fingerprint(train_ids["input_word_ids"]),
                "train_labels": [fingerprint(array) for array in _arrays(train_targets)],
                "teacher": None if teacher_logits is None else [temperature, alpha],
                "validation_ids": fingerprint(validation_ids["input_word_ids"]),
            },
            seed=seed,
            accumulate=accumulate,
            shapes=[batches.blank(rows, width=8 * rows) for rows in (2, 4)],
            checkpoint_dir=checkpoint_dir,
            checkpoint_every=checkpoint_every,
            log_dir=log_dir,
            callbacks=callbacks,
            verbose=verbose,
        )


def goodness(metrics: dict[str, float]) -> tuple[float, ...]:
    """What makes an epoch the best, of its entries in the history: the largest is."""
    right = next((metrics[name] for name in ("val_score", "val_accuracy") if name in metrics), 0.0)
    return right, -metrics["val_loss"]


def _mean_log(logs: dict, name: str) -> float:
    """A log, or the mean of what the outputs have of it: Keras gives the sum of their losses alone."""
    parts = [float(value) for key, value in logs.items() if key.endswith(f"_{name}")]
    return sum(parts) / len(parts) if parts else float(logs[name])


def _arrays(targets) -> list[np.ndarray]:
    return list(targets.values()) if isinstance(targets, dict) else [targets]
