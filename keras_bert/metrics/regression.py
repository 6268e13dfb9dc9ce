"""Mean absolute error and correlations of predicted numbers."""

import numpy as np


def mean_absolute_error(expected, predicted) -> float:
    """Compute the mean of the absolute differences.

    Args:
        expected: float, any shape.
        predicted: float, the same shape.

    Example:

    >>> mean_absolute_error([1.0, 2.0], [1.5, 1.0])
    0.75
    """
    return float(np.abs(np.asarray(predicted) - np.asarray(expected)).mean())


def pearson(expected, predicted) -> float:
    """Compute the Pearson correlation coefficient.

    Args:
        expected: float `[N]`, at least two different values.
        predicted: float `[N]`, at least two different values.

    Returns:
        A number in [-1, 1].

    Example:

    >>> round(pearson([1.0, 2.0, 3.0], [1.0, 2.0, 2.0]), 4)
    0.866
    """
    x, y = (np.asarray(values, np.float64).ravel() for values in (expected, predicted))
    x, y = x - x.mean(), y - y.mean()
    return float(np.clip((x / np.linalg.norm(x)) @ (y / np.linalg.norm(y)), -1, 1))


def spearman(expected, predicted) -> float:
    """Compute the Spearman rank correlation coefficient; equal values share their mean rank.

    Args:
        expected: float `[N]`, at least two different values.
        predicted: float `[N]`, at least two different values.

    Returns:
        A number in [-1, 1].

    Example:

    >>> round(spearman([1.0, 2.0, 3.0], [10.0, 100.0, 1000.0]), 6)
    1.0
    """
    return pearson(_ranks(expected), _ranks(predicted))


def kendall(expected, predicted) -> float | None:
    """Compute the Kendall rank correlation coefficient tau-b, which allows for equal values.

    Args:
        expected: float `[N]`.
        predicted: float `[N]`.

    Returns:
        A number in [-1, 1]; None if all values of one array are equal.

    Example:

    >>> round(kendall([1.0, 2.0, 3.0], [1.0, 3.0, 2.0]), 4)
    0.3333

    Source: Kendall 1945, "The treatment of ties in ranking problems".
    """
    x, y = (np.sign(np.subtract.outer(values, values)) for values in (np.asarray(expected), np.asarray(predicted)))
    untied = np.sqrt(np.count_nonzero(x) * np.count_nonzero(y))  # each pair is counted twice, here and below
    return float((x * y).sum() / untied) if untied else None


def regression_metrics(expected, predicted) -> dict:
    """Compute all metrics of regression.

    Args:
        expected: float, any shape.
        predicted: float, the same shape.

    Returns:
        A dict: `mean_absolute_error`, `loss` (mean squared error) and, where both arrays have two different values,
        `pearson` and `spearman`.

    Example:

    >>> regression_metrics(np.array([1.0, 1.0]), np.array([1.0, 2.0]))
    {'mean_absolute_error': 0.5, 'loss': 0.5}

    Source: the metrics of STS-B in the GLUE benchmark, Wang et al. 2018 (arXiv:1804.07461).
    """
    expected, predicted = np.asarray(expected), np.asarray(predicted)
    metrics = {
        "mean_absolute_error": mean_absolute_error(expected, predicted),
        "loss": float(((predicted - expected) ** 2).mean()),
    }
    if len(expected) > 1 and expected.std() > 0 and predicted.std() > 0:
        metrics["pearson"] = pearson(expected, predicted)
        metrics["spearman"] = spearman(expected, predicted)
    return metrics


def _ranks(values) -> np.ndarray:
    _, inverse, counts = np.unique(np.asarray(values).ravel(), return_inverse=True, return_counts=True)
    last = np.cumsum(counts)  # the last rank of each distinct value, from 1
    return (last - (counts - 1) / 2)[inverse]
