"""Bar charts, line charts and matrices of any numbers, in the style of the other figures."""

from collections.abc import Mapping, Sequence

import numpy as np

from keras_bert.errors import InputError
from keras_bert.explain.figures.figure import Figure
from keras_bert.explain.figures.panels import draw_cells, two_digits
from keras_bert.explain.figures.style import INK, MARKERS, SERIES, new_axes, style

LEGEND_LENGTH = 40  # letters of all names in one line of a legend; more would make the figure wider
NAME_GAP = 0.1  # inches between the names of two columns


def bar_chart(
    values: Mapping[str, float],
    caption: str,
    xlabel: str = "",
    errors: Mapping[str, float] | None = None,
    baseline: float | None = None,
    number_format: str = "{:.1f}",
) -> Figure:
    """Plot one horizontal bar per name, the first on top.

    Args:
        values: a dict of name to value.
        caption: one or two sentences that say what to look at.
        xlabel: the quantity and its unit.
        errors: a dict of name to half the width of an error bar, such as a standard deviation. Names may be missing.
        baseline: a value that is drawn as a dashed line, such as the accuracy of a constant answer.
        number_format: the format of the value beside each bar.

    Returns:
        A `Figure`. Its data: `values`, `errors` and `baseline`.

    Raises:
        InputError: there is no value.

    Example:

    >>> bar_chart({"TF-IDF": 79.5, "BERT": 84.3}, "BERT is higher.", "accuracy, %", baseline=50.0).data["values"]
    {'TF-IDF': 79.5, 'BERT': 84.3}
    """
    values, errors = _numbers(values), _numbers(errors or {}) if errors else {}
    names, baseline = list(values), None if baseline is None else float(baseline)
    with style():
        figure, axes = new_axes(6.4, 0.7 + 0.36 * len(names))
        for row, name in enumerate(names):
            error = errors.get(name)
            axes.barh(row, values[name], 0.62, color=SERIES[0], xerr=error, error_kw={"ecolor": INK, "capsize": 3})
            end = max(values[name], 0) + (error or 0)
            axes.annotate(number_format.format(values[name]), (end, row), (5, 0), va="center", **_OFFSET)
        if baseline is not None:
            axes.axvline(baseline, color=INK, linestyle="--", linewidth=1.2)
        axes.set_yticks(range(len(names)), names)
        axes.set(xlabel=xlabel, ylim=(len(names) - 0.5, -0.5))
        axes.margins(x=0.12)
        axes.tick_params(axis="y", length=0)
    alt = f"Bar chart of {xlabel or 'values'}: {', '.join(names)}"
    return Figure(figure, caption, {"values": values, "errors": errors, "baseline": baseline}, alt)


def line_chart(
    x: Sequence[float],
    series: Mapping[str, Sequence[float]],
    caption: str,
    xlabel: str,
    ylabel: str,
    errors: Mapping[str, Sequence[float]] | None = None,
    baselines: Mapping[str, float] | None = None,
    log_x: bool = False,
    log_y: bool = False,
) -> Figure:
    """Plot at most four lines over the same x, with horizontal baselines.

    Args:
        x: N numbers.
        series: a dict of name to N numbers; NaN is not drawn.
        caption: one or two sentences that say what to look at.
        xlabel: the quantity of the x axis and its unit.
        ylabel: the quantity of the y axis and its unit.
        errors: a dict of name to N numbers, half the height of a band around the line.
        baselines: a dict of name to a value, drawn as a dashed horizontal line with the name beside it.
        log_x: whether the x axis is logarithmic; its ticks are `x`.
        log_y: whether the y axis is logarithmic.

    Returns:
        A `Figure`. Its data: `x`, `series`, `errors` and `baselines`.

    Raises:
        InputError: there are no series, more than four, or one whose length is not N.

    Example:

    >>> plot = line_chart([1, 2], {"loss": [6.0, 5.0]}, "It falls.", "step", "loss", baselines={"unigram": 5.5})
    >>> plot.data["series"]
    {'loss': [6.0, 5.0]}
    """
    lines = {name: np.asarray(values, float).tolist() for name, values in series.items()}
    bands = {name: np.asarray(values, float).tolist() for name, values in (errors or {}).items()}
    if not 1 <= len(lines) <= len(SERIES):
        raise InputError(f"`series` must have 1 to {len(SERIES)} series. Received: {len(lines)}")
    for name, values in [*lines.items(), *bands.items()]:
        if len(values) != len(x):
            raise InputError(f"`series` must have {len(x)} values each, like `x`. Received: {name}: {len(values)}")
    x, marks = np.asarray(x, float).tolist(), _numbers(baselines or {}) if baselines else {}
    with style():
        figure, axes = new_axes(6.0, 3.4)
        for (name, values), color, marker in zip(lines.items(), SERIES, MARKERS, strict=False):
            marker = marker if len(x) <= 24 else None  # markers of many points would overlap
            axes.plot(x, values, color=color, marker=marker, markersize=4.5, linewidth=1.8, label=name)
            if name in bands:
                low, high = np.subtract(values, bands[name]), np.add(values, bands[name])
                axes.fill_between(x, low, high, color=color, alpha=0.15, linewidth=0)
        for name, value in marks.items():
            axes.axhline(value, color=INK, linestyle="--", linewidth=1.0)
            axes.annotate(name, (1, value), (5, 0), xycoords=("axes fraction", "data"), va="center", **_OFFSET)
        if log_x:
            axes.set_xscale("log")
            axes.set_xticks(x, [f"{value:,g}" for value in x])
            axes.minorticks_off()
        if log_y:
            axes.set_yscale("log")
        axes.set(xlabel=xlabel, ylabel=ylabel)
        axes.grid(axis="y", linewidth=0.6)
        if len(lines) > 1:
            columns = len(lines) if sum(map(len, lines)) <= LEGEND_LENGTH else 2
            figure.legend(loc="outside upper left", ncols=columns, frameon=False)
    data = {"x": x, "series": lines, "errors": bands, "baselines": marks}
    return Figure(figure, caption, data, f"Line chart of {ylabel} by {xlabel}: {', '.join(lines)}")


