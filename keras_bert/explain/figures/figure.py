"""A figure with its data, a caption and a text alternative, as SVG for a page or as a file."""

import dataclasses
import html
import io
import re
from pathlib import Path
from typing import TYPE_CHECKING

from keras_bert.errors import InputError
from keras_bert.explain.figures.style import CSS_NAMES, style
from keras_bert.files import atomic_write

if TYPE_CHECKING:
    import matplotlib.figure

SUFFIXES = (".svg", ".png", ".html")
PAGE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title>
<style>
:root {{ color-scheme: light dark; --ink: #1f2430; --grid: #c9ced8; background: #ffffff; color: #1f2430; }}
@media (prefers-color-scheme: dark) {{
  :root {{ --ink: #e7eaf0; --grid: #4a5263; --series-1: #56b4e9; --series-2: #f28e4b; --series-3: #3fc79a;
    --series-4: #dd9cc5; background: #12151b; color: #e7eaf0; }}
}}
body {{ margin: 0; font: 16px/1.5 system-ui, sans-serif; }}
main {{ max-width: 60rem; margin: 0 auto; padding: 1.5rem 1rem; }}
figure {{ margin: 0; }}
svg {{ display: block; width: 100%; height: auto; }}
</style>
</head>
<body>
<main>
<h1>{title}</h1>
<figure>{svg}<figcaption>{caption}</figcaption></figure>
</main>
</body>
</html>
"""


@dataclasses.dataclass(frozen=True)
class Figure:
    """A matplotlib figure with the data that it shows, a caption and a text alternative.

    Args:
        figure: the `matplotlib.figure.Figure`.
        caption: one or two sentences that describe what the figure shows.
        data: the numbers and names that are drawn: a dict of lists, numbers and strings, which can be written as JSON.
        alt: text alternative for readers who do not see the figure: the kind of the plot and its axes. Default: the
            caption.

    Example:

    >>> import matplotlib.figure
    >>> plot = Figure(matplotlib.figure.Figure(), "An empty figure.")
    >>> plot.caption, plot.data, plot.alt
    ('An empty figure.', {}, 'An empty figure.')
    """

    figure: "matplotlib.figure.Figure"
    caption: str
    data: dict = dataclasses.field(default_factory=dict)
    alt: str = ""

    def __post_init__(self):
        if not self.alt:
            object.__setattr__(self, "alt", self.caption)  # the class is frozen

    def svg(self) -> str:
        """Render the figure as one `<svg>` element for an HTML page.

        The element refers to no external resource and has no fixed size: it is as wide as its container.

        Returns:
            The text of the element. Its colors are CSS variables with defaults, such as `var(--ink, #1f2430)`, and its
            label is `alt`.

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
        label = html.escape(self.alt, quote=True)
        view_box = re.search(r'viewBox="[^"]*"', text)[0]
        text = re.sub(r"^<svg[^>]*>", f'<svg {view_box} role="img" aria-label="{label}">', text)
        for color, name in CSS_NAMES.items():
            text = text.replace(color, f"var(--{name}, {color})")
        return text.strip()

    def save(self, path: str | Path, title: str = "") -> Path:
        """Write the figure to a file. An existing file is replaced once the new one is complete.

        Args:
            path: the file. Its suffix decides: `.svg`, `.png`, or `.html`, a page with the figure and its caption that
                loads no other file.
            title: heading of the page. Default: the text alternative. The other formats have no heading.

        Returns:
            The path.

        Raises:
            InputError: the suffix is another one.

        Example:

        >>> import matplotlib.figure, tempfile
        >>> plot = Figure(matplotlib.figure.Figure(figsize=(1, 1)), "An empty figure.")
        >>> plot.save(tempfile.mkdtemp() + "/empty.png").name
        'empty.png'
        """
        path = Path(path)
        if path.suffix not in SUFFIXES:
            raise InputError(f"`path` must end in {', '.join(SUFFIXES[:-1])} or {SUFFIXES[-1]}. Received: path={path}")
        if path.suffix == ".html":
            texts = {"title": title or self.alt, "caption": self.caption}
            page = PAGE.format(svg=self.svg(), **{name: html.escape(text) for name, text in texts.items()})
            content = page.encode("utf-8")
        else:
            buffer = io.BytesIO()
            with style():
                self.figure.savefig(
                    buffer, format=path.suffix[1:], facecolor="white", dpi=150, metadata=_without_date(path)
                )
            content = buffer.getvalue()
        with atomic_write(path) as temporary:
            temporary.write_bytes(content)
        return path


def _without_date(path: Path) -> dict:
    """Return the metadata with which equal figures have equal bytes."""
    return {"Date": None} if path.suffix == ".svg" else {}
