"""A small model learns from a large one: in pretraining by three losses, in a task by the teacher's logits."""

import dataclasses
from pathlib import Path

import keras
import numpy as np
from keras import ops

from keras_bert.errors import InputError
from keras_bert.models import BertEncoder, BertPretrainer
from keras_bert.text.masking import Masking
from keras_bert.text.packing import PretrainingExamples
from keras_bert.training.batches import MaskedBatches
from keras_bert.training.distilbert_loss import COSINE, MASKED, SOFT, MeanOfOutput, student_and_teacher
from keras_bert.training.loop import run
from keras_bert.training.optimizer import bert_adamw
from keras_bert.training.pretrain import checksum_of, evaluate_pretrainer, jit_compile
from keras_bert.training.rows import check_rows
from keras_bert.training.schedule import WarmupLinearDecay


def init_student(teacher, num_layers: int | None = None, dtype=None):
    """A model of fewer layers, each a copy of one of the teacher's; embeddings and head are the teacher's too.

    Args:
        teacher: a `BertPretrainer`.
        num_layers: of the student; half the teacher's by default. Copied are layers spread evenly, the first among
            them: every second for half.
        dtype: the student's dtype policy.

    Returns:
        A `BertPretrainer` without next sentences, segments and a pooler, as DistilBERT. What the teacher adds for a
        first segment stands in the student's positions, so that both begin from the same embeddings.

    Raises:
        InputError: as many layers as the teacher's, or more, or none.

    Example:

    >>> import keras_bert as kb
    >>> config = kb.BertConfig(vocab_size=50, hidden_size=8, num_layers=4, num_heads=2, intermediate_size=16)
    >>> student = init_student(kb.BertPretrainer(kb.BertEncoder(config)))
    >>> student.encoder.config.num_layers, student.encoder.config.type_vocab_size, student.encoder.pooler
    (2, 0, None)

    Source: Sanh et al. 2019 (arXiv:1910.01108), section 3, "Student initialization".
    """
    config = teacher.encoder.config
    layers = config.num_layers // 2 if num_layers is None else num_layers
    if not 1 <= layers < config.num_layers:
        raise InputError(
            f"a student has 1 … {config.num_layers - 1} layers, fewer than its teacher. Received: {layers}"
        )
    changes = {"num_layers": layers, "type_vocab_size": 0, "pooler": False}
    student = BertPretrainer(BertEncoder(dataclasses.replace(config, **changes), dtype=dtype), sentence_task=None)
    _copy_embeddings(teacher.encoder.embeddings, student.encoder.embeddings)
    for i, block in enumerate(student.encoder.blocks):
        block.set_weights(teacher.encoder.blocks[i * config.num_layers // layers].get_weights())
    student.mlm_head.set_weights(teacher.mlm_head.get_weights())
    return student


def _copy_embeddings(theirs, ours) -> None:
    """A teacher's embeddings without segments: its texts are all first segments."""
    for part in ("word_embeddings", "position_embeddings", "layer_norm", "projection"):
        if getattr(theirs, part) is not None:
            getattr(ours, part).set_weights(getattr(theirs, part).get_weights())
    if theirs.type_embeddings is not None:
        positions = ours.position_embeddings.embeddings
        positions.assign(positions + theirs.type_embeddings.embeddings[:1])  # [P, E] + [1, E]


def without_sentence_task(pretrainer):
    """The same encoder and masked-word head as a `BertPretrainer` that needs no pairs; itself if it is one."""
    if pretrainer.sentence_task is None:
        return pretrainer
    alone = BertPretrainer(pretrainer.encoder, sentence_task=None)
    alone.mlm_head.set_weights(pretrainer.mlm_head.get_weights())
    return alone


def distill(
    teacher: keras.Model,
    student: keras.Model,
    examples: PretrainingExamples,
    masking: Masking,
    *,
    validation: PretrainingExamples | None = None,
    steps: int,
    batch_size: int = 32,
    accumulate: int = 1,
    learning_rate: float = 5e-4,
    warmup: float = 0.05,
    weight_decay: float = 0.01,
    temperature: float = 2.0,
    weights: tuple[float, float, float] = (5.0, 2.0, 1.0),
    seed: int = 0,
    validate_every: int | None = None,
    checkpoint_dir: str | Path | None = None,
    checkpoint_every: int = 1000,
    log_dir: str | Path | None = None,
    callbacks=(),
    verbose: int = 1,
) -> keras.callbacks.History:
    """Train a student on text to say what its teacher says of it, on any Keras backend.

    Three losses: the cross-entropy of the student's distribution over the vocabulary with the teacher's, both softened
    by a temperature, at the masked positions; that of the masked words themselves; and 1 - the cosine of both models'
    last hidden states, at every token.

    Args:
        teacher: a `BertPretrainer`; it is not changed.
        student: a `BertPretrainer` of the same vocabulary and hidden size, such as `init_student` gives; it is trained in
            place.
        examples: packed rows, `[N, T]`, without next sentences.
        masking: `Masking` of the vocabulary.
        validation: rows of other documents: the student's own masked-word loss and accuracy there choose its weights.
        steps: of the optimizer.
        batch_size, accumulate, learning_rate, warmup, weight_decay: as for `pretrain`.
        temperature: above 0; the higher, the more of what the teacher thinks of the words it does not choose.
        weights: of the three losses, in that order.
        seed, validate_every, checkpoint_dir, checkpoint_every, log_dir, callbacks, verbose: as for `pretrain`.

    Returns:
        A Keras `History`: `step`, `loss`, and each loss by its name, weighed: `soft_loss`, `masked_loss`,
        `cosine_loss`; with a validation `val_loss`, `val_mlm_loss`, `val_mlm_accuracy`.

    Raises:
        InputError: the two models do not fit each other or the examples; impossible settings.

    Example:

    >>> import keras_bert as kb
    >>> from keras_bert.text.packing import pack_examples
    >>> vocabulary = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "a", "b", "c"]
    >>> rows = pack_examples([[[5, 6, 7], [6, 7]], [[7, 5], [5, 6]]], 12, cls_id=2, sep_id=3, sentence_task=None)
    >>> config = kb.BertConfig(vocab_size=8, hidden_size=8, num_layers=2, num_heads=2, intermediate_size=16)
    >>> teacher = kb.BertPretrainer(kb.BertEncoder(config))
    >>> masking = Masking.from_vocabulary(vocabulary, max_predictions=3)
    >>> history = distill(teacher, init_student(teacher), rows, masking, steps=2, batch_size=2, verbose=0)
    >>> sorted(history.history)
    ['cosine_loss', 'learning_rate', 'loss', 'masked_loss', 'soft_loss', 'step']

    Source: Sanh et al. 2019 (arXiv:1910.01108), sections 2 and 3; Hinton et al. 2015 (arXiv:1503.02531), section 2, for
    the temperature. The weights are those of the authors' published training.
    """
    for name, model in (("teacher", teacher), ("student", student)):
        if not isinstance(model, BertPretrainer):
            raise InputError(f"a {name} is a BertPretrainer. Received: {type(model).__name__}")
    ours, theirs = student.encoder.config, teacher.encoder.config
    for field in ("vocab_size", "hidden_size"):
        if getattr(ours, field) != getattr(theirs, field):
            raise InputError(
                f"student and teacher have the same {field}, {getattr(theirs, field)}. Received: {getattr(ours, field)}"
            )
    if temperature <= 0 or len(weights) != 3 or min(weights) < 0:
        raise InputError(
            f"a temperature above 0 and three weights, 0 or more, are expected. Received: {temperature}, {weights}"
        )
    for rows in (examples, validation) if validation is not None else (examples,):
        for model in (teacher, student):
            check_rows(model.encoder, rows, masking)
    schedule = WarmupLinearDecay(learning_rate, steps, int(warmup * steps))
    both = student_and_teacher(teacher, student, temperature, weights)
    names = (SOFT, MASKED, COSINE)
    both.compile(
        bert_adamw(schedule, weight_decay, accumulate),
        loss={name: MeanOfOutput() for name in names},
        jit_compile=jit_compile(),
    )
    batches = _Batches(examples, masking, batch_size, seed)

    def validate() -> dict[str, float]:
        return evaluate_pretrainer(student, validation, masking, batch_size, seed)

    return run(
        both,
        batches,
        title="distill",
        steps=steps,
        round_steps=validate_every or len(batches),
        measures={"loss": lambda _, values: ops.cast(values, "float32")},
        measure=_measure,
        validate=None if validation is None else validate,
        score=lambda metrics: (-metrics["val_loss"],),
        settings={
            "steps": steps,
            "batch_size": batch_size,
            "accumulate": accumulate,
            "learning_rate": learning_rate,
            "warmup": warmup,
            "weight_decay": weight_decay,
            "temperature": temperature,
            "weights": list(weights),
            "seed": seed,
            "examples": checksum_of(examples),
        },
        seed=seed,
        accumulate=accumulate,
        checkpoint_dir=checkpoint_dir,
        checkpoint_every=checkpoint_every,
        log_dir=log_dir,
        callbacks=callbacks,
        verbose=verbose,
    )


class _Batches(MaskedBatches):
    """Masked batches with a target for each loss: the words for the masked one, nothing for the others."""

    def batch(self, epoch: int, index: int):
        inputs, targets, weights = super().batch(epoch, index)
        words, counted = targets["mlm_logits"], weights["mlm_logits"]
        tokens = inputs["input_mask"].astype(np.float32)  # [B, T]
        inputs["masked_lm_ids"] = words
        zeros = np.zeros(words.shape, np.int32)
        return (
            inputs,
            {SOFT: zeros, MASKED: zeros, COSINE: np.zeros(tokens.shape, np.int32)},
            {SOFT: counted, MASKED: counted, COSINE: tokens},
        )


def _measure(logs: dict, batch: tuple) -> dict:
    """A batch's means back to (sum, weight), so that every position counts alike."""
    return {
        f"{name}_loss": (float(logs[f"{name}_loss"]) * float(weight.sum()), float(weight.sum()))
        for name, weight in batch[2].items()
    }
