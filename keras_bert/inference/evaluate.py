"""Evaluation of a task model on labeled rows of token ids."""

from collections.abc import Sequence

import keras

from keras_bert.data.id_arrays import as_id_arrays
from keras_bert.errors import InputError
from keras_bert.inference.predict import predict_logits
from keras_bert.metrics import make_bootstrap
from keras_bert.tasks import task_for


def evaluate(
    model: keras.Model,
    ids: dict,
    labels,
    batch_size: int = 64,
    *,
    label_names: Sequence[str] | None = None,
    bootstrap: int = 0,
    seed: int = 0,
) -> dict:
    """Compute the metrics of a model on labeled rows.

    Args:
        model: a model with a head on an encoder, such as `BertClassifier`.
        ids: dict of `input_word_ids`, `input_mask`, `input_type_ids`, int `[N, T]`.
        labels: as `kb.finetune` takes them.
        batch_size: B.
        label_names: names of the classes, labels or tags in the order of the logits. Default: their numbers.
        bootstrap: number of resamples for 95 % bootstrap intervals of the metrics, such as 1000; 0 for none. There are
            none for spans and tokens.
        seed: seed of the resamples.

    Returns:
        A dict that can be written as JSON, with `loss` (the mean of the training loss), `examples` (N), and

        - single-label classification: `accuracy`; `majority`, the accuracy of always predicting the most frequent
          class; macro and weighted averages of precision, recall and F1; `matthews_correlation`; `roc_auc`;
          `calibration_error`; `classes`, the metrics of each class; `confusion`, C lists of C counts, where the row is
          the expected class and the column the predicted class; see `keras_bert.metrics.classification_report`;
        - multi-label classification: `accuracy` over labels, `exact_match` over rows; micro, macro and weighted
          averages of precision, recall and F1; the rest as above; see `keras_bert.metrics.multi_label_report`;
        - regression: `mean_absolute_error`, `pearson`, `spearman`;
        - spans: `accuracy` of starts and ends, `exact_match` of both;
        - tokens: `accuracy`; `tokens`, the number of tokens that have a label; with `label_names` also `precision`,
          `recall` and `f1` of the entities, and `types`, the same for each type.

        With `bootstrap` also `intervals`, a dict of metric to [low, high].

        `kb.format_metrics` shows it as the table that `keras-bert evaluate` prints.

    Raises:
        InputError: there are no rows, or ids, labels or names do not fit the model; `label_names` or `bootstrap` is
            given for a task without class names or intervals.

    Example:

    >>> import numpy as np, keras_bert as kb
    >>> config = kb.BertConfig(vocab_size=50, hidden_size=8, num_layers=1, num_heads=2, intermediate_size=16)
    >>> ids = np.array([[2, 7, 3, 0], [2, 8, 9, 3]])
    >>> rows = {"input_word_ids": ids, "input_mask": ids > 0, "input_type_ids": 0 * ids}
    >>> kb.evaluate(kb.BertClassifier(kb.BertEncoder(config)), rows, [0, 1])["examples"]
    2

    Source: Devlin et al. 2018 (arXiv:1810.04805), section 4.1; the GLUE benchmark, Wang et al. 2018 (arXiv:1804.07461).
    """
    ids = as_id_arrays(ids)
    task = task_for(model)
    options = task.check_report_options(label_names=label_names, bootstrap=make_bootstrap(bootstrap, seed))
    targets, weights = task.targets(model, ids, labels)
    rows = len(ids["input_word_ids"])
    if rows == 0:
        raise InputError("`ids` must have at least one row. Received: 0 rows")
    outputs = predict_logits(model, ids, batch_size)
    return {**task.report(outputs, targets, weights, **options), "examples": rows}
