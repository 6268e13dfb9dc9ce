"""What a classifier says of rows, and how right it is."""

import keras
import numpy as np

from keras_bert.errors import InputError
from keras_bert.training.batches import as_id_arrays, row_lengths, trim


def predict_logits(classifier: keras.Model, ids: dict, batch_size: int = 64) -> np.ndarray:
    """Logits of every row, computed shortest first so that little padding is.

    Args:
        classifier: a `BertClassifier`.
        ids: dict of `input_word_ids`, `input_mask`, `input_type_ids`, int `[N, T]`.
        batch_size: B.

    Returns:
        float32 `[N, C]`, in the order of the rows.

    Raises:
        InputError: an input is missing, has another shape, or an id or a length that the encoder has not.
    """
    ids = as_id_arrays(ids)
    check_ids(classifier, ids)
    lengths = row_lengths(ids)
    order = np.argsort(lengths, kind="stable")
    logits = np.zeros((len(lengths), classifier.num_classes), np.float32)
    for start in range(0, len(order), batch_size):
        rows = order[start : start + batch_size]
        logits[rows] = np.asarray(classifier.predict_on_batch(trim(ids, lengths, rows)), np.float32)
    return logits


def evaluate(classifier: keras.Model, ids: dict, labels, batch_size: int = 64) -> dict:
    """How right a classifier is.

    Args:
        classifier: a `BertClassifier`.
        ids: dict of `input_word_ids`, `input_mask`, `input_type_ids`, int `[N, T]`.
        labels: int `[N]`, 0 … C - 1.
        batch_size: B.

    Returns:
        A dict, ready for JSON: `accuracy`, `loss` (mean cross-entropy, in nats), `examples` (N), and `confusion`,
        C lists of C counts: the row is the true class, the column the predicted one.

    Raises:
        InputError: no row; ids or labels that do not fit the classifier.

    Example:

    >>> import keras_bert as kb
    >>> config = kb.BertConfig(vocab_size=50, hidden_size=8, num_layers=1, num_heads=2, intermediate_size=16)
    >>> ids = np.array([[2, 7, 3, 0], [2, 8, 9, 3]])
    >>> rows = {"input_word_ids": ids, "input_mask": ids > 0, "input_type_ids": 0 * ids}
    >>> evaluate(kb.BertClassifier(kb.BertEncoder(config)), rows, [0, 1])["examples"]
    2

    Source: Devlin et al. 2018, section 4.1 (accuracy on the dev set).
    """
    ids = as_id_arrays(ids)
    labels = check_labels(classifier, ids, labels)
    if len(labels) == 0:
        raise InputError("an accuracy needs rows. Received: none")
    logits = predict_logits(classifier, ids, batch_size).astype(np.float64)  # [N, C]
    shifted = logits - logits.max(axis=1, keepdims=True)
    log_probabilities = shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True))  # [N, C]
    predicted = logits.argmax(axis=1)
    confusion = np.zeros((classifier.num_classes, classifier.num_classes), int)
    np.add.at(confusion, (labels, predicted), 1)
    return {
        "accuracy": float((predicted == labels).mean()),
        "loss": float(-log_probabilities[np.arange(len(labels)), labels].mean()),
        "examples": len(labels),
        "confusion": confusion.tolist(),
    }


def check_ids(model: keras.Model, ids: dict[str, np.ndarray]) -> None:
    """Refuse ids that the model's encoder has no embedding for.

    Raises:
        InputError: a word id, a type id or a length beyond the encoder's.
    """
    config = model.encoder.config
    width = int(row_lengths(ids).max(initial=0))
    if width > config.max_position_embeddings:
        raise InputError(f"rows may have {config.max_position_embeddings} tokens, the positions. Received: {width}")
    for key, size in (("input_word_ids", config.vocab_size), ("input_type_ids", config.type_vocab_size)):
        low, high = int(ids[key].min(initial=0)), int(ids[key].max(initial=0))
        if size and (low < 0 or high >= size):  # no size: an encoder without segments reads none
            raise InputError(
                f"{key} must lie in 0 … {size - 1}, as encoder and vocabulary must be of one size. "
                f"Received: {low} … {high}"
            )


def check_labels(classifier: keras.Model, ids: dict[str, np.ndarray], labels) -> np.ndarray:
    """The labels as int32 `[N]`.

    Raises:
        InputError: another count than rows, or a label outside 0 … C - 1.
    """
    labels = np.asarray(labels)
    rows = len(ids["input_word_ids"])
    if labels.shape != (rows,) or (rows and not np.issubdtype(labels.dtype, np.integer)):
        raise InputError(f"whole-number labels, {rows}, are expected. Received: {labels.dtype} of shape {labels.shape}")
    if rows and not 0 <= labels.min() <= labels.max() < classifier.num_classes:
        raise InputError(
            f"labels must lie in 0 … {classifier.num_classes - 1}. Received: {labels.min()} … {labels.max()}"
        )
    return labels.astype(np.int32)
