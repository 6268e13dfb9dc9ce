"""The reliability diagram: how often predictions are correct, by their probability."""

import numpy as np

from keras_bert.errors import InputError
from keras_bert.explain.figures.figure import Figure
from keras_bert.explain.figures.style import INK, SERIES, new_axes, style
from keras_bert.metrics.calibration import BINS, calibration_error


def calibration_curve(confidences, correct, bins: int = BINS) -> Figure:
    """Plot the share of correct predictions by their probability (reliability diagram).

    Args:
        confidences: float `[N]` in [0, 1], the probability of the predicted class.
        correct: bool `[N]`, whether the predicted class is the expected one.
        bins: number of bins of equal width.

    Returns:
        A `Figure`. The area of a point shows the number of predictions in its bin. Its data: `calibration_error` and
        `bins`, a list of dicts of `confidence` (mean), `accuracy` and `examples` for each bin that has predictions.

    Raises:
        InputError: there are no predictions, or the two lengths differ.

    Example:

    >>> calibration_curve([0.9, 0.9, 0.6, 0.6], [True, True, True, False]).caption
    'Share of correct predictions by their probability, in 15 bins; on the dashed line both are equal. The expected \
calibration error is 0.100.'

    Source: Guo et al. 2017 (arXiv:1706.04599), section 2, figure 1.
    """
    confidences, correct = np.asarray(confidences, float), np.asarray(correct, float)
    if not len(confidences) or confidences.shape != correct.shape:
        raise InputError(
            "`correct` must have one entry per confidence, and at least one. "
            f"Received: {correct.size} entries and {confidences.size} confidences"
        )
    index = np.clip(np.ceil(confidences * bins).astype(int) - 1, 0, bins - 1)  # [N], as in `calibration_error`
    rows = []
    for number in np.unique(index):
        found = index == number
        means = {"confidence": float(confidences[found].mean()), "accuracy": float(correct[found].mean())}
        rows.append({**means, "examples": int(found.sum())})
    with style():
        figure, axes = new_axes(4.0, 3.6)
        axes.plot([0, 1], [0, 1], color=INK, linestyle="--", linewidth=1)
        x, y, counts = (np.array([row[name] for row in rows]) for name in ("confidence", "accuracy", "examples"))
        axes.plot(x, y, color=SERIES[0], linewidth=1.4)
        axes.scatter(x, y, s=20 + 220 * counts / counts.max(), color=SERIES[0], alpha=0.65, linewidths=0)
        axes.set(xlabel="probability of the predicted class", ylabel="share correct", ylim=(-0.05, 1.05))
        axes.set_xlim(max(0, x.min() - 0.1), 1.03)
        axes.grid(linewidth=0.6)
    error = calibration_error(confidences, correct, bins)
    caption = (
        f"Share of correct predictions by their probability, in {bins} bins; on the dashed line both are equal. "
        f"The expected calibration error is {error:.3f}."
    )
    data = {"calibration_error": error, "bins": rows}
    return Figure(figure, caption, data, "Reliability diagram: share of correct predictions by their probability")
