"""Expected calibration error: how far the confidence of predictions is from how often they are correct."""

import numpy as np

BINS = 15  # as in Guo et al. 2017, section 5


def calibration_error(confidences, correct, bins: int = BINS) -> float:
    """Compute the expected calibration error (ECE).

    The predictions are put into M bins of equal width by their confidence; bin m has the confidences in
    ((m - 1) / M, m / M]. The error is the mean of |accuracy - mean confidence| of the bins, weighted by the number of
    predictions in each. It is 0 if, for example, 80 % of the predictions with a probability of 0.8 are correct.

    Args:
        confidences: float `[N]` in [0, 1], the probability of the predicted class.
        correct: bool `[N]`, whether the predicted class is the expected one.
        bins: M.

    Returns:
        A number in [0, 1]; NaN if a confidence is not finite.

    Example:

    >>> round(calibration_error([0.9, 0.9, 0.6, 0.6], [True, True, True, False]), 4)
    0.1

    Source: Guo et al. 2017 (arXiv:1706.04599), section 2, equations 2 and 5, with M = 15 bins.
    """
    confidences, correct = np.asarray(confidences, np.float64), np.asarray(correct, np.float64)
    if not np.isfinite(confidences).all():
        return float("nan")
    # The upper edge belongs to the bin. 0 belongs to the first one.
    index = np.clip(np.ceil(confidences * bins).astype(int) - 1, 0, bins - 1)  # [N]
    gaps = np.bincount(index, correct - confidences, bins)  # [M], the sum over the predictions of each bin
    return float(np.abs(gaps).sum() / len(confidences))
