"""Figures of training, of predictions, of attention and of numerical differences.

Cells of matrices are drawn in one color of different opacity, so a figure is readable on light and on dark pages.
"""

import numpy as np

from keras_bert.errors import InputError
from keras_bert.explain.figures.figure import Figure
from keras_bert.explain.figures.style import GRID, INK, MARKERS, SERIES, new_axes, style


def learning_curves(
    series: dict[str, list[float]],
    quantity: str = "loss",
    unit: str = "epoch",
    at: list[float] | dict[str, list[float]] | None = None,
) -> Figure:
    """Plot one line per series, over epochs or steps.

    Args:
        series: a dict of name to values, one value per epoch (or step), such as
            `{"training": [0.7, 0.4], "validation": [0.7, 0.5]}`. At most four series.
        quantity: the name of the values, for the y axis.
        unit: the unit of time, for the x axis.
        at: the x coordinates of the values: one list for all series, or a dict with a list for each. The default is
            1, 2, 3 and so on.

    Returns:
        A `Figure`. Its data: `unit`, `quantity`, and `series`, a dict of name to `{"x", "y"}`.

    Raises:
        InputError: there is no series, there are more than four, or a series has no values.

    Example:

    >>> plot = learning_curves({"training": [0.7, 0.4], "validation": [0.7, 0.5]}, "loss")
    >>> plot.caption
    'Loss by epoch. training: from 0.70 to 0.40; validation: from 0.70 to 0.50.'
    """
    if not series or not all(len(values) for values in series.values()):
        raise InputError(f"`series` must have at least one value per series. Received: series={series!r}")
    if len(series) > len(SERIES):
        raise InputError(f"`series` must have at most {len(SERIES)} series. Received: {', '.join(series)}")
    lines = {}
    with style():
        figure, axes = new_axes(4.7, 3.0)
        for (name, values), color, marker in zip(series.items(), SERIES, MARKERS, strict=False):
            x = np.arange(1, len(values) + 1) if at is None else np.asarray(at[name] if isinstance(at, dict) else at)
            marker = marker if len(values) <= 24 else None  # markers of many points would overlap
            axes.plot(x, values, color=color, marker=marker, markersize=4.5, linewidth=1.8, label=name)
            lines[name] = {"x": x.tolist(), "y": np.asarray(values, float).tolist()}
        axes.set(xlabel=unit, ylabel=quantity)
        axes.xaxis.get_major_locator().set_params(integer=True, min_n_ticks=1)
        axes.grid(axis="y", linewidth=0.6)
        figure.legend(loc="outside upper left", ncols=len(series), frameon=False)
    ends = {name: (_number(values[0]), _number(values[-1])) for name, values in series.items()}
    changes = "; ".join(f"{name}: from {first} to {last}" for name, (first, last) in ends.items())
    return Figure(
        figure,
        f"{quantity[:1].upper()}{quantity[1:]} by {unit}. {changes}.",
        {"quantity": quantity, "unit": unit, "series": lines},
        f"Line plot of the {quantity} by {unit}: {', '.join(series)}",
    )


