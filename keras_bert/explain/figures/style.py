"""The style of all figures.

The colors are those of Okabe and Ito, which color-blind readers can distinguish. In an HTML page they are the CSS
variables `--ink`, `--grid` and `--series-1` to `--series-4`, so that the page can change them in dark mode.
"""

from keras_bert.extras import require

INK, GRID = "#1f2430", "#c9ced8"
SERIES = ("#0072b2", "#d55e00", "#009e73", "#cc79a7")
MARKERS = ("o", "s", "^", "D")  # one per color of `SERIES`: lines differ without color, too
CSS_NAMES = {INK: "ink", GRID: "grid", **{color: f"series-{i}" for i, color in enumerate(SERIES, 1)}}
STYLE = {
    "font.family": "sans-serif",
    "font.size": 10,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.titlesize": 11,
    "axes.titleweight": "bold",
    "axes.axisbelow": True,
    "svg.fonttype": "none",
    "svg.hashsalt": "keras_bert",
    **dict.fromkeys(("text.color", "axes.labelcolor", "xtick.color", "ytick.color", "axes.edgecolor"), INK),
    **dict.fromkeys(("figure.facecolor", "axes.facecolor", "savefig.facecolor"), "none"),
    "grid.color": GRID,
}


def style():
    """Return the context manager in which figures are drawn."""
    return require("matplotlib", "figures").rc_context(STYLE)


def new_axes(width: float, height: float) -> tuple:
    """Create a matplotlib figure of this size in inches with one plot; return the figure and the axes."""
    figure = require("matplotlib.figure", "figures").Figure(figsize=(width, height), layout="constrained")
    return figure, figure.add_subplot()
