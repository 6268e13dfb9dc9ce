"""Evaluation of a task model on labeled texts or rows of token ids."""

from collections.abc import Sequence
from pathlib import Path

import keras

from keras_bert.data.examples import read_examples
from keras_bert.errors import InputError
from keras_bert.inference.predict import predict_logits
from keras_bert.inference.rows import model_rows
from keras_bert.metrics import make_bootstrap
from keras_bert.tasks import task_for
from keras_bert.weights import load_pretrained


def evaluate(
    model: keras.Model | str | Path,
    inputs,
    labels=None,
    batch_size: int = 64,
    vectorizer=None,
    *,
    label_names: Sequence[str] | None = None,
    bootstrap: int = 0,
    seed: int = 0,
) -> dict:
    """Compute the metrics of a model on labeled texts or rows of token ids.

    Args:
        model: a model with a head on an encoder, such as `BertClassifier`; or a name or folder for
            `kb.load_pretrained`.
        inputs, labels: N examples and their labels, in any form that `kb.finetune` takes.
        batch_size: B.
        vectorizer: `BertTextVectorization` for texts. None uses the model's own.
        label_names: names of the classes, labels or tags in the order of the logits. Default: those of the model, else
            their numbers.
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
          `recall` and `f1` of the entities, and `types`, the same for each type; or, for tags without a scheme such as
          parts of speech, `tags`, the same for each tag; see `keras_bert.metrics.tag_metrics`.

        With `bootstrap` also `intervals`, a dict of metric to [low, high].

        `kb.format_metrics` shows it as the table that `keras-bert evaluate` prints.

    Raises:
        InputError: there are no examples, or inputs, labels or names do not fit the model; `label_names` or `bootstrap`
            is given for a task without class names or intervals.

    Example:

    >>> import numpy as np, keras_bert as kb
    >>> config = kb.BertConfig(vocab_size=50, hidden_size=8, num_layers=1, num_heads=2, intermediate_size=16)
    >>> ids = np.array([[2, 7, 3, 0], [2, 8, 9, 3]])
    >>> rows = {"input_word_ids": ids, "input_mask": ids > 0, "input_type_ids": 0 * ids}
    >>> kb.evaluate(kb.BertClassifier(kb.BertEncoder(config)), rows, [0, 1])["examples"]
    2

    Source: Devlin et al. 2018 (arXiv:1810.04805), section 4.1; the GLUE benchmark, Wang et al. 2018 (arXiv:1804.07461).
    """
    if isinstance(model, str | Path):
        model = load_pretrained(model).model
    task = task_for(model)
    if label_names is None and "label_names" in task.report_options:
        label_names = getattr(model, "labels", None)
    options = task.check_options(
        task.report_options, label_names=label_names, bootstrap=make_bootstrap(bootstrap, seed)
    )
    examples = read_examples(inputs, labels)
    if examples.labels is None:
        raise InputError("`labels` must be given unless `inputs` is a dataset with labels. Received: labels=None")
    if not len(examples):
        raise InputError("`inputs` must have at least one example. Received: 0 examples")
    if examples.weights is not None:
        raise InputError(
            "`inputs` must have no weights: the metrics are not weighted. Received: a dataset with weights"
        )
    ids, labels = model_rows(model, examples, vectorizer)
    targets, weights = task.targets(model, ids, labels)
    outputs = predict_logits(model, ids, batch_size)
    return {**task.report(outputs, targets, weights, **options), "examples": len(examples)}
