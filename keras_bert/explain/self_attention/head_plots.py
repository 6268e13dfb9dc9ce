"""Figures of the statistics of heads: over the layers, and as a map of similar heads."""

import numpy as np

from keras_bert.explain.figures.figure import Figure
from keras_bert.explain.figures.style import GRID, INK, SERIES, style
from keras_bert.extras import require

PANELS = {
    "self": "to the token itself",
    "previous": "to the previous token",
    "next": "to the next token",
    "cls": "to [CLS]",
    "sep": "to [SEP]",
    "punctuation": 'to "." and ","',
    "entropy": "entropy",
    "cls_entropy": "entropy of [CLS]",
}
POINTS = {"markeredgewidth": 0.8, "markersize": 6, "alpha": 0.85}
LOOKS = {  # class of a head: color and marker
    "next": (SERIES[0], ">"),
    "previous": (SERIES[1], "<"),
    "[SEP]": (SERIES[2], "s"),
    "[CLS]": (SERIES[3], "D"),
    "broad": (INK, "o"),
    "other": (GRID, "o"),
}


def statistics_over_layers(statistics) -> Figure:
    """Plot what the heads attend to, layer by layer: a dot per head, and a line for the mean of each layer.

    Args:
        statistics: what `kb.explain.attention_statistics` returns.

    Returns:
        A `Figure`. Its data are the drawn values by name, `[L, A]` each, and `uniform_entropy`.

    Source: Clark et al. 2019 (arXiv:1906.04341), figures 2 and 4.
    """
    values = {**statistics.averages, "entropy": statistics.entropy, "cls_entropy": statistics.cls_entropy}
    values = {name: values[name] for name in PANELS}
    layers, heads = statistics.entropy.shape
    x = np.arange(1, layers + 1)
    with style():
        figure = require("matplotlib.figure", "figures").Figure(figsize=(8.4, 4.8), layout="constrained")
        figure.get_layout_engine().set(h_pad=0.1)
        grid = figure.subplots(2, 4, sharex=True)
        for axes, (name, title) in zip(grid.ravel(), PANELS.items(), strict=True):
            axes.plot(np.repeat(x, heads), values[name].ravel(), "o", color=SERIES[0], markersize=3, alpha=0.55)
            axes.plot(x, values[name].mean(1), color=SERIES[1], linewidth=1.8)
            axes.set_title(title, fontsize=10, fontweight="normal")
            axes.grid(axis="y", linewidth=0.6)
            axes.set(xlim=(0.5, layers + 0.5))
            axes.xaxis.get_major_locator().set_params(integer=True, min_n_ticks=1, nbins=6)
            if "entropy" in name:
                axes.axhline(statistics.uniform_entropy, color=INK, linestyle="--", linewidth=1.2)
                axes.set_ylim(0, statistics.uniform_entropy * 1.1)
            else:
                axes.set_ylim(0, 1)
        for row, label in enumerate(("mean attention", None)):
            grid[row, 0].set_ylabel(label or "mean attention")
        grid[1, 2].set_ylabel("nats")
        for axes in grid[1]:
            axes.set_xlabel("layer")
    shares = {name: values[name].mean() for name in PANELS if "entropy" not in name}
    largest = max(shares, key=shares.get)
    layer = int(values[largest].mean(1).argmax())
    most = values[largest].mean(1)[layer]
    caption = f"Mean attention of each head (blue dots) and of each layer (orange line) over {statistics.texts:,} "
    caption += "texts; the dashed line is the entropy of uniform attention. Look for layers with a common target: most "
    caption += f"attention goes {PANELS[largest]}, {shares[largest]:.0%} on average, {most:.0%} in layer {layer + 1}."
    data = {name: each.tolist() for name, each in values.items()}
    return Figure(figure, caption, {**data, "uniform_entropy": statistics.uniform_entropy})


def head_map(statistics, seed: int = 0) -> Figure:
    """Plot the heads as points whose distances are about those of their attention; heads that are close are similar.

    Args:
        statistics: what `kb.explain.attention_statistics` returns.
        seed: of `AttentionStatistics.mds`.

    Returns:
        A `Figure`. Its data are `positions`, `[L A, 2]`, and `classes`, `[L A]`.

    Raises:
        InputError: scikit-learn is not installed.

    Source: Clark et al. 2019 (arXiv:1906.04341), figure 6.
    """
    positions, classes = statistics.mds(seed), statistics.classes().ravel()  # [L A, 2], [L A]
    layers, heads = statistics.entropy.shape
    layer_of = np.repeat(np.arange(1, layers + 1), heads)  # [L A]
    with style():
        figure = require("matplotlib.figure", "figures").Figure(figsize=(8.4, 4.4), layout="constrained")
        by_class, by_layer = figure.subplots(1, 2, sharex=True, sharey=True)
        for name, (color, marker) in LOOKS.items():
            own = classes == name
            if own.any():
                edge = INK if name == "other" else color
                label = f"{name} ({own.sum()})"
                by_class.plot(*positions[own].T, marker, color=color, markeredgecolor=edge, label=label, **POINTS)
        points = by_layer.scatter(
            *positions.T, c=layer_of, cmap="viridis", s=36, alpha=0.85, vmin=1, vmax=max(layers, 2)
        )
        figure.colorbar(points, ax=by_layer, shrink=0.7, label="layer", ticks=range(1, layers + 1, 1 + layers // 13))
        for axes in (by_class, by_layer):
            axes.set(xticks=[], yticks=[], aspect="equal")
            axes.spines[:].set(visible=True, color=GRID)
        figure.legend(loc="outside upper left", ncols=len(LOOKS), frameon=False, columnspacing=1.2, handletextpad=0.3)
    same = np.equal.outer(layer_of, layer_of) & ~np.eye(len(layer_of), dtype=bool)
    between = ~np.equal.outer(layer_of, layer_of)
    caption = "Each point is one head; heads that attend to similar tokens are close. Left: what a head attends to. "
    caption += "Right: its layer. Look for groups of one class, and for layers that stay together. "
    if heads > 1:
        caption += f"Mean distance of heads of one layer: {statistics.distances[same].mean():.2f} nats"
        if layers > 1:
            caption += f", of different layers: {statistics.distances[between].mean():.2f}"
        caption += f" ({statistics.distance_texts:,} texts)."
    return Figure(figure, caption.strip(), {"positions": positions.tolist(), "classes": classes.tolist()})
