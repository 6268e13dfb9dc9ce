"""Regression metrics against scipy and scikit-learn."""

import numpy as np
import pytest
from scipy import stats

from keras_bert.metrics import mean_absolute_error, pearson, regression_metrics, spearman


@pytest.mark.parametrize("decimals", [8, 0])  # with 0 decimals many values are equal and share a rank
def test_correlations(decimals):
    rng = np.random.default_rng(1)
    expected = rng.normal(0, 2, 100).round(decimals)
    predicted = (expected + rng.normal(0, 1, 100)).round(decimals) ** 3
    assert pearson(expected, predicted) == pytest.approx(stats.pearsonr(expected, predicted).statistic)
    assert spearman(expected, predicted) == pytest.approx(stats.spearmanr(expected, predicted).statistic)


def test_perfect_correlation_is_within_bounds():
    values = np.random.default_rng(0).normal(size=1000)
    assert -1 <= pearson(values, -3 * values) <= 1 and pearson(values, -values) == pytest.approx(-1)
    assert spearman(values, np.exp(values)) == pytest.approx(1)


def test_regression_metrics():
    rng = np.random.default_rng(2)
    expected, predicted = rng.normal(size=(2, 30, 1)).astype(np.float32)
    metrics = regression_metrics(expected, predicted)
    assert metrics["mean_absolute_error"] == pytest.approx(np.abs(expected - predicted).mean())
    assert metrics["mean_absolute_error"] == mean_absolute_error(expected, predicted)
    assert metrics["loss"] == pytest.approx(np.square(expected - predicted).mean())
    assert metrics["pearson"] == pytest.approx(stats.pearsonr(expected[:, 0], predicted[:, 0]).statistic, abs=1e-6)


def test_constant_values_have_no_correlation():
    assert set(regression_metrics(np.ones(3), np.arange(3.0))) == {"mean_absolute_error", "loss"}
    assert set(regression_metrics(np.ones(1), np.ones(1))) == {"mean_absolute_error", "loss"}
