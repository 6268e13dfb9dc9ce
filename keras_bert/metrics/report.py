"""The full reports of classification and multi-label classification."""

from collections.abc import Callable, Sequence

import numpy as np

from keras_bert.errors import InputError
from keras_bert.metrics.bootstrap import Bootstrap
from keras_bert.metrics.calibration import calibration_error
from keras_bert.metrics.classification import (
    as_class_logits,
    classification_metrics,
    confusion_matrix,
    cross_entropy,
    multi_label_metrics,
)
from keras_bert.metrics.rates import RATES, average_rates, class_rates, matthews_correlation, rank_auc, score_ranks


def classification_report(
    logits, labels, label_names: Sequence[str] | None = None, bootstrap: Bootstrap | None = None
) -> dict:
    """Compute all metrics that are reported for single-label classification.

    Args:
        logits: float `[N, C]`, or `[N, 1]` for two classes: the logit of class 1.
        labels: int `[N]` or `[N, 1]`, class ids.
        label_names: C names in the order of the logits. Default: `"0"`, `"1"`, ….
        bootstrap: settings of intervals, or None for no intervals.

    Returns:
        A dict that can be written as JSON. The values are those of scikit-learn, where a division by zero gives 0.

        - the entries of `classification_metrics`;
        - `macro_precision`, `macro_recall`, `macro_f1`: means over the classes that are expected or predicted at least
          once; `weighted_precision`, `weighted_recall`, `weighted_f1`: means weighted by the examples of each class;
        - `matthews_correlation`;
        - `roc_auc`: for two classes that of class 1, otherwise the mean over the classes of one class against the rest;
          None if a class has no example, with the reason in `notes`;
        - `calibration_error`: the expected calibration error in 15 bins, see `calibration_error`;
        - `classes`: class name to `precision`, `recall`, `f1`, `roc_auc` (this class against the rest) and `examples`;
          None where a value is not defined;
        - `class_names`: the names of the rows and columns of `confusion`;
        - `notes`: a metric that is None to the reason; only if there is one;
        - with `bootstrap`: `intervals` and the settings, see `Bootstrap`. The calibration error has none, because
          resampling increases it on average: the interval would be too high.

    Raises:
        InputError: `label_names` does not fit the logits.

    Example:

    >>> report = classification_report([[2.0, 0.0], [1.0, 0.0], [0.0, 1.0]], [0, 1, 1], ["bad", "good"])
    >>> report["classes"]["bad"]["precision"], round(report["matthews_correlation"], 4), report["roc_auc"]
    (0.5, 0.5, 1.0)

    Source: the metrics of the GLUE benchmark, Wang et al. 2018 (arXiv:1804.07461); Guo et al. 2017 (arXiv:1706.04599).
    """
    logits, labels = as_class_logits(logits), np.asarray(labels).reshape(-1).astype(int)  # [N, C], [N]
    classes = logits.shape[1]
    names = _checked_names(label_names, classes)
    probabilities = np.exp(logits - logits.max(axis=-1, keepdims=True))
    probabilities /= probabilities.sum(axis=-1, keepdims=True)  # [N, C]
    predicted, losses = logits.argmax(axis=-1), cross_entropy(logits, labels)  # [N]
    one_hot, ranks = labels[:, None] == np.arange(classes), _score_ranks(probabilities)

    def evaluate(rows) -> tuple[dict, dict]:
        confusion = confusion_matrix(labels[rows], predicted[rows], classes)
        counts = (confusion.diagonal(), confusion.sum(axis=0), confusion.sum(axis=1))  # correct, predicted, expected
        averages, table = _class_metrics(counts, one_hot[rows], ranks[rows], counts[1] + counts[2] > 0)
        aucs = table["roc_auc"][1:] if classes == 2 else table["roc_auc"]
        scalars = {
            "accuracy": float(confusion.trace() / len(rows)),
            "loss": float(losses[rows].mean()),
            **averages,
            "matthews_correlation": matthews_correlation(confusion),
            "roc_auc": _mean(aucs),
        }
        return scalars, table

    calibration = calibration_error(probabilities.max(axis=-1), predicted == labels)
    return {**classification_metrics(logits, labels), **_report(logits, names, evaluate, calibration, bootstrap)}


