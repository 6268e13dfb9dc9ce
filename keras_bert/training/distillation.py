"""Distillation of a pretrained model into a smaller one, on unlabeled text."""

import keras
import numpy as np
from keras import ops

from keras_bert.errors import InputError
from keras_bert.models import BertPretrainer
from keras_bert.text.masking import Masking
from keras_bert.text.packing import PretrainingExamples
from keras_bert.training.batches import MaskedBatches
from keras_bert.training.common import (
    compiled_for_fit,
    examples_checksum,
    jit_compile,
    make_optimizer,
    steps_per_epoch,
)
from keras_bert.training.config import TrainingConfig
from keras_bert.training.distilbert_loss import COSINE, MASKED, SOFT, PrecomputedLoss, distillation_model
from keras_bert.training.example_checks import check_examples, check_pretraining_examples
from keras_bert.training.loop import run
from keras_bert.training.metric_sums import loss_sums
from keras_bert.training.pretraining_metrics import compile_pretrainer, evaluate_batches
from keras_bert.training.resolve_config import resolve_config


def distill(
    teacher: keras.Model,
    student: keras.Model,
    examples: PretrainingExamples,
    masking: Masking,
    config: TrainingConfig | None = None,
    *,
    validation: PretrainingExamples | None = None,
    **fields,
) -> keras.callbacks.History:
    """Train a student on unlabeled text to match its teacher, on any Keras backend.

    The loss is a weighted sum of three terms:

    - soft: the Kullback-Leibler divergence between the distributions of teacher and student over the vocabulary at the
      masked positions, both softened by the temperature;
    - masked: the cross-entropy of masked LM;
    - cosine: 1 - the cosine similarity of the last hidden states of both models, at every token.

    Afterwards the student is compiled with the losses of pretraining and a new `bert_adamw` at the constant peak
    learning rate, so that `fit`, `save` and `pretrain` work.

    Args:
        teacher: a `BertPretrainer`. It is not changed.
        student: a `BertPretrainer` of the same vocabulary and hidden size, for example from `init_student`. It is
            trained in place.
        examples: packed examples without a sentence task, `[N, T]`.
        masking: `Masking` of the same vocabulary.
        config: a `TrainingConfig`, or None for the defaults. `steps` must be given.
        validation: packed examples of other documents. The student keeps its weights with the lowest masked-LM loss on
            them.
        **fields: fields of `TrainingConfig`. They override those of `config`.

    Returns:
        A Keras `History` with one entry per evaluation: `step`, `loss`, `learning_rate` and the weighted terms
        `soft_loss`, `masked_loss` and `cosine_loss`. With `validation` also the student's `val_loss`, `val_mlm_loss`
        and `val_mlm_accuracy`.

    Raises:
        InputError: models, examples and settings do not fit each other, or the checkpoint is of another model or run.
        NonFiniteError: a loss or a weight became NaN or infinite. The last checkpoint stays, and the model has the
            weights of the last checkpoint or evaluation.
        KeyboardInterrupt: after Ctrl-C or SIGTERM. A checkpoint of the last complete step is written first.

    Example:

    >>> import keras_bert as kb
    >>> from keras_bert.text.packing import pack_examples
    >>> from keras_bert.training import init_student
    >>> vocabulary = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "a", "b", "c"]
    >>> examples = pack_examples([[[5, 6, 7], [6, 7]], [[7, 5], [5, 6]]], 12, cls_id=2, sep_id=3, sentence_task=None)
    >>> config = kb.BertConfig(vocab_size=8, hidden_size=8, num_layers=2, num_heads=2, intermediate_size=16)
    >>> teacher = kb.BertPretrainer(kb.BertEncoder(config))
    >>> masking = Masking.from_vocabulary(vocabulary, max_predictions=3)
    >>> history = distill(teacher, init_student(teacher), examples, masking, steps=2, batch_size=2, verbose=0)
    >>> sorted(history.history)
    ['cosine_loss', 'learning_rate', 'loss', 'masked_loss', 'soft_loss', 'step']

    Source: Sanh et al. 2019 (arXiv:1910.01108), sections 2 and 3; Hinton et al. 2015 (arXiv:1503.02531), section 2, for
    the temperature. The default weights of the losses are those of the authors' published training.
    """
    config = resolve_config("distill", config, fields)
    if config.steps is None:
        raise InputError("`steps` must be an integer, 1 or more. Received: steps=None")
    _check_models(teacher, student)
    for model in (teacher, student):
        check_examples(model.encoder, examples, masking)
    if validation is not None:
        check_pretraining_examples(student, validation, masking, "validation")
    batches = DistillationBatches(examples, masking, config.batch_size, config.seed)

    def evaluate(callbacks: keras.callbacks.CallbackList) -> dict[str, float]:
        batches = MaskedBatches(validation, masking, config.batch_size, config.seed, shuffle=False)
        return evaluate_batches(student, batches, callbacks)

    with compiled_for_fit(student, config, lambda optimizer: compile_pretrainer(student, optimizer)):
        model = distillation_model(teacher, student, config.temperature, config.loss_weights)
        optimizer = make_optimizer(config, config.steps)
        model.compile(
            optimizer,
            loss={name: PrecomputedLoss() for name in (SOFT, MASKED, COSINE)},
            jit_compile=jit_compile(),
        )

        compile_pretrainer(student, optimizer)  # callbacks see the student: they may save it or set the learning rate
        return run(
            model,
            batches,
            config,
            title="distill",
            steps=config.steps,
            validate_every=config.validate_every or steps_per_epoch(batches, config.accumulate),
            per_example_fns={"loss": lambda _, values: ops.cast(values, "float32")},
            batch_sums=lambda logs, batch: loss_sums(logs, batch[2]),
            evaluate=None if validation is None else evaluate,
            selection_key=lambda metrics: (-metrics["val_loss"],),
            callback_model=student,
            identity={**config.to_dict(), "examples": examples_checksum(examples)},
        )


class DistillationBatches(MaskedBatches):
    """Masked batches for `distillation_model`. The original tokens are an input, and the targets are not used."""

    def batch(self, epoch: int, index: int):
        """Return batch `index` of epoch `epoch`, both counted from 0."""
        inputs, targets, weights = super().batch(epoch, index)
        masked_weights = weights["mlm_logits"]  # [B, P]
        token_weights = inputs["input_mask"].astype(np.float32)  # [B, T]
        inputs["masked_lm_ids"] = targets["mlm_logits"]  # [B, P]
        weights = {SOFT: masked_weights, MASKED: masked_weights, COSINE: token_weights}
        return inputs, {name: np.zeros(weight.shape, np.int32) for name, weight in weights.items()}, weights


def _check_models(teacher, student) -> None:
    for name, model in (("teacher", teacher), ("student", student)):
        if not isinstance(model, BertPretrainer):
            raise InputError(f"`{name}` must be a BertPretrainer. Received: {type(model).__name__}")
    for field in ("vocab_size", "hidden_size"):
        expected, received = (getattr(model.encoder.config, field) for model in (teacher, student))
        if received != expected:
            raise InputError(f"`student` must have the teacher's {field}={expected}. Received: {field}={received}")
