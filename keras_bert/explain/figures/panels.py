"""What the figures of hidden states have in common: panels, matrices of positive and negative numbers, 2-D maps."""

import numpy as np

from keras_bert.explain.figures.style import GRID, INK, SERIES
from keras_bert.extras import require

POSITIVE, NEGATIVE = SERIES[0], SERIES[1]  # blue, orange


def new_panels(rows: int, columns: int, width: float, height: float) -> tuple:
    """Create a figure of this size in inches with a grid of plots; return the figure and axes `[rows, columns]`."""
    figure = require("matplotlib.figure", "figures").Figure(figsize=(width, height), layout="constrained")
    return figure, figure.subplots(rows, columns, squeeze=False)


def fix_layout(figure) -> None:
    """Compute the layout and round it: the last digits of the solver differ from run to run."""
    figure.draw_without_rendering()
    figure.set_layout_engine("none")
    for axes in figure.axes:
        left, bottom, width, height = axes.get_position().bounds
        axes.set_position([round(value, 3) for value in (left, bottom, width, height)])


def draw_cells(axes, values, limit: float, texts=None, fontsize: float = 8) -> None:
    """Draw a matrix, row 0 on top: blue cells are positive, orange ones negative, opacity is |value| / limit.

    Args:
        axes: matplotlib axes.
        values: float `[R, C]`. NaN cells are not drawn.
        limit: the value of the strongest color.
        texts: `[R, C]` strings in the cells, or None.
        fontsize: of these texts.
    """
    from matplotlib.collections import PatchCollection
    from matplotlib.patches import Rectangle

    values = np.asarray(values, "float64")
    rows, columns = values.shape
    drawn = [(r, c) for r in range(rows) for c in range(columns) if np.isfinite(values[r, c])]
    squares = [Rectangle((c - 0.5, r - 0.5), 1, 1) for r, c in drawn]
    strongest = 0.85 if texts is None else 0.6  # full color would hide the texts
    colors = _signed_colors(np.array([values[place] for place in drawn]), limit, strongest)
    axes.add_collection(PatchCollection(squares, facecolors=colors, edgecolors=GRID, linewidths=0.5))
    for r, c in drawn if texts is not None else ():
        axes.text(c, r, texts[r][c], ha="center", va="center", fontsize=fontsize, color=INK)
    axes.set(xlim=(-0.52, columns - 0.48), ylim=(rows - 0.48, -0.52))  # the outer borders, too
    axes.tick_params(length=0)
    axes.spines[:].set_visible(False)


def draw_image(axes, values, limit: float) -> None:
    """Draw a large matrix as an image, one pixel a number, in the colors of `draw_cells`."""
    values = np.asarray(values, "float64")
    pixels = _signed_colors(values.ravel(), limit, 0.85).reshape(*values.shape, 4)
    axes.imshow(pixels, aspect="auto", interpolation="nearest")
    axes.tick_params(length=0)
    axes.spines[:].set_color(GRID)


def _signed_colors(values: np.ndarray, limit: float, strongest: float) -> np.ndarray:
    """Return RGBA `[N, 4]`: the color by sign, the opacity up to `strongest` by size."""
    from matplotlib.colors import to_rgb

    opacity = strongest * np.clip(np.abs(values) / max(limit, 1e-12), 0, 1)
    colors = np.where(values[:, None] < 0, to_rgb(NEGATIVE), to_rgb(POSITIVE))
    return np.concatenate([colors, opacity[:, None]], 1)


def draw_points(axes, points, groups=None, names=()) -> None:
    """Draw points with their numbers, 1 to N, in the color and shape of their group.

    Points that touch have one text with all their numbers, beside them and toward the middle.

    Args:
        axes: matplotlib axes.
        points: float `[N, 2]`.
        groups: int `[N]`, in 0 … 3, or None for one group.
        names: names of the groups, for the legend of the caller.
    """
    groups = np.zeros(len(points), int) if groups is None else np.asarray(groups)
    for group in range(groups.max() + 1):
        chosen = points[groups == group]
        style = {"color": SERIES[group], "marker": "os^D"[group], "linestyle": "none", "markersize": 12, "alpha": 0.45}
        axes.plot(*chosen.T, label=names[group] if names else None, **style)
    middle = (points.min(0) + points.max(0)) / 2
    for place, numbers in _merge_labels(points):
        if len(numbers) == 1:
            axes.text(*place, str(numbers[0]), ha="center", va="center", fontsize=8, color=INK)
            continue
        left, low = place < middle
        side = {"ha": "left" if left else "right", "va": "bottom" if low else "top"}
        offset = (-6 if left else 6, 8 if low else -8)
        text = ", ".join(map(str, numbers))
        axes.annotate(text, place, offset, textcoords="offset points", fontsize=8, color=INK, **side)
    axes.margins(0.18)
    axes.set_xticks([])
    axes.set_yticks([])
    axes.spines[:].set_visible(True)
    axes.spines[:].set_color(GRID)


def _merge_labels(points: np.ndarray) -> list[tuple[np.ndarray, list[int]]]:
    """Return the place of each label and its numbers: one label for points whose labels would overlap."""
    extent = np.maximum(np.ptp(points, axis=0), 1e-12)
    labels = [(point, [i]) for i, point in enumerate(points, 1)]
    while True:
        for i, (first, numbers) in enumerate(labels):
            for j, (second, more) in enumerate(labels[:i]):
                characters = len(",".join(map(str, numbers))) + len(",".join(map(str, more)))
                x, y = np.abs(first - second) / extent
                if x < 0.025 * characters and y < 0.09:
                    merged = sorted(numbers + more)
                    place = np.mean([points[number - 1] for number in merged], 0)
                    labels = [label for k, label in enumerate(labels) if k not in (i, j)] + [(place, merged)]
                    break
            else:
                continue
            break
        else:
            return labels


def two_digits(value: float) -> str:
    """Write a number of at most 1 with two digits and without the zero before the point, as in `.25`."""
    text = f"{value:.2f}"
    return "0" if float(text) == 0 else text.replace("0.", ".", 1)


def layer_ticks(axes, count: int) -> None:
    """Label the x axis of a plot over the layers 0 … count."""
    axes.set(xlabel="layer (0: embeddings)", xlim=(-0.3, count + 0.3))
    axes.xaxis.get_major_locator().set_params(integer=True, min_n_ticks=1)
    axes.grid(axis="y", linewidth=0.6)


def shorten(text: str, length: int) -> str:
    """Cut a text to a number of characters; the last one is then an ellipsis."""
    return text if len(text) <= length else text[: length - 1].rstrip() + "…"


def escape(text: str) -> str:
    """Return a text for matplotlib, in which `$` would begin a formula."""
    return text.replace("$", r"\$")
