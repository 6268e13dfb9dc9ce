"""Precision, recall and F1 of classes, their averages, Matthews correlation and ROC AUC, from counts.

The values are those of scikit-learn, which the tests compare with. Its functions check and sort their arguments in each
call; from counts, bootstrap resamples are 30 to 80 times as fast.
"""

import numpy as np

RATES = ("precision", "recall", "f1")


def class_rates(correct, predicted, expected) -> np.ndarray:
    """Compute precision, recall and F1 of each class. A division by zero gives 0.

    Args:
        correct: int `[C]`, how often the class was predicted and expected.
        predicted: int `[C]`, how often it was predicted.
        expected: int `[C]`, how often it was expected.

    Returns:
        float64 `[3, C]`.

    Example:

    >>> class_rates([1, 0], [2, 0], [1, 1]).round(4).tolist()
    [[0.5, 0.0], [1.0, 0.0], [0.6667, 0.0]]
    """
    correct, predicted, expected = (np.asarray(each, np.float64) for each in (correct, predicted, expected))
    totals = np.stack([predicted, expected, (predicted + expected) / 2])  # [3, C]
    return correct / np.maximum(totals, 0.5)  # a total is at least 0.5, or it and `correct` are 0


def average_rates(rates: np.ndarray, expected, counted) -> dict[str, float]:
    """Average precision, recall and F1 over classes.

    Args:
        rates: float `[3, C]`, see `class_rates`.
        expected: int `[C]`, the number of examples of each class.
        counted: bool `[C]`, the classes to average over.

    Returns:
        A dict: `macro_precision`, `macro_recall`, `macro_f1`, the means; `weighted_precision`, `weighted_recall` and
        `weighted_f1`, the means weighted by the number of examples.

    Example:

    >>> average_rates(np.array([[1.0, 0.5]] * 3), [1, 3], [True, True])["weighted_f1"]
    0.625
    """
    expected = np.asarray(expected) / max(1, np.sum(expected))
    macro = {f"macro_{name}": float(row[counted].mean()) for name, row in zip(RATES, rates, strict=True)}
    return macro | {f"weighted_{name}": float(row @ expected) for name, row in zip(RATES, rates, strict=True)}


def matthews_correlation(confusion) -> float:
    """Compute the Matthews correlation coefficient (MCC) of C classes.

    Args:
        confusion: int `[C, C]`, see `confusion_matrix`.

    Returns:
        A number in [-1, 1]; 0 if all examples have one class, or all predictions are one class.

    Example:

    >>> round(matthews_correlation([[1, 0], [1, 1]]), 4)
    0.5

    Source: Matthews 1975; for more than two classes Gorodkin 2004 (the R_K statistic).
    """
    confusion = np.asarray(confusion, np.float64)
    expected, predicted, total = confusion.sum(axis=1), confusion.sum(axis=0), confusion.sum()
    covariance = np.trace(confusion) * total - expected @ predicted
    variances = (total**2 - expected @ expected) * (total**2 - predicted @ predicted)
    return float(covariance / np.sqrt(variances)) if variances > 0 else 0.0


def roc_auc(expected, scores) -> float | None:
    """Compute the area under the ROC curve: how often a positive example has a higher score than a negative one.

    Args:
        expected: bool `[N]`, whether the example is positive.
        scores: float `[N]`. Equal scores of a positive and a negative example count as one half.

    Returns:
        A number in [0, 1]; None without positive or without negative examples, or if a score is NaN.

    Example:

    >>> roc_auc([False, True, True], [0.1, 0.1, 0.8])
    0.75

    Source: Fawcett 2006, An introduction to ROC analysis, section 7.
    """
    return None if np.isnan(scores).any() else rank_auc(np.asarray(expected, bool), score_ranks(scores))


def score_ranks(scores) -> np.ndarray:
    """Return the position of each score `[N]` among the sorted distinct scores, int `[N]`."""
    return np.unique(np.asarray(scores), return_inverse=True)[1].reshape(-1)


def rank_auc(expected: np.ndarray, ranks: np.ndarray) -> float | None:
    """Compute `roc_auc` from ranks. Only the counts of each rank are needed, so a resample is not sorted again."""
    size = int(ranks.max()) + 1
    positives, negatives = np.bincount(ranks[expected], minlength=size), np.bincount(ranks[~expected], minlength=size)
    pairs = positives.sum() * negatives.sum()
    lower = np.cumsum(negatives) - negatives / 2  # the negatives below a rank, and half of those at the rank
    return float(positives @ lower / pairs) if pairs else None
