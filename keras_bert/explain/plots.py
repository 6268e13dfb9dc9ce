"""Pictures of training, of attention and of the check, each with a caption that tells what to see.

Cells are one ink at several strengths, not a ramp from white, so that the same picture reads on a light and on a dark
page.
"""

import matplotlib
import numpy as np
from matplotlib.collections import PatchCollection
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from keras_bert.errors import InputError
from keras_bert.explain.figure import GRID, INK, SERIES, STYLE, Picture

MARKERS = ("o", "s", "^", "D")


def _axes(width: float, height: float):
    figure = Figure(figsize=(width, height), layout="constrained")
    return figure, figure.add_subplot()


def learning_curves(
    series: dict[str, list[float]], quantity: str = "loss", unit: str = "epoch", at: list[float] | None = None
) -> Picture:
    """One line a series over the training's time.

    Args:
        series: name to values, one value an epoch (or step); such as `{"training": […], "held out": […]}`.
        quantity: what the values are, for the y axis.
        unit: what one value stands for, for the x axis.
        at: where the values stand on the x axis; 1, 2, 3, … where it is not given.

    Returns:
        A `Picture`.

    Raises:
        InputError: no series, or an empty one.

    Example:

    >>> picture = learning_curves({"training": [0.7, 0.4], "held out": [0.7, 0.5]}, "loss")
    >>> [line.get_label() for line in picture.figure.axes[0].lines]
    ['training', 'held out']
    """
    if not series or not all(len(values) for values in series.values()):
        raise InputError(f"a curve needs at least one value. Received: {series!r}")
    with matplotlib.rc_context(STYLE):
        figure, axes = _axes(4.7, 3.0)
        for (name, values), colour, marker in zip(series.items(), SERIES, MARKERS, strict=False):
            x = np.arange(1, len(values) + 1) if at is None else np.asarray(at)
            few = marker if len(values) <= 24 else None  # a marker a point reads well only while the points are few
            axes.plot(x, values, color=colour, marker=few, markersize=4.5, linewidth=1.8, label=name)
        axes.set(xlabel=unit, ylabel=quantity)
        axes.xaxis.get_major_locator().set_params(integer=True, min_n_ticks=1)
        axes.grid(axis="y", linewidth=0.6)
        figure.legend(loc="outside upper left", ncols=len(series), frameon=False)
    ends = "; ".join(f"{name}: {values[0]:.2f} at first, {values[-1]:.2f} at last" for name, values in series.items())
    return Picture(figure, f"{quantity.capitalize()} by {unit}. {ends}.")


def _cells(axes, shares: np.ndarray, colour: str) -> None:
    """Draw a matrix of numbers in [0, 1] as squares of one ink, row 0 on top."""
    rows, columns = shares.shape
    squares = [Rectangle((c - 0.5, r - 0.5), 1, 1) for r in range(rows) for c in range(columns)]
    inks = [(*matplotlib.colors.to_rgb(colour), share) for share in shares.ravel()]
    axes.add_collection(PatchCollection(squares, facecolors=inks, edgecolors=GRID, linewidths=0.5))
    axes.set(xlim=(-0.5, columns - 0.5), ylim=(rows - 0.5, -0.5), aspect="equal")
    axes.tick_params(length=0)
    axes.spines[:].set_visible(False)


def confusion_matrix(labels, predictions, names: list[str]) -> Picture:
    """How often each class was taken for each other: a row is what is true, a column what the model said.

    Args:
        labels: int `[N]`, the true classes, each from 0 to C - 1.
        predictions: int `[N]`, the model's.
        names: the C class names.

    Returns:
        A `Picture`.

    Raises:
        InputError: no examples, or a class outside the names.

    Example:

    >>> confusion_matrix([0, 1, 1], [0, 1, 0], ["negative", "positive"]).caption
    'Rows: the truth; columns: what the model said. 2 of 3 lie on the diagonal, which is right; the commonest mistake, \
positive taken for negative, happens once.'
    """
    labels, predictions = np.asarray(labels), np.asarray(predictions)
    classes = len(names)
    if not len(labels) or labels.shape != predictions.shape:
        raise InputError(f"one prediction a label is needed. Received: {labels.shape} and {predictions.shape}")
    if min(labels.min(), predictions.min()) < 0 or max(labels.max(), predictions.max()) >= classes:
        raise InputError(f"classes run from 0 to {classes - 1}. Received: {sorted(set(labels) | set(predictions))}")
    counts = np.zeros((classes, classes), int)  # [truth, said]
    np.add.at(counts, (labels, predictions), 1)
    with matplotlib.rc_context(STYLE):
        size = 2.4 + 0.55 * classes
        figure, axes = _axes(size + 0.6, size)
        _cells(axes, 0.6 * counts / np.maximum(counts.sum(1, keepdims=True), 1), SERIES[0])
        for truth in range(classes):
            for said in range(classes):
                axes.text(said, truth, f"{counts[truth, said]:,}", ha="center", va="center", fontsize=13)
        axes.set(xlabel="the model said", ylabel="the truth")
        few = classes < 4  # names of more classes do not fit side by side
        axes.set_xticks(range(classes), names, rotation=0 if few else 40, ha="center" if few else "right")
        axes.set_yticks(range(classes), names, rotation=90 if few else 0, va="center")
    right = int(np.trace(counts))
    caption = "Rows: the truth; columns: what the model said. "
    caption += f"{right:,} of {len(labels):,} lie on the diagonal, which is right"
    wrong = counts - np.diag(np.diag(counts))
    if wrong.any():
        truth, said = np.unravel_index(wrong.argmax(), wrong.shape)
        often = "once" if wrong.max() == 1 else f"{wrong.max():,} times"
        caption += f"; the commonest mistake, {names[truth]} taken for {names[said]}, happens {often}"
    return Picture(figure, caption + ".")


