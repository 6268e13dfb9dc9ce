"""Bootstrap intervals, against scipy and the binomial distribution; the calibration error."""

import numpy as np
import pytest
from scipy import stats

from keras_bert.errors import InputError
from keras_bert.metrics import Bootstrap, calibration_error, make_bootstrap, pearson


def test_interval_of_accuracy_is_binomial():
    correct = np.arange(200) < 150
    low, high = Bootstrap(4000).intervals(lambda rows: {"accuracy": correct[rows].mean()}, 200)["intervals"]["accuracy"]
    np.testing.assert_allclose([low, high], stats.binom(200, 0.75).ppf([0.025, 0.975]) / 200, atol=0.006)


def test_interval_equals_scipy():
    rng = np.random.default_rng(0)
    x = rng.normal(size=100)
    y = x + rng.normal(size=100)
    found = Bootstrap(4000, seed=1).intervals(lambda rows: {"pearson": pearson(x[rows], y[rows])}, 100)["intervals"]
    expected = stats.bootstrap(
        (x, y), pearson, paired=True, vectorized=False, n_resamples=4000, method="percentile", rng=2
    ).confidence_interval
    np.testing.assert_allclose(found["pearson"], expected, atol=0.015)


def test_undefined_resamples_are_left_out():
    def compute(rows):
        return {"always": 1.0, "sometimes": 2.0 if 0 in rows else None, "never": None}

    assert Bootstrap(100).intervals(compute, 5)["intervals"] == {"always": [1, 1], "sometimes": [2, 2]}


@pytest.mark.parametrize("value", [1, 99, -5, 2.5, True, "1000", None])
def test_rejects_resamples(value):
    with pytest.raises(InputError, match="^`bootstrap` must be 0"):
        make_bootstrap(value, 0)


@pytest.mark.parametrize("value", [-1, 0.5, None])
def test_rejects_seed(value):
    with pytest.raises(InputError, match="^`seed`"):
        make_bootstrap(1000, value)
    assert make_bootstrap(0, 0) is None and make_bootstrap(1000, 3) == Bootstrap(1000, 3)


def test_calibration_error_by_hand():
    """Bins of 0.2: (0.6, 0.8] has confidences 0.7 and 0.8, one correct; (0.8, 1] has 0.9, correct; the last is 0.4."""
    found = calibration_error([0.7, 0.8, 0.9, 0.4], [True, False, True, True], bins=5)
    assert found == pytest.approx((2 * abs(0.5 - 0.75) + abs(1 - 0.9) + abs(1 - 0.4)) / 4)
    assert calibration_error([0.0, 1.0], [False, True]) == 0


def test_calibration_error_of_calibrated_predictions():
    rng = np.random.default_rng(0)
    confidences = rng.uniform(0.3, 1, 200_000)
    correct = rng.random(200_000) < confidences
    assert calibration_error(confidences, correct) < 0.005
    assert calibration_error(confidences, rng.random(200_000) < confidences - 0.2) == pytest.approx(0.2, abs=0.01)


def test_resampling_increases_the_calibration_error():
    """The reason why the reports have no interval of it: the interval would be too high."""
    rng, ratios = np.random.default_rng(0), []
    for _ in range(20):
        confidences = rng.uniform(0.5, 1, 300)
        correct = rng.random(300) < confidences
        resamples = (rng.integers(300, size=300) for _ in range(50))
        errors = [calibration_error(confidences[rows], correct[rows]) for rows in resamples]
        ratios.append(np.mean(errors) / calibration_error(confidences, correct))
    assert np.mean(ratios) > 1.1
