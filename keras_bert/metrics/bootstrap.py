"""Bootstrap intervals: how much a metric would vary with other examples of the same kind."""

import collections
import dataclasses
from collections.abc import Callable

import numpy as np

from keras_bert.errors import InputError

LEVEL = 0.95
MIN_RESAMPLES = 100  # fewer leave less than three values outside each end of a 95 % interval


@dataclasses.dataclass(frozen=True)
class Bootstrap:
    """Settings of bootstrap intervals.

    Attributes:
        resamples: number of resamples, at least 100.
        seed: seed of the resamples. The same seed gives the same intervals.

    Raises:
        InputError: `resamples` is too small or not an integer.

    Source: Efron and Tibshirani 1993, An Introduction to the Bootstrap, section 13.3: the percentile interval.
    """

    resamples: int = 1000
    seed: int = 0

    def __post_init__(self):
        for name, value, low in (("bootstrap", self.resamples, MIN_RESAMPLES), ("seed", self.seed, 0)):
            if isinstance(value, bool) or not isinstance(value, (int, np.integer)) or value < low:
                none = "0 for no intervals, or " if name == "bootstrap" else ""
                raise InputError(f"`{name}` must be {none}an integer of at least {low}. Received: {name}={value!r}")

    def intervals(self, compute: Callable[[np.ndarray], dict], count: int) -> dict:
        """Compute the 95 % percentile interval of each metric.

        A resample has N examples, drawn with replacement. The interval goes from the 2.5th to the 97.5th percentile of
        the metric over all resamples. Resamples on which a metric is not defined (None), such as ROC AUC where a class
        is missing, are left out for this metric.

        Args:
            compute: function of indices of examples, int `[N]`, that returns a dict of numbers or None.
            count: N.

        Returns:
            A dict: `intervals`, metric to [low, high], and `bootstrap`, the settings.

        Example:

        >>> correct = np.array([True] * 80 + [False] * 20)
        >>> Bootstrap(1000, seed=1).intervals(lambda rows: {"accuracy": correct[rows].mean()}, 100)["intervals"]
        {'accuracy': [0.71, 0.87]}
        """
        rng, values = np.random.default_rng(self.seed), collections.defaultdict(list)
        for _ in range(self.resamples):
            for name, value in compute(rng.integers(count, size=count)).items():
                if value is not None:
                    values[name].append(value)
        tail = 50 * (1 - LEVEL)
        return {
            "intervals": {name: np.percentile(each, [tail, 100 - tail]).tolist() for name, each in values.items()},
            "bootstrap": {"resamples": int(self.resamples), "seed": int(self.seed), "level": LEVEL},
        }


def make_bootstrap(resamples: int, seed: int) -> Bootstrap | None:
    """Return the settings of intervals, or None for 0 resamples.

    Raises:
        InputError: `resamples` or `seed` is not valid, see `Bootstrap`.
    """
    return None if resamples == 0 and not isinstance(resamples, bool) else Bootstrap(resamples, seed)
