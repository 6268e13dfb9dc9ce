"""Accuracy, confusion matrix, cross-entropy and F1 of predicted classes and labels."""

import numpy as np


def accuracy(expected, predicted) -> float:
    """Compute the fraction of equal entries.

    Args:
        expected: array of any shape and dtype.
        predicted: array of the same shape.

    Returns:
        A number in [0, 1].

    Example:

    >>> accuracy([0, 1, 1, 2], [0, 1, 2, 2])
    0.75
    """
    return float((np.asarray(predicted) == np.asarray(expected)).mean())


def confusion_matrix(expected, predicted, num_classes: int) -> np.ndarray:
    """Count how often each class was predicted for each expected class.

    Args:
        expected: int `[N]`, class ids in 0 … C - 1.
        predicted: int `[N]`.
        num_classes: C.

    Returns:
        int64 `[C, C]`: the row is the expected class, the column the predicted class.

    Example:

    >>> confusion_matrix([0, 1, 1], [0, 1, 0], 2).tolist()
    [[1, 0], [1, 1]]
    """
    counts = np.zeros((num_classes, num_classes), np.int64)
    np.add.at(counts, (np.asarray(expected), np.asarray(predicted)), 1)
    return counts


def cross_entropy(logits, labels) -> np.ndarray:
    """Compute -log softmax(logits)[label] of each example in float64.

    Args:
        logits: float `[N, C]`.
        labels: int `[N]`, class ids.

    Returns:
        float64 `[N]`, in nats.

    Example:

    >>> cross_entropy(np.zeros((1, 4)), [2]).round(4).tolist()
    [1.3863]
    """
    logits, labels = np.asarray(logits, np.float64), np.asarray(labels)
    shifted = logits - logits.max(axis=-1, keepdims=True)  # [N, C]
    return np.log(np.exp(shifted).sum(axis=-1)) - shifted[np.arange(len(labels)), labels]  # [N]


def as_class_logits(logits) -> np.ndarray:
    """Return float64 logits of C classes, `[N, C]`. A single logit z per example becomes the two logits 0 and z.

    Softmax over (0, z) is sigmoid(z), so all metrics of two classes apply to a head with one logit.

    Example:

    >>> as_class_logits([[2.0], [-1.0]]).tolist()
    [[0.0, 2.0], [0.0, -1.0]]
    """
    logits = np.asarray(logits, np.float64)
    return np.concatenate([np.zeros_like(logits), logits], axis=-1) if logits.shape[-1] == 1 else logits


def classification_metrics(logits, labels) -> dict:
    """Compute the basic metrics of single-label classification; `classification_report` adds all others.

    Args:
        logits: float `[N, C]`, or `[N, 1]` for two classes: the logit of class 1.
        labels: int `[N]` or `[N, 1]`, class ids.

    Returns:
        A dict: `accuracy`, `loss` (mean cross-entropy), `majority` (the accuracy of always predicting the most frequent
        class) and `confusion`, `confusion_matrix` as lists.

    Example:

    >>> classification_metrics(np.array([[2.0, 0.0], [1.0, 0.0]]), [0, 1])["confusion"]
    [[1, 0], [1, 0]]
    """
    logits, labels = as_class_logits(logits), np.asarray(labels).reshape(-1).astype(int)  # [N, C], [N]
    predicted = logits.argmax(axis=-1)  # [N]
    return {
        "accuracy": accuracy(labels, predicted),
        "loss": float(cross_entropy(logits, labels).mean()),
        "majority": float(np.bincount(labels).max() / len(labels)),
        "confusion": confusion_matrix(labels, predicted, logits.shape[-1]).tolist(),
    }


def multi_label_metrics(logits, labels) -> dict:
    """Compute the basic metrics of multi-label classification; a label is predicted where its logit is above 0.

    Args:
        logits: float `[N, C]`.
        labels: 0 or 1, `[N, C]`.

    Returns:
        A dict: `accuracy` over all N * C labels, `exact_match` (the fraction of examples with all C labels correct),
        `f1` over all labels (micro average), `macro_f1` (the mean of the F1 of each label; 0 for a label without
        positives), `loss` (mean binary cross-entropy).

    Example:

    >>> metrics = multi_label_metrics(np.array([[3.0, -2.0], [1.0, 1.0]]), np.array([[1, 0], [1, 0]]))
    >>> metrics["accuracy"], metrics["exact_match"], metrics["f1"], metrics["macro_f1"]
    (0.75, 0.5, 0.8, 0.5)
    """
    logits, expected = np.asarray(logits, np.float64), np.asarray(labels) > 0  # [N, C]
    predicted = logits > 0
    losses = np.maximum(logits, 0) - logits * expected + np.log1p(np.exp(-np.abs(logits)))  # [N, C]
    true_positives = (predicted & expected).sum(axis=0)  # [C]
    positives = predicted.sum(axis=0) + expected.sum(axis=0)
    label_f1 = 2 * true_positives / np.maximum(1, positives)
    return {
        "accuracy": accuracy(expected, predicted),
        "exact_match": float((predicted == expected).all(axis=1).mean()),
        "f1": float(2 * true_positives.sum() / max(1, positives.sum())),
        "macro_f1": float(label_f1.mean()),
        "loss": float(losses.mean()),
    }
