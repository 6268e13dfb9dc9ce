"""Evaluation of a task model on labeled texts or rows of token ids."""

from pathlib import Path

import keras

from keras_bert.data.examples import read_examples
from keras_bert.errors import InputError
from keras_bert.inference.predict import predict_logits
from keras_bert.inference.rows import model_rows
from keras_bert.tasks import task_for
from keras_bert.weights import load_pretrained


def evaluate(model: keras.Model | str | Path, inputs, labels=None, batch_size: int = 64, vectorizer=None) -> dict:
    """Compute the metrics of a model on labeled texts or rows of token ids.

    Args:
        model: a model with a head on an encoder, such as `BertClassifier`; or a name or folder for
            `kb.load_pretrained`.
        inputs, labels: N examples and their labels, in any form that `kb.finetune` takes.
        batch_size: B.
        vectorizer: `BertTextVectorization` for texts. None uses the model's own.

    Returns:
        A dict that can be written as JSON, with `loss` (the mean of the training loss), `examples` (N), and

        - single-label classification: `accuracy`; `confusion`, C lists of C counts, where the row is the expected class
          and the column the predicted class;
        - multi-label classification: `accuracy` over labels, `exact_match` over rows, `f1` over all labels, `macro_f1`;
        - regression: `mean_absolute_error`, `pearson`, `spearman`;
        - spans: `accuracy` of starts and ends, `exact_match` of both;
        - tokens: `accuracy`, and `tokens`, the number of tokens that have a label.

    Raises:
        InputError: there are no examples, or inputs or labels do not fit the model.

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
    return {**task.compute_metrics(outputs, targets, weights), "examples": len(examples)}