def matrix_chart(
    values,
    rows: Sequence[str],
    columns: Sequence[str],
    caption: str,
    limit: float | None = None,
    texts=None,
) -> Figure:
    """Plot a matrix of numbers as colored cells: blue is positive, orange is negative.

    Args:
        values: float `[R, C]`. NaN cells are not drawn.
        rows: R names.
        columns: C names.
        caption: one or two sentences that say what to look at.
        limit: the absolute value of the strongest color. Default: the largest one.
        texts: `[R, C]` strings in the cells. Default: the numbers with two digits.

    Returns:
        A `Figure`. Its data: `values`, `rows` and `columns`.

    Raises:
        InputError: the shape is not `[R, C]`.

    Example:

    >>> matrix_chart([[1.0, -0.5]], ["a"], ["b", "c"], "Two cells.").data["values"]
    [[1.0, -0.5]]
    """
    values = np.asarray(values, float)
    if values.shape != (len(rows), len(columns)) or not values.size:
        raise InputError(f"`values` must have shape [{len(rows)}, {len(columns)}]. Received: shape={values.shape}")
    limit = float(np.nanmax(np.abs(values))) if limit is None else limit
    texts = [[two_digits(value) for value in row] for row in values] if texts is None else texts
    with style():
        longest = max(map(len, map(str, columns)))
        figure, axes = new_axes(1.6 + max(0.5, 0.09 * longest) * len(columns), 1.0 + 0.34 * len(rows))
        draw_cells(axes, values, limit, texts)
        axes.set_xticks(range(len(columns)), columns)
        axes.xaxis.tick_top()
        axes.set_yticks(range(len(rows)), rows)
        _separate_column_names(figure, axes)
    data = {"values": values.tolist(), "rows": list(rows), "columns": list(columns)}
    return Figure(figure, caption, data, f"Matrix with the rows {', '.join(rows)} and {len(columns)} columns")


def _separate_column_names(figure, axes) -> None:
    """Widen a figure until there is a space of `NAME_GAP` inches between the names of neighboring columns."""
    figure.draw_without_rendering()  # the names of the rows decide how wide a column is
    boxes = [label.get_window_extent() for label in axes.get_xticklabels()]
    missing = [left.x1 - right.x0 for left, right in zip(boxes, boxes[1:], strict=False)]
    missing = max(missing, default=0) / figure.dpi + NAME_GAP
    if missing > 0:
        figure.set_figwidth(figure.get_figwidth() + missing * len(boxes))


_OFFSET = {"textcoords": "offset points", "fontsize": 9, "color": INK}


def _numbers(values: Mapping[str, float]) -> dict[str, float]:
    """Return the values as plain numbers; there must be one."""
    if not values:
        raise InputError(f"`values` must have at least one name and value. Received: values={values!r}")
    return {name: float(value) for name, value in values.items()}
