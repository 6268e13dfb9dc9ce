"""Fine-tuning of a task model on labeled examples."""

from collections.abc import Callable

import keras
import numpy as np

from keras_bert.data.id_arrays import as_id_arrays, check_ids
from keras_bert.tasks import task_for
from keras_bert.training.batches import LengthGroupedBatches
from keras_bert.training.common import checksum, compiled_for_fit, jit_compile, make_optimizer, steps_per_epoch
from keras_bert.training.config import TrainingConfig, resolve_config
from keras_bert.training.distillation_loss import check_teacher, distillation_targets, distillation_task
from keras_bert.training.freezing import frozen
from keras_bert.training.layer_rates import layer_rates
from keras_bert.training.loop import run
from keras_bert.training.metric_sums import MetricSums
from keras_bert.training.validation import validate


def finetune(
    model: keras.Model,
    train_ids: dict,
    train_labels,
    validation_ids: dict,
    validation_labels,
    config: TrainingConfig | None = None,
    *,
    teacher_logits=None,
    selection_metric: Callable[[], float] | None = None,
    **fields,
) -> keras.callbacks.History:
    """Train a task model on labeled examples, on any Keras backend, and keep the weights of the best epoch.

    Afterwards the model is compiled with the loss and metric of its task and a new `bert_adamw` at the constant peak
    learning rate, so that `fit`, `save` and another `finetune` work.

    Args:
        model: a `BertClassifier`, `BertFeatureClassifier`, `BertSpanLabeler` or `BertTokenClassifier`. It is trained in
            place.
        train_ids: dict of `input_word_ids`, `input_mask`, `input_type_ids`, int `[N, T]`.
        train_labels: labels, which depend on the model. Classifier: int `[N]` in 0 … C - 1; for `"multi_label"` 0 or 1
            `[N, C]`; for `"regression"` float `[N]`. Span labeler: a dict of `start_logits` and `end_logits`, token
            positions int `[N]`. Token classifier: int `[N, T]`, -1 for tokens without a label.
        validation_ids, validation_labels: the same for examples that are not trained on. They select the best epoch.
        config: a `TrainingConfig`, or None for the defaults. The paper uses 2 to 4 epochs and learning rates of 2e-5 to
            5e-5. Small models and random weights need about ten times that learning rate, and random weights need more
            epochs.
        teacher_logits: float `[N, C]`, logits of another classifier for the training examples (`predict_logits`). The
            loss is then `DistillationLoss`.
        selection_metric: called without arguments after each epoch, returns a number. The epoch with the highest value
            is kept. Use it for metrics that are not computed per example, such as the F1 of SQuAD.
        **fields: fields of `TrainingConfig`. They override those of `config`.

    Returns:
        A Keras `History` with one entry per epoch: `step`, `loss`, `accuracy`, `learning_rate`, `val_loss`,
        `val_accuracy`, and with a `selection_metric` also `val_selection_metric`. The best epoch has the highest
        `val_selection_metric` or, without it, the highest `val_accuracy`, and among equals the lowest `val_loss`. For
        regression, `mean_absolute_error` replaces `accuracy`, and the best epoch has the lowest `val_loss`.

    Raises:
        InputError: ids, labels, encoder and settings do not fit each other, or the checkpoint is of another model or
            run.
        KeyboardInterrupt: after Ctrl-C. A checkpoint of the last complete step is written first.

    Example:

    >>> import keras_bert as kb
    >>> import numpy as np
    >>> config = kb.BertConfig(vocab_size=50, hidden_size=8, num_layers=1, num_heads=2, intermediate_size=16)
    >>> model = kb.BertClassifier(kb.BertEncoder(config), num_classes=2)
    >>> words = np.array([[2, 7, 3, 0], [2, 8, 9, 3]])
    >>> ids = {"input_word_ids": words, "input_mask": words > 0, "input_type_ids": 0 * words}
    >>> history = finetune(model, ids, [0, 1], ids, [0, 1], epochs=2, verbose=0)
    >>> history.history["step"]
    [1, 2]

    Source: Devlin et al. 2018 (arXiv:1810.04805), sections 3.2 and 4.1, appendix A.3; Hinton et al. 2015
    (arXiv:1503.02531) for `teacher_logits`.
    """
    config = resolve_config("finetune", config, fields)
    train_ids, validation_ids = as_id_arrays(train_ids), as_id_arrays(validation_ids)
    task = task_for(model)
    check_ids(model.encoder.config, train_ids)
    train_targets, train_weights = task.targets(model, train_ids, train_labels)
    check_ids(model.encoder.config, validation_ids)
    validation = task.targets(model, validation_ids, validation_labels)
    check_teacher(task, train_targets, teacher_logits, config)
    own_task = task
    if teacher_logits is not None:
        task = distillation_task(task, config.temperature, config.alpha)
        train_targets = distillation_targets(train_targets, teacher_logits, model.num_classes)
    batches = LengthGroupedBatches(
        train_ids, train_targets, config.batch_size, config.seed, train_weights, task.per_token
    )
    epoch_steps = steps_per_epoch(batches, config.accumulate)
    steps = config.epochs * epoch_steps
    names = ("loss", task.metric[0])

    def evaluate_epoch(callbacks: keras.callbacks.CallbackList) -> dict[str, float]:
        metrics = validate(model, own_task, validation_ids, *validation, callbacks)
        selected = {} if selection_metric is None else {"selection_metric": float(selection_metric())}
        return metrics | selected

    identity = {
        **config.to_dict(),
        "dtype": model.dtype_policy.name,
        "train_ids": checksum(train_ids["input_word_ids"]),
        "train_labels": [checksum(np.asarray(array)) for array in keras.tree.flatten(train_targets)],
        "teacher_logits": teacher_logits is not None,
        "validation_ids": checksum(validation_ids["input_word_ids"]),
    }
    gradual = config.freeze == "gradual"
    with (
        compiled_for_fit(model, config, lambda optimizer: own_task.compile(model, optimizer, jit_compile())),
        frozen(model.encoder, "none" if gradual else config.freeze),
    ):
        rates = None
        if gradual or config.layer_decay != 1:
            rates = layer_rates(model, config.layer_decay, (epoch_steps, config.epochs) if gradual else None)
        task.compile(model, make_optimizer(config, steps, rates), jit_compile())
        return run(
            model,
            batches,
            config,
            title="finetune",
            steps=steps,
            validate_every=epoch_steps,
            per_example_fns=task.per_example_fns,
            batch_sums=lambda logs, batch: _batch_sums(logs, batch, names),
            evaluate=evaluate_epoch,
            selection_key=selection_key,
            identity=identity,
            trace_batches=[batches.dummy_batch(size, length=8 * size) for size in (2, 4)],
        )


