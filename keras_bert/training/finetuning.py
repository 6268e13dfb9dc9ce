"""Fine-tuning of a task model on labeled examples."""

import dataclasses
from collections.abc import Callable
from pathlib import Path

import keras
import numpy as np

from keras_bert import ops
from keras_bert.data.examples import read_examples
from keras_bert.data.id_arrays import check_ids
from keras_bert.errors import InputError
from keras_bert.inference.rows import model_rows
from keras_bert.models.encoder_of import encoder_of
from keras_bert.training.batches import LengthGroupedBatches
from keras_bert.training.common import checksum, compiled_for_fit, make_optimizer, steps_per_epoch
from keras_bert.training.config import TrainingConfig
from keras_bert.training.custom_optimizer import check_optimizer, optimizer_identity
from keras_bert.training.distillation_loss import check_teacher, distillation_targets, distillation_task
from keras_bert.training.example_weights import example_weights
from keras_bert.training.finetuning_data import read_validation, split_rows
from keras_bert.training.freezing import frozen
from keras_bert.training.layer_rates import layer_rates
from keras_bert.training.loop import run
from keras_bert.training.new_model import class_count, open_model, set_class_names, set_text_attributes
from keras_bert.training.objective import make_objective, selection_key, training_task
from keras_bert.training.resolve_config import resolve_config

LONG_RUN = 500  # steps