def confusion_matrix(labels, predictions, names: list[str]) -> Figure:
    """Plot how often each class was predicted for each label: rows are the labels, columns the predictions.

    Args:
        labels: int `[N]`, the labels, from 0 to C - 1.
        predictions: int `[N]`, the predicted classes.
        names: list of C class names.

    Returns:
        A `Figure`. The opacity of a cell shows its share of the row. Its data: `names` and `counts`, C rows (labels) of
        C numbers (predictions).

    Raises:
        InputError: there are no examples, the numbers of labels and predictions differ, or a class has no name.

    Example:

    >>> confusion_matrix([0, 1, 1], [0, 1, 0], ["negative", "positive"]).caption
    'Rows: labels; columns: predictions. 2 of 3 predictions are correct (the diagonal). Most frequent error: \
positive predicted as negative (1 example).'
    """
    labels, predictions = np.asarray(labels), np.asarray(predictions)
    classes = len(names)
    if not len(labels) or labels.shape != predictions.shape:
        raise InputError(
            "`predictions` must have one entry per label, and at least one. "
            f"Received: {predictions.size} predictions and {labels.size} labels"
        )
    if min(labels.min(), predictions.min()) < 0 or max(labels.max(), predictions.max()) >= classes:
        found = ", ".join(map(str, sorted({*labels.tolist(), *predictions.tolist()})))
        raise InputError(f"`labels` and `predictions` must be from 0 to {classes - 1}. Received: {found}")
    counts = np.zeros((classes, classes), int)  # [C, C]: label, prediction
    np.add.at(counts, (labels, predictions), 1)
    with style():
        size = 2.4 + 0.55 * classes
        figure, axes = new_axes(size + 0.6, size)
        _draw_cells(axes, 0.6 * counts / np.maximum(counts.sum(1, keepdims=True), 1), SERIES[0])
        for label in range(classes):
            for predicted in range(classes):
                axes.text(predicted, label, f"{counts[label, predicted]:,}", ha="center", va="center", fontsize=13)
        axes.set(xlabel="predicted", ylabel="label")
        few = classes < 4  # the names of more classes do not fit side by side
        axes.set_xticks(range(classes), names, rotation=0 if few else 40, ha="center" if few else "right")
        axes.set_yticks(range(classes), names, rotation=90 if few else 0, va="center")
    caption = "Rows: labels; columns: predictions. "
    caption += f"{int(np.trace(counts)):,} of {len(labels):,} predictions are correct (the diagonal)."
    errors = counts - np.diag(np.diag(counts))
    if errors.any():
        label, predicted = np.unravel_index(errors.argmax(), errors.shape)
        examples = "1 example" if errors.max() == 1 else f"{errors.max():,} examples"
        caption += f" Most frequent error: {names[label]} predicted as {names[predicted]} ({examples})."
    data = {"names": list(names), "counts": counts.tolist()}
    return Figure(figure, caption, data, f"Confusion matrix of {', '.join(names)}")


def attention_map(weights, tokens: list[str], title: str = "") -> Figure:
    """Plot the attention probabilities of one head for one sequence.

    Args:
        weights: float `[T, T]`: row = query, column = key. Rows sum to 1.
        tokens: list of T tokens.
        title: the name of the head, such as `"layer 2, head 1"`, for the caption.

    Returns:
        A `Figure`. The opacity of a cell is relative to the largest probability. Its data: `tokens` and `weights`.

    Raises:
        InputError: the weights are not T by T.

    Example:

    >>> attention_map([[0.9, 0.1], [0.2, 0.8]], ["a", "film"], "layer 1, head 1").caption
    'Layer 1, head 1. Rows: queries; columns: keys; each row sums to 1. \
The largest probability, 0.90, is from "a" to "a".'

    Source: Vaswani et al. 2017 (arXiv:1706.03762), section 3.2.1; the plot is as in Clark et al. 2019
    (arXiv:1906.04341).
    """
    weights = np.asarray(weights, "float64")
    count = len(tokens)
    if weights.shape != (count, count) or not count:
        raise InputError(f"`weights` must have shape [T, T] for T = {count} tokens. Received: shape={weights.shape}")
    with style():
        size = 1.5 + 0.22 * max(count, 8)
        figure, axes = new_axes(size, size)
        _draw_cells(axes, 0.92 * weights / max(weights.max(), 1e-12), SERIES[0])
        axes.set_xticks(range(count), tokens, rotation=60, ha="left", rotation_mode="anchor")
        axes.xaxis.tick_top()
        axes.set_yticks(range(count), tokens)
        axes.set_xlabel("key")
        axes.set_ylabel("query")
    query, key = np.unravel_index(weights.argmax(), weights.shape)
    caption = f"{title[:1].upper()}{title[1:]}. " if title else ""
    caption += "Rows: queries; columns: keys; each row sums to 1. "
    caption += f'The largest probability, {weights.max():.2f}, is from "{tokens[query]}" to "{tokens[key]}".'
    data = {"tokens": list(tokens), "weights": weights.tolist()}
    return Figure(figure, caption, data, f"Matrix of the attention between {count} tokens")


