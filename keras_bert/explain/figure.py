"""The style of all figures, and figures with a caption that an HTML page can contain.

The colors are those of Okabe and Ito, which color-blind readers can distinguish. `Figure.svg` keeps text as text and
lets a page set the colors by the CSS variables `--ink`, `--grid` and `--series-1` to `--series-4`.
"""

import dataclasses
import html
import io
import re
from typing import TYPE_CHECKING

from keras_bert.extras import require

if TYPE_CHECKING:
    import matplotlib.figure

INK, GRID = "#1f2430", "#c9ced8"
SERIES = ("#0072b2", "#d55e00", "#009e73", "#cc79a7")
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


@dataclasses.dataclass(frozen=True)
class Figure:
    """A matplotlib figure with a caption.

    Args:
        figure: the `matplotlib.figure.Figure`.
        caption: one or two sentences that describe what the figure shows.
        data: a dict of the numbers that are drawn, as arrays or lists.

    Example:

    >>> import matplotlib.figure
    >>> Figure(matplotlib.figure.Figure(), "An empty figure.").caption
    'An empty figure.'
    """

    figure: "matplotlib.figure.Figure"
    caption: str
    data: dict = dataclasses.field(default_factory=dict)

    def svg(self) -> str:
        """Render the figure as one `<svg>` element for an HTML page.

        The element refers to no external resource and has no fixed size: it is as wide as its container.

        Returns:
            The text of the element. Its colors are CSS variables with defaults, such as `var(--ink, #1f2430)`.

        Example:

        >>> import matplotlib.figure
        >>> Figure(matplotlib.figure.Figure(), "An empty figure.").svg()[:4]
        '<svg'
        """
        buffer = io.StringIO()
        with style():
            self.figure.savefig(buffer, format="svg", transparent=True)
        text = buffer.getvalue()
        text = re.sub(r"<metadata>.*?</metadata>", "", text[text.index("<svg") :], flags=re.DOTALL)
        label = html.escape(self.caption, quote=True)
        view_box = re.search(r'viewBox="[^"]*"', text)[0]
        text = re.sub(r"^<svg[^>]*>", f'<svg {view_box} role="img" aria-label="{label}">', text)
        for color, name in CSS_NAMES.items():
            text = text.replace(color, f"var(--{name}, {color})")
        return text.strip()


def style():
    """Return the context manager in which figures are drawn."""
    return require("matplotlib", "figures").rc_context(STYLE)


def new_axes(width: float, height: float) -> tuple:
    """Create a matplotlib figure of this size in inches with one plot; return the figure and the axes."""
    figure = require("matplotlib.figure", "figures").Figure(figsize=(width, height), layout="constrained")
    return figure, figure.add_subplot()