def finetune(
    model: keras.Model | str | Path,
    inputs,
    labels=None,
    validation_inputs=None,
    validation_labels=None,
    config: TrainingConfig | None = None,
    *,
    validation_data=None,
    validation_split: float | None = None,
    sample_weight=None,
    class_weight: dict | None = None,
    optimizer=None,
    loss=None,
    metrics=None,
    vectorizer=None,
    label_names=None,
    teacher_logits=None,
    selection_metric: Callable[[], float] | None = None,
    **fields,
) -> keras.callbacks.History:
    """Train a model on labeled texts or token ids, on any Keras backend, and keep the weights of the best epoch.

    Afterwards the model is compiled with its loss and metrics, and with `optimizer` or a new `bert_adamw` at the
    constant peak learning rate, so that `fit`, `save` and another `finetune` work.

    Args:
        model: a `BertClassifier`, `BertFeatureClassifier`, `BertSpanLabeler` or `BertTokenClassifier`; a functional
            `keras.Model` on a `BertEncoder`, with the dict of its inputs and one output; or a name or folder for
            `kb.load_pretrained`. A model is trained in place. An encoder that is given by name gets a new
            `BertClassifier` for the classes in `labels`; it is the `model` of the returned history.
        inputs: texts, pairs of texts, token ids or a dataset, see `read_examples`: lists, NumPy arrays, pandas,
            `tf.data`, Hugging Face `datasets`, `keras.utils.PyDataset`. A dataset is read into memory once, in its
            order, and `finetune` shuffles the examples itself.
        labels: labels, which depend on the model; None if `inputs` is a dataset that has them. Classifier: class names,
            or int `[N]` in 0 … C - 1; for `"multi_label"` 0 or 1 `[N, C]`, or lists of names; for `"regression"` float
            `[N]`. Span labeler, with token ids: a dict of `start_logits` and `end_logits`, token positions int `[N]`.
            Token classifier, with token ids: int `[N, T]`, -1 for tokens without a label.
        validation_inputs, validation_labels: the same for examples that are not trained on. They select the best epoch.
        config: a `TrainingConfig`, or None for the defaults. The paper uses 2 to 4 epochs and learning rates of 2e-5 to
            5e-5. Small models and random weights need about ten times that learning rate, and random weights need more
            epochs.
        validation_data: (inputs, labels) or a dataset, in place of `validation_inputs` and `validation_labels`.
        validation_split: share of the examples to validate on, in (0, 1). They are chosen at random by `seed`, with the
            same shares of the classes as in all examples. Without validation the weights of the last epoch are kept.
        sample_weight: N weights of the training examples. The loss of a batch is the weighted mean, and so are the
            metrics of the training examples; those of the validation examples have no weights.
        class_weight: dict of class id or name to the weight of its examples.
        optimizer: a Keras optimizer or its name, in place of AdamW with `learning_rate`, `warmup` and `weight_decay`.
        loss: a Keras loss or a function in place of the task's, called with the targets and the model's outputs.
        metrics: Keras metrics, functions or names that are logged too. Metrics of a classifier of this package get
            probabilities, and those with `from_logits=True` logits; metrics of other models get the model's outputs.
        vectorizer: `BertTextVectorization` for texts. None uses the model's own, which a model from `from_pretrained`
            or `kb.load_pretrained` has.
        label_names: names of the classes in the order of the logits. Default: those of the model, else the sorted names
            in `labels`.
        teacher_logits: float `[N, C]`, logits of another classifier for the training examples (`predict_logits`). The
            loss is then `DistillationLoss`.
        selection_metric: called without arguments after each epoch, returns a number. The epoch with the highest value
            is kept. Use it for metrics that are not computed per example, such as the F1 of SQuAD.
        **fields: fields of `TrainingConfig`. They override those of `config`.

    Returns:
        A Keras `History` with one entry per epoch: `step`, `loss`, `accuracy`, `learning_rate`, and with validation
        `val_loss`, `val_accuracy`, and with a `selection_metric` also `val_selection_metric`. The best epoch has the
        highest `val_selection_metric` or, without it, the highest `val_accuracy`, and among equals the lowest
        `val_loss`. For regression, `mean_absolute_error` replaces `accuracy`, and the best epoch has the lowest
        `val_loss`. Its `model` has a `vectorizer` and `labels`, so that `kb.Predictor(history.model)`,
        `kb.evaluate(history.model, texts, labels)` and `history.model.save_pretrained(folder)` need no other argument.

    Raises:
        InputError: inputs, labels, encoder and settings do not fit each other, or the checkpoint is of another model or
            run.
        NonFiniteError: a loss or a weight became NaN or infinite. The last checkpoint stays, and the model has the
            weights of the last checkpoint or evaluation.
        KeyboardInterrupt: after Ctrl-C or SIGTERM. A checkpoint of the last complete step is written first.

    Example:

    >>> import keras_bert as kb
    >>> vectorizer = kb.BertTextVectorization(["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "fine", "dull", "film"])
    >>> config = kb.BertConfig(vocab_size=8, hidden_size=8, num_layers=1, num_heads=2, intermediate_size=16)
    >>> model = kb.BertClassifier(kb.BertEncoder(config), num_classes=2)
    >>> texts, labels = ["fine film", "dull film", "fine", "dull"], ["good", "bad", "good", "bad"]
    >>> history = finetune(
    ...     model, texts, labels, validation_split=0.5, vectorizer=vectorizer, epochs=2, batch_size=2, verbose=0
    ... )
    >>> history.history["step"], model.labels, sorted(kb.Predictor(model)("a fine film")[0])
    ([1, 2], ['bad', 'good'], ['label', 'probabilities', 'probability', 'text'])

    Source: Devlin et al. 2018 (arXiv:1810.04805), sections 3.2 and 4.1, appendix A.3; Hinton et al. 2015
    (arXiv:1503.02531) for `teacher_logits`; the names of the arguments are those of `keras.Model.fit`.
    """
    settings, config = config, resolve_config("finetune", config, fields)
    examples = read_examples(inputs, labels, sample_weight)
    if examples.labels is None:
        raise InputError("`labels` must be given unless `inputs` is a dataset with labels. Received: labels=None")
    validation = read_validation(validation_inputs, validation_labels, validation_data, validation_split)
    if validation is None and selection_metric is not None:
        raise InputError("`selection_metric` must be None without validation data. Received: selection_metric")
    model = open_model(model, examples, label_names, config.seed)
    encoder, task = encoder_of(model), training_task(model, loss)
    set_class_names(model, examples, label_names)
    if validation_split:
        train, held_out = split_rows(examples.labels, validation_split, config.seed)
        examples, validation = examples.select(train), examples.select(held_out)
        teacher_logits = None if teacher_logits is None else np.asarray(teacher_logits)[train]

    train_ids, train_labels = model_rows(model, examples, vectorizer)
    check_ids(encoder.config, train_ids)
    train_targets, token_weights = task.targets(model, train_ids, train_labels)
    if validation is not None:
        validation_ids, validation_labels = model_rows(model, validation, vectorizer, "validation_data")
        check_ids(encoder.config, validation_ids)
        validation_targets = task.targets(model, validation_ids, validation_labels)
        if isinstance(validation_targets[1], np.ndarray) and not validation_targets[1].any():
            raise InputError("`validation_data` must have at least one token with a label. Received: none")
    classes = class_count(model) if task.has_class_ids else None
    weights = example_weights(
        train_targets, token_weights, examples.weights, class_weight, classes, getattr(model, "labels", None)
    )
    if teacher_logits is not None and loss is not None:
        raise InputError("`loss` must be None with `teacher_logits`, which have their own loss. Received: both")
    check_teacher(task, train_targets, teacher_logits, config)
    own_task = task
    if teacher_logits is not None:
        task = distillation_task(task, config.temperature, config.alpha)
        train_targets = distillation_targets(train_targets, teacher_logits, class_count(model))
    objective = make_objective(model, task, loss, metrics, own_task)
    objective.check(train_ids, train_targets)
    few_lengths = ops.runs_on_cpu() and _is_long_run(config, len(train_ids["input_mask"]))
    batches = LengthGroupedBatches(
        *(train_ids, train_targets, config.batch_size, config.seed, weights, task.per_token),
        few_lengths=few_lengths,
    )
    epoch_steps = steps_per_epoch(batches, config.accumulate)
    steps = config.epochs * epoch_steps
    optimizer = None if optimizer is None else check_optimizer(optimizer, model, settings, fields)
    set_text_attributes(model, examples, vectorizer)

    def evaluate_epoch(callbacks: keras.callbacks.CallbackList) -> dict[str, float]:
        found = objective.evaluate(validation_ids, *validation_targets, callbacks)
        selected = {} if selection_metric is None else {"selection_metric": float(selection_metric())}
        return found | selected

    identity = {
        **config.to_dict(),
        "dtype": model.dtype_policy.name,
        "train_ids": checksum(train_ids["input_word_ids"]),
        "train_labels": [checksum(np.asarray(array)) for array in keras.tree.flatten(train_targets)],
        "teacher_logits": teacher_logits is not None,
        "validation_ids": None if validation is None else checksum(validation_ids["input_word_ids"]),
        **({} if weights is None or weights is token_weights else {"weights": checksum(weights)}),
        **({} if optimizer is None else {"optimizer": optimizer_identity(optimizer)}),
        **objective.identity(),
    }
    gradual = config.freeze == "gradual"
    with (
        compiled_for_fit(model, config, make_objective(model, own_task, loss, metrics).compile, optimizer),
        frozen(encoder, "none" if gradual else config.freeze),
        objective.running() as callbacks,
    ):
        if optimizer is None:
            rates = None
            if gradual or config.layer_decay != 1:
                rates = layer_rates(model, config.layer_decay, (epoch_steps, config.epochs) if gradual else None)
            optimizer = make_optimizer(config, steps, rates)
        objective.compile(optimizer)
        config = dataclasses.replace(config, callbacks=(*callbacks, *config.callbacks))
        return run(
            model,
            batches,
            config,
            title="finetune",
            steps=steps,
            validate_every=epoch_steps,
            per_example_fns=objective.per_example_fns,
            batch_sums=objective.batch_sums,
            evaluate=None if validation is None else evaluate_epoch,
            selection_key=selection_key,
            identity=identity,
            trace_batches=[batches.dummy_batch(size, length=8 * size) for size in (2, 4)],
            few_lengths=few_lengths,
        )


def _is_long_run(config: TrainingConfig, examples: int) -> bool:
    """Return whether a run has enough steps to compile kernels for each length, which takes seconds per length."""
    return config.epochs * examples // config.batch_size >= LONG_RUN
