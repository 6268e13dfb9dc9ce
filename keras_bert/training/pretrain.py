"""Pretraining: masked words, and whether the second segment follows the first, or comes before it."""

import dataclasses
import zlib
from pathlib import Path

import keras
import numpy as np

from keras_bert.errors import InputError
from keras_bert.tasks.losses import PER_EXAMPLE_FNS, MeanCrossEntropy, TopOneAccuracy
from keras_bert.text.masking import Masking
from keras_bert.text.packing import PretrainingExamples
from keras_bert.text.shards import StoredExamples
from keras_bert.training.batches import MaskedBatches
from keras_bert.training.checkpoint import FILE as CHECKPOINT
from keras_bert.training.loop import Sums, run
from keras_bert.training.optimizer import bert_adamw
from keras_bert.training.rows import check_pretraining
from keras_bert.training.schedule import WarmupLinearDecay

MEASURED_RATE = 0.15  # of the paper: whatever is hidden in training, held-out rows compare with those of other runs


def pretrain(
    pretrainer: keras.Model,
    examples: PretrainingExamples,
    masking: Masking,
    *,
    validation: PretrainingExamples | None = None,
    steps: int | None = None,
    epochs: int | None = None,
    batch_size: int = 32,
    accumulate: int = 1,
    learning_rate: float = 1e-4,
    warmup: float = 0.1,
    weight_decay: float = 0.01,
    embedding_init: str | None = None,
    seed: int = 0,
    validate_every: int | None = None,
    checkpoint_dir: str | Path | None = None,
    checkpoint_every: int = 1000,
    log_dir: str | Path | None = None,
    callbacks=(),
    verbose: int = 1,
) -> keras.callbacks.History:
    """Train an encoder on text alone, on any Keras backend.

    The same model, data, seed and settings give the same weights, also when the run is interrupted and resumed.

    Args:
        pretrainer: a `BertPretrainer`; it is trained in place.
        examples: packed rows, `[N, T]`, of `pack_examples` or, where memory does not hold them, of `pack_to_disk`.
        masking: `Masking` of the same vocabulary.
        validation: rows of other documents (`TokenizedDocuments.split`), masked the same way each time, 15 % of each.
        steps: how many steps of the optimizer; or give `epochs`.
        epochs: how many times through the examples.
        batch_size: B.
        accumulate: batches a step: the optimizer goes by the mean of their gradients, in the memory of one. All that is
            counted in steps is then fewer: an epoch has (its batches) // `accumulate`, at least one, and the batches
            left over begin the next.
        learning_rate: the peak of `WarmupLinearDecay`.
        warmup: the share of the steps in which it rises, in [0, 1).
        weight_decay: see `bert_adamw`.
        embedding_init: `"ppmi"` begins with word vectors from the examples themselves; see `warm_start_ppmi`.
        seed: of the order, the masks and dropout.
        validate_every: a round, in steps; an epoch by default.
        checkpoint_dir: a folder for `checkpoint.npz`. Where one is, the run goes on from it exactly.
        checkpoint_every: steps between checkpoints, besides the end of each round.
        log_dir: a folder for TensorBoard's event files.
        callbacks: Keras callbacks; `on_epoch_end` comes each round.
        verbose: 0 is quiet, 1 shows progress on standard error.

    Returns:
        A Keras `History` with an entry a round: `step`, `loss` (the sum of the objectives), `mlm_loss` and
        `mlm_accuracy` over predicted positions only, by the sentence task `nsp_loss` and `nsp_accuracy` or `sop_loss`
        and `sop_accuracy`, `learning_rate`, and each with `val_` where there is a validation. The model keeps the
        weights of the lowest `val_loss`.

    Raises:
        InputError: vocabulary, encoder and examples do not fit each other; impossible settings; a checkpoint of
            another shape or run.
        KeyboardInterrupt: after Ctrl-C, with a checkpoint of the step reached.

    Example:

    >>> import keras_bert as kb
    >>> from keras_bert.text.packing import pack_examples
    >>> vocabulary = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "a", "b", "c"]
    >>> rows = pack_examples([[[5, 6, 7], [6, 7]], [[7, 5], [5, 6]]], 12, cls_id=2, sep_id=3)
    >>> config = kb.BertConfig(vocab_size=8, hidden_size=8, num_layers=1, num_heads=2, intermediate_size=16)
    >>> pretrainer = kb.BertPretrainer(kb.BertEncoder(config))
    >>> masking = Masking.from_vocabulary(vocabulary, max_predictions=3)
    >>> history = pretrain(pretrainer, rows, masking, steps=2, batch_size=2, verbose=0)
    >>> sorted(history.history)
    ['learning_rate', 'loss', 'mlm_accuracy', 'mlm_loss', 'nsp_accuracy', 'nsp_loss', 'step']

    Source: Devlin et al. 2018, section 3.1 and appendix A.2; Lan et al. 2019, section 3.1, for sentence order.
    """
    for rows in (examples, validation) if validation is not None else (examples,):
        check_pretraining(pretrainer, rows, masking)
    batches = MaskedBatches(examples, masking, batch_size, seed)
    if (steps is None) == (epochs is None):
        raise InputError(f"pretraining takes either steps or epochs. Received: steps={steps}, epochs={epochs}")
    for name, value in (
        ("steps" if epochs is None else "epochs", steps if epochs is None else epochs),
        ("accumulate", accumulate),
        ("validate_every", validate_every),
        ("checkpoint_every", checkpoint_every),
    ):
        if value is not None and value < 1:
            raise InputError(f"{name} must be at least 1. Received: {value}")
    if embedding_init not in (None, "ppmi"):
        raise InputError(f'the warm start is "ppmi" or None. Received: {embedding_init!r}')
    epoch_steps = max(1, len(batches) // accumulate)
    total = steps if steps is not None else epochs * epoch_steps
    if not 0 <= warmup < 1:
        raise InputError(f"the warm-up is a share of the steps, at least 0 and below 1. Received: {warmup!r}")
    schedule = WarmupLinearDecay(learning_rate, total, int(warmup * total))
    compile_pretrainer(pretrainer, bert_adamw(schedule, weight_decay, accumulate))
    if embedding_init and not (checkpoint_dir and (Path(checkpoint_dir) / CHECKPOINT).is_file()):
        from keras_bert.training.embedding_init import warm_start_ppmi

        warm_start_ppmi(pretrainer, examples, masking, seed)

    validate = None
    if validation is not None:
        measured = dataclasses.replace(masking, rate=MEASURED_RATE)
        held_out = MaskedBatches(validation, measured, batch_size, seed, shuffle=False)

        def validate() -> dict[str, float]:
            return _evaluate(pretrainer, held_out)

    return run(
        pretrainer,
        batches,
        title="pretrain",
        steps=total,
        round_steps=validate_every or epoch_steps,
        measures=PER_EXAMPLE_FNS,
        measure=_measure,
        validate=validate,
        score=lambda metrics: (-metrics["val_loss"],),
        settings={
            "sentence_task": pretrainer.sentence_task,
            "steps": total,
            "batch_size": batch_size,
            "accumulate": accumulate,
            "learning_rate": learning_rate,
            "warmup": warmup,
            "weight_decay": weight_decay,
            "embedding_init": embedding_init,
            "seed": seed,
            "validate_every": validate_every,
            "masking_rate": masking.rate,
            "max_predictions": masking.max_predictions,
            "whole_words": masking.word_starts is not None,
            "dtype": pretrainer.dtype_policy.name,
            "examples": checksum_of(examples),
            "validation": None if validation is None else checksum_of(validation),
        },
        seed=seed,
        accumulate=accumulate,
        checkpoint_dir=checkpoint_dir,
        checkpoint_every=checkpoint_every,
        log_dir=log_dir,
        callbacks=callbacks,
        verbose=verbose,
    )


def evaluate_pretrainer(
    pretrainer: keras.Model, examples: PretrainingExamples, masking: Masking, batch_size: int = 32, seed: int = 0
) -> dict[str, float]:
    """Losses and accuracies over examples, masked as `seed` says.

    Args:
        pretrainer: a `BertPretrainer`.
        examples: packed rows, `[N, T]`.
        masking: `Masking`.
        batch_size: B.
        seed: of the masks.

    Returns:
        A dict: `loss`, `mlm_loss`, `mlm_accuracy` and, by the sentence task, `nsp_loss` and `nsp_accuracy` or
        `sop_loss` and `sop_accuracy`. Means over all predicted positions, or rows.

    Raises:
        InputError: vocabulary, encoder and examples do not fit each other.
    """
    check_pretraining(pretrainer, examples, masking)
    compile_pretrainer(pretrainer, pretrainer.optimizer if pretrainer.compiled else "sgd")
    return _evaluate(pretrainer, MaskedBatches(examples, masking, batch_size, seed, shuffle=False))


def compile_pretrainer(pretrainer: keras.Model, optimizer) -> None:
    """Give a pretrainer its losses, means over what has weight 1, and its accuracies."""
    losses, accuracies = {}, {}
    for name in pretrainer.output:
        losses[name] = MeanCrossEntropy()
        accuracies[name] = [TopOneAccuracy()]
    pretrainer.compile(optimizer, loss=losses, weighted_metrics=accuracies, jit_compile=jit_compile())


def jit_compile() -> bool:
    """XLA only where it is the backend's own compiler: on TensorFlow it would compile anew for each input shape."""
    return keras.backend.backend() == "jax"


def fingerprint(array: np.ndarray) -> str:
    """A short mark of an array's shape and content, the same on every machine."""
    return f"{'x'.join(map(str, array.shape))}-{zlib.crc32(np.ascontiguousarray(array).data):08x}"


def checksum_of(examples: PretrainingExamples) -> str:
    """The fingerprint of the token ids: rows on disk bring theirs, so that nobody need read them all."""
    return examples.fingerprint if isinstance(examples, StoredExamples) else fingerprint(examples.input_word_ids)


def _evaluate(pretrainer: keras.Model, batches: MaskedBatches) -> dict[str, float]:
    sums: Sums = {}
    for i in range(len(batches)):
        batch = batches.batch(0, i)
        for name, (total, weight) in _measure(pretrainer.test_on_batch(*batch, return_dict=True), batch).items():
            before = sums.get(name, (0.0, 0.0))
            sums[name] = (before[0] + total, before[1] + weight)
    means = {name: total / weight if weight else 0.0 for name, (total, weight) in sums.items()}
    return {"loss": sum(value for name, value in means.items() if name.endswith("_loss")), **means}


def _measure(logs: dict, batch: tuple) -> Sums:
    """A batch's means back to (sum, weight), so that every prediction counts alike."""
    weights = batch[2]
    sums = {}
    for output, weight in weights.items():
        prefix = f"{output}_" if len(weights) > 1 else ""  # Keras leaves a single output's name out
        name, total = output.removesuffix("_logits"), float(weight.sum())
        sums[f"{name}_loss"] = (float(logs[f"{prefix}loss"]) * total, total)
        sums[f"{name}_accuracy"] = (float(logs[f"{prefix}accuracy"]) * total, total)
    return sums