def parity_per_layer(differences: dict[str, list[float]], tolerance: float = 5e-5) -> Figure:
    """Plot the largest difference from each reference, layer by layer, on a logarithmic scale.

    Args:
        differences: a dict of reference name to L numbers, the largest absolute difference of each layer's output. At
            most four references.
        tolerance: the largest difference that passes, drawn as a dashed line.

    Returns:
        A `Figure`. Its data: `tolerance` and `differences`, a dict of reference to L numbers.

    Raises:
        InputError: there is no reference, there are more than four, or a reference has no layers.

    Example:

    >>> parity_per_layer({"KerasHub": [1e-6, 2e-6]}).caption
    'The largest difference in the output of each layer, and the tolerance of 5e-05 (dashed). KerasHub: at most 2e-06.'
    """
    if not differences or not all(len(values) for values in differences.values()):
        raise InputError(
            f"`differences` must have at least one layer per reference. Received: differences={differences!r}"
        )
    if len(differences) > len(SERIES):
        raise InputError(f"`differences` must have at most {len(SERIES)} references. Received: {len(differences)}")
    floor = 1e-9  # drawn in place of 0, which a logarithmic axis cannot show
    with style():
        figure, axes = new_axes(4.7, 3.0)
        for (name, values), color, marker in zip(differences.items(), SERIES, MARKERS, strict=False):
            drawn = np.maximum(values, floor)
            axes.plot(range(1, len(drawn) + 1), drawn, marker, color=color, linestyle="-", linewidth=1.2, label=name)
        axes.axhline(tolerance, color=INK, linestyle="--", linewidth=1.2, label=f"tolerance {tolerance:.0e}")
        axes.set_yscale("log")
        lowest = min(max(min(values), floor) for values in differences.values())
        highest = max(tolerance, *(max(values) for values in differences.values()))
        axes.set_ylim(min(lowest, 1e-7) / 3, highest * 5)
        layers = max(len(values) for values in differences.values())
        axes.set(xlabel="layer", ylabel="largest |difference|", xlim=(0.5, layers + 0.5))
        axes.xaxis.get_major_locator().set_params(integer=True, min_n_ticks=1)
        axes.grid(axis="y", linewidth=0.6)
        figure.legend(loc="outside upper left", ncols=len(differences) + 1, frameon=False)
    caption = f"The largest difference in the output of each layer, and the tolerance of {tolerance:.0e} (dashed). "
    caption += "; ".join(f"{name}: at most {max(values):.0e}" for name, values in differences.items())
    data = {"tolerance": tolerance, "differences": {k: np.asarray(v, float).tolist() for k, v in differences.items()}}
    return Figure(figure, f"{caption}.", data, "Line plot of the largest difference by layer, on a logarithmic axis")


def _number(value: float) -> str:
    """Write a number of a caption. A learning rate would be 0.00 with two places."""
    return f"{value:.2f}" if abs(value) >= 0.01 or value == 0 else f"{value:.1e}"


def _draw_cells(axes, opacity: np.ndarray, color: str) -> None:
    """Draw a matrix of numbers in [0, 1] as cells of one color, row 0 on top."""
    from matplotlib.collections import PatchCollection
    from matplotlib.colors import to_rgb
    from matplotlib.patches import Rectangle

    rows, columns = opacity.shape
    squares = [Rectangle((c - 0.5, r - 0.5), 1, 1) for r in range(rows) for c in range(columns)]
    colors = [(*to_rgb(color), value) for value in opacity.ravel()]
    axes.add_collection(PatchCollection(squares, facecolors=colors, edgecolors=GRID, linewidths=0.5))
    axes.set(xlim=(-0.5, columns - 0.5), ylim=(rows - 0.5, -0.5), aspect="equal")
    axes.tick_params(length=0)
    axes.spines[:].set_visible(False)
