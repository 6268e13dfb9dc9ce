"""Points with names: two numbers of each model, such as its accuracy and its time."""

from collections.abc import Mapping

from keras_bert.errors import InputError
from keras_bert.explain.figures.figure import Figure
from keras_bert.explain.figures.style import INK, SERIES, new_axes, style

# Places of a name beside its point, in points: offset, horizontal and vertical alignment. The first free one is used.
PLACES = (
    ((9, 0), "left", "center"),
    ((-9, 0), "right", "center"),
    ((0, 11), "center", "bottom"),
    ((0, -11), "center", "top"),
    ((9, 13), "left", "bottom"),
    ((9, -13), "left", "top"),
    ((-9, 13), "right", "bottom"),
    ((-9, -13), "right", "top"),
)


def scatter_chart(
    points: Mapping[str, tuple[float, float]],
    caption: str,
    xlabel: str,
    ylabel: str,
    errors: Mapping[str, float] | None = None,
    baselines: Mapping[str, float] | None = None,
    log_x: bool = False,
) -> Figure:
    """Plot one point per name, with the name beside it.

    Args:
        points: a dict of name to (x, y).
        caption: one or two sentences that say what to look at.
        xlabel: the quantity of the x axis and its unit.
        ylabel: the quantity of the y axis and its unit.
        errors: a dict of name to half the height of an error bar, such as a standard deviation. Names may be missing.
        baselines: a dict of name to a value of y, drawn as a dashed horizontal line with the name beside it.
        log_x: whether the x axis is logarithmic.

    Returns:
        A `Figure`. Its data: `points`, `errors` and `baselines`.

    Raises:
        InputError: there is no point.

    Example:

    >>> plot = scatter_chart({"small": (1, 80.0), "large": (4, 90.0)}, "Two models.", "time", "accuracy, %")
    >>> plot.data["points"]["large"]
    [4.0, 90.0]
    """
    if not points:
        raise InputError(f"`points` must have at least one name and point. Received: points={points!r}")
    points = {name: [float(x), float(y)] for name, (x, y) in points.items()}
    errors = {name: float(value) for name, value in (errors or {}).items()}
    baselines = {name: float(value) for name, value in (baselines or {}).items()}
    with style():
        figure, axes = new_axes(6.4, 3.8)
        for name, (x, y) in points.items():
            bar = {"yerr": errors.get(name), "ecolor": INK, "elinewidth": 1.0, "capsize": 3}
            axes.errorbar(x, y, fmt="o", color=SERIES[0], markersize=7, **bar)
        for name, value in baselines.items():
            axes.axhline(value, color=INK, linestyle="--", linewidth=1.0)
            place = {"xycoords": ("axes fraction", "data"), "textcoords": "offset points", "ha": "right"}
            axes.annotate(name, (1, value), (0, 3), fontsize=9, color=INK, **place)
        axes.set(xlabel=xlabel, ylabel=ylabel, xscale="log" if log_x else "linear")
        axes.margins(x=0.22, y=0.16)
        axes.grid(linewidth=0.6)
        figure.draw_without_rendering()  # the layout decides where the names are free
        _write_names(figure, axes, points, errors)
    alt = f"Points of {ylabel} by {xlabel}: {', '.join(points)}"
    return Figure(figure, caption, {"points": points, "errors": errors, "baselines": baselines}, alt)


def _write_names(figure, axes, points: dict, errors: dict) -> None:
    """Write each name at the first of `PLACES` where it touches no point, no error bar and no other text."""
    from matplotlib.transforms import Bbox

    renderer = figure.canvas.get_renderer() if hasattr(figure.canvas, "get_renderer") else None
    frame = axes.get_window_extent(renderer)
    taken = [text.get_window_extent(renderer) for text in axes.texts]
    for name, (x, y) in points.items():
        error = errors.get(name) or 0.0
        (left, low), (right, high) = axes.transData.transform([(x, y - error), (x, y + error)])
        taken.append(Bbox([[left - 6, low - 6], [right + 6, high + 6]]))
    for name, point in points.items():
        for offset, horizontal, vertical in PLACES:
            place = {"textcoords": "offset points", "ha": horizontal, "va": vertical}
            text = axes.annotate(name, point, offset, fontsize=9, color=INK, **place)
            box = text.get_window_extent(renderer)
            inside = frame.x0 <= box.x0 and box.x1 <= frame.x1
            if inside and not any(box.overlaps(other) for other in taken):
                break
            text.remove()
        else:  # no place is free: the first one
            offset, horizontal, vertical = PLACES[0]
            place = {"textcoords": "offset points", "ha": horizontal, "va": vertical}
            text = axes.annotate(name, point, offset, fontsize=9, color=INK, **place)
            box = text.get_window_extent(renderer)
        taken.append(box.padded(6))  # in pixels: so that two names do not read as one