def selection_key(metrics: dict[str, float]) -> tuple[float, ...]:
    """Return the key that epochs are compared by. The epoch with the largest key is the best.

    The key is `val_selection_metric` or, without it, `val_accuracy`. Ties are resolved by the lowest `val_loss`. Where
    there is neither, as in regression, the lowest `val_loss` decides.

    Args:
        metrics: the metrics of one epoch, by the names in the history.

    Example:

    >>> selection_key({"val_accuracy": 0.9, "val_loss": 0.3})
    (0.9, -0.3)
    """
    value = next((metrics[name] for name in ("val_selection_metric", "val_accuracy") if name in metrics), 0.0)
    return value, -metrics["val_loss"]


def _batch_sums(logs: dict, batch: tuple, names: tuple[str, ...]) -> MetricSums:
    """Turn the means that Keras logs for a batch into (sum, weight) pairs."""
    count = float(batch[2].sum()) if len(batch) > 2 else float(len(batch[0]["input_word_ids"]))
    return {name: (_mean_log(logs, name) * count, count) for name in names}


def _mean_log(logs: dict, name: str) -> float:
    """Return a metric, averaged over the outputs: for several outputs, Keras logs only the sum of their losses."""
    parts = [float(value) for key, value in logs.items() if key.endswith(f"_{name}")]
    return sum(parts) / len(parts) if parts else float(logs[name])