def attention_map(weights, tokens: list[str], title: str = "") -> Picture:
    """Where each token of one sentence looks, in one attention head.

    Args:
        weights: float `[T, T]`, row = the token that looks, column = the token looked at; rows sum to 1.
        tokens: the T tokens.
        title: what stands over the map, such as `"layer 2, head 1"`.

    Returns:
        A `Picture`. The strongest cell of the map has the full ink.

    Raises:
        InputError: the weights are not T by T.

    Example:

    >>> attention_map([[0.9, 0.1], [0.2, 0.8]], ["a", "film"], "layer 1, head 1").caption
    'Layer 1, head 1. A row is a token that looks, a column one that is looked at; each row sums to 1. \
The strongest cell is "a" looking at "a" (0.90).'

    Source: Vaswani et al. 2017 (arXiv:1706.03762), section 3.2.1; shown as in Clark et al. 2019 (arXiv:1906.04341).
    """
    weights = np.asarray(weights, "float64")
    count = len(tokens)
    if weights.shape != (count, count) or not count:
        raise InputError(f"attention weights must be {count} by {count}, as the tokens. Received: {weights.shape}")
    with matplotlib.rc_context(STYLE):
        size = 1.5 + 0.22 * max(count, 8)
        figure, axes = _axes(size, size)
        _cells(axes, 0.92 * weights / max(weights.max(), 1e-12), SERIES[0])
        axes.set_xticks(range(count), tokens, rotation=60, ha="left", rotation_mode="anchor")
        axes.xaxis.tick_top()
        axes.set_yticks(range(count), tokens)
        axes.set_xlabel("looked at")
        axes.set_ylabel("looking")
    looks, seen = np.unravel_index(weights.argmax(), weights.shape)
    lead = f"{title[:1].upper()}{title[1:]}. " if title else ""
    return Picture(
        figure,
        f"{lead}A row is a token that looks, a column one that is looked at; each row sums to 1. The strongest cell is "
        f'"{tokens[looks]}" looking at "{tokens[seen]}" ({weights.max():.2f}).',
    )


def parity_per_layer(differences: dict[str, list[float]], limit: float = 5e-5) -> Picture:
    """The largest difference from each reference, layer by layer, on a logarithmic scale.

    Args:
        differences: the reference's name to L numbers, the largest |difference| of each layer's output.
        limit: what still counts as the same.

    Returns:
        A `Picture`.

    Raises:
        InputError: no reference, or one without layers.

    Example:

    >>> parity_per_layer({"KerasHub": [1e-6, 2e-6]}).caption
    'The largest difference in the output of each layer, and the limit of 5e-05 (dashed). KerasHub: at most 2e-06.'
    """
    if not differences or not all(len(values) for values in differences.values()):
        raise InputError(f"at least one layer's difference is needed. Received: {differences!r}")
    floor = 1e-9  # equal to the last bit: a logarithm has no place for 0
    with matplotlib.rc_context(STYLE):
        figure, axes = _axes(4.7, 3.0)
        for (name, values), colour, marker in zip(differences.items(), SERIES, MARKERS, strict=False):
            drawn = np.maximum(values, floor)
            axes.plot(range(1, len(drawn) + 1), drawn, marker, color=colour, linestyle="-", linewidth=1.2, label=name)
        axes.axhline(limit, color=INK, linestyle="--", linewidth=1.2, label=f"limit {limit:.0e}")
        axes.set_yscale("log")
        lowest = min(max(min(values), floor) for values in differences.values())
        axes.set_ylim(min(lowest, 1e-7) / 3, max(limit, *(max(values) for values in differences.values())) * 5)
        deepest = max(len(values) for values in differences.values())
        axes.set(xlabel="layer", ylabel="largest |difference|", xlim=(0.5, deepest + 0.5))
        axes.xaxis.get_major_locator().set_params(integer=True, min_n_ticks=1)
        axes.grid(axis="y", linewidth=0.6)
        figure.legend(loc="outside upper left", ncols=len(differences) + 1, frameon=False)
    most = "; ".join(f"{name}: at most {max(values):.0e}" for name, values in differences.items())
    lead = f"The largest difference in the output of each layer, and the limit of {limit:.0e} (dashed)"
    return Picture(figure, f"{lead}. {most}.")
