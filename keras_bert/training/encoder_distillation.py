"""Distillation of an encoder into another one, also with another vocabulary, width or depth."""

import math
import numbers

import keras
from keras import ops

from keras_bert.errors import InputError
from keras_bert.models import BertEncoder, BertPretrainer
from keras_bert.training.aligned_rows import AlignedBatches
from keras_bert.training.common import checksum, compiled_for_fit, jit_compile, make_optimizer, steps_per_epoch
from keras_bert.training.config import TrainingConfig
from keras_bert.training.distilbert_loss import PrecomputedLoss
from keras_bert.training.encoder_distillation_loss import HIDDEN, MASKED, encoder_distillation_model
from keras_bert.training.loop import run
from keras_bert.training.metric_sums import loss_sums
from keras_bert.training.pretraining_metrics import compile_pretrainer
from keras_bert.training.resolve_config import resolve_config


def distill_encoder(
    teacher: BertEncoder,
    student: keras.Model,
    batches: AlignedBatches,
    config: TrainingConfig | None = None,
    *,
    losses: dict[str, float] | None = None,
    relation_heads: int = 12,
    **fields,
) -> keras.callbacks.History:
    """Train an encoder on unlabeled text to match another one, word by word, on any Keras backend.

    Use it after `trim_vocabulary` or `keep_lowest_layers`, or for a narrower student. The losses are those of
    `encoder_distillation_model`.

    Args:
        teacher: a `BertEncoder`. It is not changed.
        student: a `BertEncoder`, or a `BertPretrainer` without sentence task. It is trained in place.
        batches: from `align_documents`, with the same `losses`, and with `masking` if `"masked"` is one of them.
        config: a `TrainingConfig`, or None for the defaults. `steps` must be given.
        losses: factors of the losses by name: `"hidden"`, `"relations"`, `"pooled"`, `"masked"`. Default:
            `{"hidden": 1.0}`.
        relation_heads: number of relation heads of the loss `"relations"`.
        **fields: fields of `TrainingConfig`. They override those of `config`.

    Returns:
        A Keras `History` with one entry per `validate_every` steps: `step`, `loss`, `learning_rate` and each weighted
        loss, such as `hidden_loss`.

    Raises:
        InputError: models, batches and settings do not fit each other, or the checkpoint is of another model or run.
        NonFiniteError: a loss or a weight became NaN or infinite. The last checkpoint stays, and the model has the
            weights of the last checkpoint or evaluation.
        KeyboardInterrupt: after Ctrl-C or SIGTERM. A checkpoint of the last complete step is written first.

    Example:

    >>> import keras_bert as kb
    >>> from keras_bert.text.documents import TokenizedDocuments
    >>> from keras_bert.training import align_documents, keep_lowest_layers
    >>> vocabulary = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "a", "film", "##s"]
    >>> config = kb.BertConfig(vocab_size=8, hidden_size=8, num_layers=2, num_heads=2, intermediate_size=16)
    >>> teacher = kb.BertEncoder(config)
    >>> student = keep_lowest_layers(teacher, 1)
    >>> documents = TokenizedDocuments.from_lists([[[5, 6, 7], [5, 6]], [[6, 5]]])
    >>> batches = align_documents(documents, documents, vocabulary, vocabulary, length=8, batch_size=2)
    >>> history = distill_encoder(teacher, student, batches, steps=2, verbose=0)
    >>> sorted(history.history)
    ['hidden_loss', 'learning_rate', 'loss', 'step']

    Source: Wang et al. 2020 (arXiv:2012.15828); Jiao et al. 2019 (arXiv:1909.10351).
    """
    config = resolve_config("distill", config, fields)
    losses = {HIDDEN: 1.0} if losses is None else dict(losses)
    if config.steps is None:
        raise InputError("`steps` must be an integer, 1 or more. Received: steps=None")
    _check(teacher, student, batches, losses, config)

    def compile_student(optimizer) -> None:
        if isinstance(student, BertPretrainer):
            compile_pretrainer(student, optimizer)
        else:
            student.compile(optimizer)

    with compiled_for_fit(student, config, compile_student):
        model = encoder_distillation_model(teacher, student, losses, relation_heads)
        optimizer = make_optimizer(config, config.steps)
        model.compile(optimizer, loss={name: PrecomputedLoss() for name in losses}, jit_compile=jit_compile())
        compile_student(optimizer)  # callbacks see the student: they may save it or set the learning rate
        return run(
            model,
            batches,
            config,
            title="distill",
            steps=config.steps,
            validate_every=config.validate_every or steps_per_epoch(batches, config.accumulate),
            per_example_fns={"loss": lambda _, values: ops.cast(values, "float32")},
            batch_sums=lambda logs, batch: loss_sums(logs, batch[2]),
            evaluate=None,
            selection_key=lambda metrics: (-metrics["loss"],),
            callback_model=student,
            identity={
                **config.to_dict(),
                "losses": losses,
                "relation_heads": relation_heads,
                "rows": checksum(batches.spans),
                "student_ids": checksum(batches.student.ids),
            },
        )


def _check(teacher, student, batches: AlignedBatches, losses: dict, config: TrainingConfig) -> None:
    """Raise InputError if the arguments of `distill_encoder` do not fit each other."""
    for name in ("temperature", "loss_weights"):
        value = getattr(config, name)
        if value != getattr(TrainingConfig, name):
            raise InputError(
                f"`{name}` must have its default value, because distill_encoder does not use it. "
                f"Received: {name}={value!r}. Use `losses` for the factors of the losses."
            )
    if not losses or not all(isinstance(x, numbers.Real) and 0 <= x < math.inf for x in losses.values()):
        raise InputError(f"`losses` must have finite factors, 0 or more. Received: losses={losses!r}")
    if not isinstance(teacher, BertEncoder):
        raise InputError(f"`teacher` must be a BertEncoder. Received: {type(teacher).__name__}")
    if not isinstance(student, BertEncoder | BertPretrainer):
        raise InputError(f"`student` must be a BertEncoder or a BertPretrainer. Received: {type(student).__name__}")
    encoder = student.encoder if isinstance(student, BertPretrainer) else student
    for name, model, rows in (("teacher", teacher, batches.teacher), ("student", encoder, batches.student)):
        if rows.vocab_size != model.config.vocab_size:
            raise InputError(
                f"`batches` must have the vocabulary of the {name}, {model.config.vocab_size} tokens. "
                f"Received: {rows.vocab_size} tokens"
            )
    given = {*batches.losses, *([MASKED] if batches.masking is not None else [])}
    if given != set(losses):
        raise InputError(
            f"`batches` must be made for the losses {', '.join(sorted(losses))}. Received: {', '.join(sorted(given))}. "
            f'Use `align_documents(..., losses=..., masking=...)`; masking is for "{MASKED}".'
        )