def multi_label_report(
    logits, labels, label_names: Sequence[str] | None = None, bootstrap: Bootstrap | None = None
) -> dict:
    """Compute all metrics that are reported for multi-label classification. A logit above 0 predicts a label.

    Args:
        logits: float `[N, C]`.
        labels: 0 or 1, `[N, C]`.
        label_names: C names. Default: `"0"`, `"1"`, ….
        bootstrap: settings of intervals, or None for no intervals.

    Returns:
        A dict that can be written as JSON:

        - the entries of `multi_label_metrics`, where `f1` is the micro average, and the micro averages `precision` and
          `recall`;
        - `macro_…` and `weighted_…` of precision, recall and F1: means over the labels;
        - `roc_auc`: the mean over the labels; None if a label applies to no example or to all, with the reason in
          `notes`;
        - `calibration_error`: of the N * C decisions, each with the probability of what was decided;
        - `classes`: label name to `precision`, `recall`, `f1`, `roc_auc` and `examples`, the examples with the label;
        - `class_names`, `notes`, and with `bootstrap` `intervals`: as in `classification_report`.

    Raises:
        InputError: `label_names` does not fit the logits.

    Example:

    >>> report = multi_label_report([[3.0, -2.0], [1.0, 1.0]], [[1, 0], [1, 0]], ["love", "war"])
    >>> report["classes"]["love"]["f1"], report["f1"], report["notes"]["roc_auc"]
    (1.0, 0.8, "needs examples with and without 'love', 'war'")
    """
    logits, labels = np.asarray(logits, np.float64), np.asarray(labels) > 0  # [N, C]
    names, predicted, ranks = _checked_names(label_names, logits.shape[1]), logits > 0, _score_ranks(logits)

    def evaluate(rows) -> tuple[dict, dict]:
        expected, found = labels[rows], predicted[rows]
        counts = [each.sum(axis=0) for each in (expected & found, found, expected)]  # correct, predicted, expected
        averages, table = _class_metrics(counts, expected, ranks[rows], np.ones(len(names), bool))
        micro = class_rates(*([each.sum()] for each in counts))[:, 0]
        scalars = {
            **multi_label_metrics(logits[rows], expected),
            **{name: float(value) for name, value in zip(RATES, micro, strict=True)},
            **averages,
            "roc_auc": _mean(table["roc_auc"]),
        }
        return scalars, table

    confidences = 1 / (1 + np.exp(-np.abs(logits)))  # [N, C]
    calibration = calibration_error(confidences.ravel(), (predicted == labels).ravel())
    return _report(logits, names, evaluate, calibration, bootstrap)


def _class_metrics(counts: Sequence, expected: np.ndarray, ranks: np.ndarray, counted: np.ndarray) -> tuple:
    """Compute the averages over classes, and the metrics of each class as a dict of columns.

    Args:
        counts: how often each class is correct, predicted and expected, int `[C]` each.
        expected: bool `[N, C]`.
        ranks: int `[N, C]`, the ranks of the scores; -1 if they are not finite.
        counted: bool `[C]`, the classes that the averages are taken over.
    """
    rates = class_rates(*counts)
    table = {
        name: [float(value) if used else None for value, used in zip(row, counted, strict=True)]
        for name, row in zip(RATES, rates, strict=True)
    }
    finite = ranks.min() >= 0
    table["roc_auc"] = [rank_auc(expected[:, c], ranks[:, c]) if finite else None for c in range(len(counted))]
    table["examples"] = [int(count) for count in counts[2]]
    return average_rates(rates, counts[2], counted), table


def _report(logits, names: list[str], evaluate: Callable, calibration: float, bootstrap: Bootstrap | None) -> dict:
    """Return the metrics over all examples, the table of the classes, and the intervals.

    Args:
        logits: float `[N, C]`.
        names: C names.
        evaluate: function of indices of examples that returns the metrics over them, and `_class_metrics`.
        calibration: the calibration error.
        bootstrap: settings of intervals, or None.
    """
    count = len(logits)
    scalars, table = evaluate(np.arange(count))
    report = {
        **scalars,
        "calibration_error": calibration,
        "classes": {name: {key: table[key][i] for key in table} for i, name in enumerate(names)},
        "class_names": names,
    }
    if report["roc_auc"] is None:
        constant = [name for name, examples in zip(names, table["examples"], strict=True) if examples in (0, count)]
        finite = np.isfinite(logits).all()
        reason = f"needs examples with and without {_quoted(constant)}" if finite else "needs finite outputs"
        report["notes"] = {"roc_auc": reason}
    if bootstrap is not None:
        report |= bootstrap.intervals(lambda rows: evaluate(rows)[0], count)
    return report


def _score_ranks(scores: np.ndarray) -> np.ndarray:
    """Return the ranks of the scores `[N, C]` of each class, int `[N, C]`; -1 everywhere if one is not finite."""
    if not np.isfinite(scores).all():
        return np.full(scores.shape, -1)
    return np.stack([score_ranks(column) for column in scores.T], axis=1)


def _mean(values: list[float | None]) -> float | None:
    return None if None in values else float(np.mean(values))


def _quoted(names: list[str]) -> str:
    return ", ".join(map(repr, names[:8])) + (", …" if len(names) > 8 else "")


def _checked_names(label_names: Sequence[str] | None, count: int) -> list[str]:
    """Return the names of C classes, by default their numbers, or raise InputError."""
    names = [str(i) for i in range(count)] if label_names is None else [str(name) for name in label_names]
    if len(names) != count or len(set(names)) != count:
        raise InputError(
            f"`label_names` must be {count} distinct names, one per class. Received: label_names={_quoted(names)}"
        )
    return names
