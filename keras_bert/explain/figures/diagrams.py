"""Drawings of steps as boxes with arrows, and of tokens as colored cells in rows."""

from collections.abc import Mapping, Sequence

from keras_bert.errors import InputError
from keras_bert.explain.figures.figure import Figure
from keras_bert.explain.figures.panels import escape
from keras_bert.explain.figures.style import GRID, INK, SERIES, new_axes, style

WIDTH, ARROW, LINE, MARGIN, COLUMN_GAP = 6.4, 0.3, 0.2, 0.1, 0.2  # inches


def flow_chart(rows: Sequence[str | Sequence[str]], caption: str) -> Figure:
    """Draw steps as rows of boxes from top to bottom, with arrows from each row to the next.

    Args:
        rows: N rows; a row is the text of one box, or a list of the texts of boxes side by side. The first line of a
            text is its bold title. Between two rows there is an arrow for each box of the longer row. Where a text of
            a list is empty, the arrow goes on to the next row.
        caption: one or two sentences that say what to look at.

    Returns:
        A `Figure`. Its data: `rows`, a list of lists of texts.

    Raises:
        InputError: there is no row, or one without a box.

    Example:

    >>> flow_chart(["text\\na fine film", ["ids", "mask"]], "Text becomes two arrays.").data["rows"]
    [['text\\na fine film'], ['ids', 'mask']]
    """
    rows = [[row] if isinstance(row, str) else list(row) for row in rows]
    if not rows or not all(rows):
        raise InputError(f"`rows` must have at least one box each. Received: rows={rows!r:.60}")
    heights = [2 * MARGIN + LINE * max(text.count("\n") + 1 for text in row) for row in rows]
    total = sum(heights) + ARROW * (len(rows) - 1)
    with style():
        figure, axes = new_axes(WIDTH + 0.2, total + 0.2)
        top, above = 0.0, []
        for row, height, color in zip(rows, heights, SERIES * len(rows), strict=False):
            width = (WIDTH - COLUMN_GAP * (len(row) - 1)) / len(row)
            for number, text in enumerate(row):
                left = number * (width + COLUMN_GAP)
                if text:
                    _draw_box(axes, text, left, top, width, height, color)
                else:
                    _draw_arrow(axes, left + width / 2, top, top + height, head=False)
            if above:
                _draw_arrows(axes, above, row, top)
            top, above = top + height + ARROW, row
        axes.set(xlim=(-0.05, WIDTH + 0.05), ylim=(total + 0.05, -0.05), aspect="equal")
        axes.set_axis_off()
    titles = ", then ".join(" and ".join(text.split("\n")[0] for text in row if text) for row in rows)
    return Figure(figure, caption, {"rows": rows}, f"Diagram of boxes with arrows: {titles}")


