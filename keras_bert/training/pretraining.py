"""Pretraining with masked LM and a sentence task."""

import dataclasses

import keras

from keras_bert.errors import InputError
from keras_bert.tasks.losses import PER_EXAMPLE_FNS
from keras_bert.text.masking import Masking
from keras_bert.text.packing import PretrainingExamples
from keras_bert.training.batches import MaskedBatches
from keras_bert.training.checkpoint import has_checkpoint
from keras_bert.training.common import compiled_for_fit, examples_checksum, make_optimizer, steps_per_epoch
from keras_bert.training.config import TrainingConfig
from keras_bert.training.example_checks import check_pretraining_examples
from keras_bert.training.loop import run
from keras_bert.training.pretraining_metrics import compile_pretrainer, evaluate_batches, pretraining_sums
from keras_bert.training.resolve_config import resolve_config

# Validation always masks 15 % of the tokens, as the paper does, so that runs with other masking rates can be compared.
VALIDATION_MASKING_RATE = 0.15


def pretrain(
    model: keras.Model,
    examples: PretrainingExamples,
    masking: Masking,
    config: TrainingConfig | None = None,
    *,
    validation: PretrainingExamples | None = None,
    **fields,
) -> keras.callbacks.History:
    """Train an encoder on unlabeled text, on any Keras backend.

    The same model, data and settings give the same weights, also when the run is interrupted and resumed. Afterwards
    the model is compiled with its losses and a new `bert_adamw` at the constant peak learning rate, so that `fit`,
    `save` and another `pretrain` work.

    Args:
        model: a `BertPretrainer`. It is trained in place.
        examples: packed examples, `[N, T]`, from `pack_examples`, or from `load_packed` if they do not fit in memory.
        masking: `Masking` of the same vocabulary.
        config: a `TrainingConfig`, or None for the defaults. Either `steps` or `epochs` must be given.
        validation: packed examples of other documents (`TokenizedDocuments.split`). They get the same masks in every
            evaluation, on 15 % of the tokens.
        **fields: fields of `TrainingConfig`. They override those of `config`.

    Returns:
        A Keras `History` with one entry per evaluation: `step`, `loss` (the sum of the losses), `mlm_loss` and
        `mlm_accuracy` over the masked positions, `learning_rate`, and with a sentence task `nsp_loss` and
        `nsp_accuracy` or `sop_loss` and `sop_accuracy`. With `validation`, also each loss and accuracy with the
        prefix `val_`, and the model keeps the weights with the lowest `val_loss`.

    Raises:
        InputError: vocabulary, encoder and examples do not fit each other, a setting is invalid, or the checkpoint is
            of another model or run.
        NonFiniteError: a loss or a weight became NaN or infinite. The last checkpoint stays, and the model has the
            weights of the last checkpoint or evaluation.
        KeyboardInterrupt: after Ctrl-C or SIGTERM. A checkpoint of the last complete step is written first.

    Example:

    >>> import keras_bert as kb
    >>> from keras_bert.text.packing import pack_examples
    >>> vocabulary = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "a", "b", "c"]
    >>> examples = pack_examples([[[5, 6, 7], [6, 7]], [[7, 5], [5, 6]]], 12, cls_id=2, sep_id=3)
    >>> config = kb.BertConfig(vocab_size=8, hidden_size=8, num_layers=1, num_heads=2, intermediate_size=16)
    >>> model = kb.BertPretrainer(kb.BertEncoder(config))
    >>> masking = Masking.from_vocabulary(vocabulary, max_predictions=3)
    >>> history = pretrain(model, examples, masking, steps=2, batch_size=2, verbose=0)
    >>> sorted(history.history)
    ['learning_rate', 'loss', 'mlm_accuracy', 'mlm_loss', 'nsp_accuracy', 'nsp_loss', 'step']

    Source: Devlin et al. 2018 (arXiv:1810.04805), section 3.1 and appendix A.2; Lan et al. 2019 (arXiv:1909.11942),
    section 3.1, for sentence order prediction.
    """
    config = resolve_config("pretrain", config, fields)
    if (config.steps is None) == (config.epochs is None):
        raise InputError(
            f"`steps` or `epochs` must be given, but not both. Received: steps={config.steps}, epochs={config.epochs}"
        )
    check_pretraining_examples(model, examples, masking)
    if validation is not None:
        check_pretraining_examples(model, validation, masking, "validation")
    batches = MaskedBatches(examples, masking, config.batch_size, config.seed)
    epoch_steps = steps_per_epoch(batches, config.accumulate)
    steps = config.steps or config.epochs * epoch_steps
    if config.embedding_init and not has_checkpoint(config.checkpoint_dir):
        from keras_bert.training.embedding_init import initialize_embeddings

        initialize_embeddings(model, examples, masking, config.seed)

    evaluate = None
    if validation is not None:
        fixed = dataclasses.replace(masking, rate=VALIDATION_MASKING_RATE)
        validation_batches = MaskedBatches(validation, fixed, config.batch_size, config.seed, shuffle=False)

        def evaluate(callbacks: keras.callbacks.CallbackList) -> dict[str, float]:
            return evaluate_batches(model, validation_batches, callbacks)

    identity = {
        "sentence_task": model.sentence_task,
        **config.to_dict(),
        "steps": steps,
        "epochs": None,
        "masking_rate": masking.rate,
        "max_predictions": masking.max_predictions,
        "whole_words": masking.word_starts is not None,
        "dtype": model.dtype_policy.name,
        "examples": examples_checksum(examples),
        "validation": None if validation is None else examples_checksum(validation),
    }
    with compiled_for_fit(model, config, lambda optimizer: compile_pretrainer(model, optimizer)):
        compile_pretrainer(model, make_optimizer(config, steps))
        return run(
            model,
            batches,
            config,
            title="pretrain",
            steps=steps,
            validate_every=config.validate_every or epoch_steps,
            per_example_fns=PER_EXAMPLE_FNS,
            batch_sums=pretraining_sums,
            evaluate=evaluate,
            selection_key=lambda metrics: (-metrics["val_loss"],),
            identity=identity,
        )
