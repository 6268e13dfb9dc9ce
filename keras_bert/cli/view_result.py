"""What a view of `keras-bert explain` returns."""

import dataclasses

from rich.console import RenderableType


@dataclasses.dataclass(frozen=True)
class ViewResult:
    """What a view returns.

    Attributes:
        data: the values, for `--json`.
        text: what is printed: a string or a renderable of rich.
        html: a page without external resources, for `--out FILE.html`; None if the view has none.
        figure: a `keras_bert.explain.figures.figure.Figure`, for `--out FILE.svg`; None if the view has none.
    """

    data: dict
    text: RenderableType
    html: str | None = None
    figure: object | None = None
