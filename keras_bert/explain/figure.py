"""A figure with the sentence that tells what to see in it, and its way into a web page.

The colours are Okabe and Ito's, which the colour-blind can tell apart. `Picture.svg` keeps text as text and lets the
page set the colours: `--ink`, `--grid` and `--series-1` to `--series-4`.
"""

import dataclasses
import html
import io
import re

import matplotlib
from matplotlib.figure import Figure

INK, GRID = "#1f2430", "#c9ced8"
SERIES = ("#0072b2", "#d55e00", "#009e73", "#cc79a7")
PAGE_COLOURS = {INK: "ink", GRID: "grid", **{colour: f"series-{i}" for i, colour in enumerate(SERIES, 1)}}
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
class Picture:
    """A figure and the sentence that tells what to see in it.

    Args:
        figure: the `matplotlib.figure.Figure`.
        caption: one or two plain sentences.

    Example:

    >>> Picture(Figure(), "An empty figure.").caption
    'An empty figure.'
    """

    figure: Figure
    caption: str

    def svg(self) -> str:
        """The figure as one `<svg>` element to stand inside an HTML page: no outside address, as wide as its place.

        Returns:
            The element's text. Its colours are `var(--ink, …)` and the like, so a dark page may set them.

        Example:

        >>> Picture(Figure(), "An empty figure.").svg()[:4]
        '<svg'
        """
        buffer = io.StringIO()
        with matplotlib.rc_context(STYLE):
            self.figure.savefig(buffer, format="svg", transparent=True)
        text = buffer.getvalue()
        text = re.sub(r"<metadata>.*?</metadata>", "", text[text.index("<svg") :], flags=re.DOTALL)
        label = html.escape(self.caption, quote=True)
        view_box = re.search(r'viewBox="[^"]*"', text)[0]
        text = re.sub(r"^<svg[^>]*>", f'<svg {view_box} role="img" aria-label="{label}">', text)
        for colour, name in PAGE_COLOURS.items():
            text = text.replace(colour, f"var(--{name}, {colour})")
        return text.strip()