def cell_chart(
    rows: Mapping[str, Sequence[str]],
    caption: str,
    groups: Mapping[str, Sequence[str]] | None = None,
    widths: Mapping[str, Sequence[float]] | None = None,
) -> Figure:
    """Draw rows of tokens as cells, in the color of their groups.

    Args:
        rows: a dict of the name of a row to the texts of its cells, from left to right.
        caption: one or two sentences that say what to look at.
        groups: a dict of the name of a row to the group of each cell: at most four different names, which the legend
            shows in the order blue, orange, green, pink. The cells of the group `""` are gray. Default: all are blue.
        widths: a dict of the name of a row to the width of each cell. Default: 1.

    Returns:
        A `Figure`. Its data: `rows`, `groups` and `widths`.

    Raises:
        InputError: there is no row, a row has another number of groups or widths than of texts, or there are more than
            four groups.

    Example:

    >>> plot = cell_chart({"first": ["a", "film"]}, "Two tokens.", {"first": ["short", "long"]})
    >>> plot.data["groups"]
    {'first': ['short', 'long']}
    """
    rows = {name: list(map(str, texts)) for name, texts in rows.items()}
    groups = {name: list((groups or {}).get(name, ["token"] * len(texts))) for name, texts in rows.items()}
    widths = {name: list((widths or {}).get(name, [1.0] * len(texts))) for name, texts in rows.items()}
    for name, texts in rows.items():
        if not len(texts) == len(groups[name]) == len(widths[name]):
            raise InputError(f"`groups` and `widths` must have {len(texts)} entries. Received: {name} with others")
    names = list(dict.fromkeys(group for each in groups.values() for group in each if group))
    if not rows or len(names) > len(SERIES):
        raise InputError(f"`rows` must have a row and at most {len(SERIES)} groups. Received: {len(names)} groups")
    total = max(sum(each) for each in widths.values())
    scale = max(min(0.75, 10.0 / total), _widest(rows, widths))  # inches per unit
    with style():
        figure, axes = new_axes(0.9 + 0.075 * max(map(len, rows)) + scale * total, 0.6 + 0.36 * len(rows))
        for number, name in enumerate(rows):
            left = 0.0
            for text, group, width in zip(rows[name], groups[name], widths[name], strict=True):
                color = SERIES[names.index(group)] if group else GRID
                _draw_cell(axes, text, left, number, width, color)
                left += width
        axes.set_yticks([number + 0.5 for number in range(len(rows))], [escape(name) for name in rows])
        axes.set(xlim=(0, total), ylim=(len(rows), 0), xticks=[])
        axes.tick_params(length=0)
        axes.spines[:].set_visible(False)
        if len(names) > 1:
            from matplotlib.patches import Patch

            handles = [Patch(color=color, alpha=0.45, label=name) for name, color in zip(names, SERIES, strict=False)]
            figure.legend(handles=handles, loc="outside upper left", ncols=len(names), frameon=False)
    texts = "; ".join(f"{name}: {' '.join(filter(None, each))}" for name, each in rows.items())
    return Figure(figure, caption, {"rows": rows, "groups": groups, "widths": widths}, f"Rows of cells. {texts}")


def _widest(rows: Mapping, widths: Mapping) -> float:
    """Return the inches per unit of width that the longest text needs."""
    pairs = ((t, w) for name in rows for t, w in zip(rows[name], widths[name], strict=True) if t)
    return max(((0.085 * len(text) + 0.12) / width for text, width in pairs), default=0.3)


def _draw_cell(axes, text: str, left: float, row: int, width: float, color: str) -> None:
    from matplotlib.colors import to_rgb
    from matplotlib.patches import Rectangle

    face = (*to_rgb(color), 0.45)
    axes.add_patch(Rectangle((left, row + 0.06), width, 0.88, facecolor=face, edgecolor="white", linewidth=2))
    axes.text(left + width / 2, row + 0.5, escape(text), ha="center", va="center", fontsize=9)


def _draw_arrows(axes, above: list[str], row: list[str], top: float) -> None:
    """Draw an arrow for each box of the longer one of two rows; it has no head above an empty box."""
    count = max(len(above), len(row))
    for number in range(count):
        place = (number + 0.5) * (WIDTH + COLUMN_GAP) / count - COLUMN_GAP / 2  # the center of the box
        _draw_arrow(axes, place, top - ARROW, top, head=len(row) < count or bool(row[number]))


def _draw_arrow(axes, place: float, start: float, end: float, head: bool) -> None:
    arrow = {"arrowstyle": "-|>" if head else "-", "color": INK, "shrinkA": 0, "shrinkB": 0}
    axes.annotate("", (place, end), (place, start), arrowprops=arrow)


def _draw_box(axes, text: str, left: float, top: float, width: float, height: float, color: str) -> None:
    from matplotlib.colors import to_rgb
    from matplotlib.patches import FancyBboxPatch

    colors = {"facecolor": (*to_rgb(color), 0.16), "edgecolor": color}
    shape = "round,pad=0,rounding_size=0.06"
    axes.add_patch(FancyBboxPatch((left, top), width, height, boxstyle=shape, linewidth=1.2, **colors))
    lines = escape(text).split("\n")
    start = top + (height - LINE * len(lines)) / 2 + LINE / 2
    for number, line in enumerate(lines):
        weight = "normal" if number else "bold"
        place = left + width / 2, start + number * LINE
        axes.text(*place, line, ha="center", va="center", fontsize=9, fontweight=weight)
