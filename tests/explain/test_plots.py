"""Pictures: what is drawn is what was given, nothing lies on anything else, and the page can colour it."""

import re

import numpy as np
import pytest

from keras_bert.errors import InputError
from keras_bert.explain.plots import attention_map, confusion_matrix, learning_curves, parity_per_layer


def texts_of(figure):
    """Every visible text of a figure with its box, `(text, (x0, y0, x1, y1))`, in pixels."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.text import Text

    canvas = FigureCanvasAgg(figure)
    canvas.draw()
    renderer = canvas.get_renderer()
    found = [text for text in figure.findobj(Text) if text.get_visible() and text.get_text().strip()]
    for axes in figure.axes:  # ticks beyond the axis exist and are not drawn
        for axis in (axes.xaxis, axes.yaxis):
            low, high = sorted(axis.get_view_interval())
            beyond = [tick for tick in axis.get_major_ticks() if not low <= tick.get_loc() <= high]
            hidden = [label for tick in beyond for label in (tick.label1, tick.label2)]
            found = [text for text in found if not any(text is label for label in hidden)]
    return [(text, text.get_window_extent(renderer)) for text in found]


def assert_readable(figure):
    """No two texts overlap (slanted ones aside, whose boxes are larger than they), and none leaves the figure."""
    shown = texts_of(figure)
    for text, box in shown:
        assert box.x0 >= -1 and box.y0 >= -1, text
        assert box.x1 <= figure.bbox.width + 1 and box.y1 <= figure.bbox.height + 1, text
    straight = [(text, box) for text, box in shown if text.get_rotation() in (0, 90)]
    for i, (text, box) in enumerate(straight):
        for other, beside in straight[:i]:
            assert not box.shrunk(0.9, 0.9).overlaps(beside.shrunk(0.9, 0.9)), (text, other)


PICTURES = {
    "curves": lambda: learning_curves(
        {"training": [3.0, 2.0, 1.5], "held out": [3.1, 2.4, 2.2]}, "loss", "step", at=[50, 100, 150]
    ),
    "one epoch": lambda: learning_curves({"training": [0.5]}, "accuracy"),
    "confusion": lambda: confusion_matrix([0, 1, 1, 0], [0, 1, 0, 0], ["negative", "positive"]),
    "six classes": lambda: confusion_matrix(
        np.arange(600) % 6, np.arange(600) % 5, "ABBR DESC ENTY HUM LOC NUM".split()
    ),
    "attention": lambda: attention_map(np.eye(16), ["[CLS]", *["##something"] * 14, "[SEP]"], "layer 2, head 1"),
    "parity": lambda: parity_per_layer({"KerasHub": [1e-6] * 12, "TF-Hub": [0.0] * 12}),
}


@pytest.mark.parametrize("name", PICTURES)
def test_texts_do_not_overlap(name):
    assert_readable(PICTURES[name]().figure)


@pytest.mark.parametrize("name", PICTURES)
def test_svg_stands_in_a_page_alone(name):
    picture = PICTURES[name]()
    svg = picture.svg()
    assert svg.startswith("<svg") and svg.endswith("</svg>")
    assert "://" not in svg and "<metadata" not in svg
    assert "var(--ink, #1f2430)" in svg
    assert not re.search(r"(?<!, )#(1f2430|0072b2|d55e00)", svg)  # each colour is one that the page may set
    assert svg == PICTURES[name]().svg()  # the same picture is the same text


def test_curves_hold_the_values():
    lines = learning_curves({"training": [3.0, 2.0], "held out": [3.1, 2.4]}, at=[10, 20]).figure.axes[0].lines
    np.testing.assert_array_equal(lines[1].get_xydata(), [[10, 3.1], [20, 2.4]])


def test_confusion_counts_each_pair_once():
    rng = np.random.default_rng(0)
    labels, said = rng.integers(0, 3, (2, 200))
    picture = confusion_matrix(labels, said, ["a", "b", "c"])
    shown = [int(text.get_text()) for text in picture.figure.axes[0].texts]
    assert shown == [int(np.sum((labels == t) & (said == s))) for t in range(3) for s in range(3)]
    assert f"{np.sum(labels == said)} of 200" in picture.caption


def test_attention_ink_follows_the_weights():
    weights = np.array([[0.75, 0.25], [0.5, 0.5]])
    cells = attention_map(weights, ["a", "b"]).figure.axes[0].collections[0].get_facecolor()[:, 3]
    np.testing.assert_allclose(cells / cells[0], (weights / 0.75).ravel())


def test_parity_draws_an_exact_layer_at_the_floor():
    lines = parity_per_layer({"KerasHub": [0.0, 1e-6]}).figure.axes[0].lines
    np.testing.assert_array_equal(lines[0].get_ydata(), [1e-9, 1e-6])


@pytest.mark.parametrize(
    "wrong",
    [
        lambda: learning_curves({}),
        lambda: learning_curves({"training": []}),
        lambda: confusion_matrix([], [], ["a", "b"]),
        lambda: confusion_matrix([0, 2], [0, 0], ["a", "b"]),
        lambda: confusion_matrix([0], [0, 1], ["a", "b"]),
        lambda: attention_map(np.eye(2), ["a"]),
        lambda: parity_per_layer({"KerasHub": []}),
    ],
)
def test_what_cannot_be_drawn_is_said(wrong):
    with pytest.raises(InputError, match="Received"):
        wrong()
