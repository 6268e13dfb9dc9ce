"""Classification metrics against scikit-learn."""

import numpy as np
import pytest

from keras_bert.metrics import (
    accuracy,
    classification_metrics,
    confusion_matrix,
    cross_entropy,
    multi_label_metrics,
)

sklearn_metrics = pytest.importorskip("sklearn.metrics")


@pytest.fixture
def rng():
    return np.random.default_rng(3)


def test_accuracy_and_confusion_matrix(rng):
    expected, predicted = rng.integers(0, 4, (2, 200))
    assert accuracy(expected, predicted) == pytest.approx(sklearn_metrics.accuracy_score(expected, predicted))
    computed = confusion_matrix(expected, predicted, 4)
    np.testing.assert_array_equal(computed, sklearn_metrics.confusion_matrix(expected, predicted))
    assert confusion_matrix([0], [1], 3).shape == (3, 3)


def test_cross_entropy(rng):
    logits, labels = rng.normal(0, 4, (50, 5)), rng.integers(0, 5, 50)
    probabilities = np.exp(logits) / np.exp(logits).sum(-1, keepdims=True)
    expected = sklearn_metrics.log_loss(labels, probabilities, labels=range(5))
    assert cross_entropy(logits, labels).mean() == pytest.approx(expected)
    assert np.isfinite(cross_entropy(np.array([[1e4, -1e4]]), [1])).all()


def test_classification_metrics(rng):
    logits, labels = rng.normal(size=(60, 3)), rng.integers(0, 3, 60)
    metrics = classification_metrics(logits, labels)
    assert metrics["accuracy"] == pytest.approx(sklearn_metrics.accuracy_score(labels, logits.argmax(1)))
    assert metrics["confusion"] == sklearn_metrics.confusion_matrix(labels, logits.argmax(1)).tolist()
    assert metrics["loss"] == pytest.approx(cross_entropy(logits, labels).mean())


def test_multi_label_metrics(rng):
    logits, labels = rng.normal(size=(80, 4)), rng.integers(0, 2, (80, 4))
    logits[:, 3], labels[:, 3] = -1, 0  # a label without positives
    metrics, predicted = multi_label_metrics(logits, labels), logits > 0
    assert metrics["accuracy"] == pytest.approx(1 - sklearn_metrics.hamming_loss(labels, predicted))
    assert metrics["exact_match"] == pytest.approx(sklearn_metrics.accuracy_score(labels, predicted))
    for average, name in (("micro", "f1"), ("macro", "macro_f1")):
        expected = sklearn_metrics.f1_score(labels, predicted, average=average, zero_division=0)
        assert metrics[name] == pytest.approx(expected)
    probabilities = 1 / (1 + np.exp(-logits))
    expected = -np.log(np.where(labels, probabilities, 1 - probabilities)).mean()
    assert metrics["loss"] == pytest.approx(expected)
