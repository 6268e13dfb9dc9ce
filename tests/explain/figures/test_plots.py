"""Figures: the values drawn, texts that do not overlap, and SVG whose colors a page can set."""

import json
import re

import numpy as np
import pytest

from keras_bert.errors import InputError
from keras_bert.explain.figures.plots import attention_map, confusion_matrix, learning_curves, parity_per_layer
from tests.explain.readable import assert_readable

FIGURES = {
    "curves": lambda: learning_curves(
        {"training": [3.0, 2.0, 1.5], "validation": [3.1, 2.4, 2.2]}, "loss", "step", at=[50, 100, 150]
    ),
    "one epoch": lambda: learning_curves({"training": [0.5]}, "accuracy"),
    "confusion": lambda: confusion_matrix([0, 1, 1, 0], [0, 1, 0, 0], ["negative", "positive"]),
    "six classes": lambda: confusion_matrix(
        np.arange(600) % 6, np.arange(600) % 5, "ABBR DESC ENTY HUM LOC NUM".split()
    ),
    "attention": lambda: attention_map(np.eye(16), ["[CLS]", *["##something"] * 14, "[SEP]"], "layer 2, head 1"),
    "parity": lambda: parity_per_layer({"KerasHub": [1e-6] * 12, "TF-Hub": [0.0] * 12}),
}


@pytest.mark.parametrize("name", FIGURES)
def test_texts_do_not_overlap(name):
    assert_readable(FIGURES[name]().figure)


@pytest.mark.parametrize("name", FIGURES)
def test_svg_is_self_contained(name):
    svg = FIGURES[name]().svg()
    assert svg.startswith("<svg") and svg.endswith("</svg>")
    assert "://" not in svg and "<metadata" not in svg
    assert "var(--ink, #1f2430)" in svg
    assert not re.search(r"(?<!, )#(1f2430|0072b2|d55e00)", svg)  # every color is a CSS variable
    assert svg == FIGURES[name]().svg()  # equal figures have equal text


@pytest.mark.parametrize("name", FIGURES)
def test_data_and_text_alternative(name):
    plot = FIGURES[name]()
    assert plot.data == json.loads(json.dumps(plot.data)) and plot.data
    assert plot.alt and plot.alt != plot.caption
    assert f'aria-label="{plot.alt}"' in plot.svg()


def test_data_is_what_is_drawn():
    curves = FIGURES["curves"]()
    for line, drawn in zip(curves.figure.axes[0].lines, curves.data["series"].values(), strict=True):
        np.testing.assert_array_equal(line.get_xydata(), np.transpose([drawn["x"], drawn["y"]]))
    assert curves.data["series"]["training"] == {"x": [50, 100, 150], "y": [3.0, 2.0, 1.5]}
    matrix = FIGURES["confusion"]()
    assert matrix.data == {"names": ["negative", "positive"], "counts": [[2, 0], [1, 1]]}


def test_series_at_different_steps():
    lines = learning_curves({"a": [1, 2, 3], "b": [2]}, at={"a": [5, 6, 7], "b": [7]}).figure.axes[0].lines
    np.testing.assert_array_equal(lines[1].get_xydata(), [[7, 2]])


@pytest.mark.parametrize("suffix, first", [("svg", b"<?xml"), ("png", b"\x89PNG"), ("html", b"<!doctype html>")])
def test_save(tmp_path, suffix, first):
    paths = [FIGURES["curves"]().save(tmp_path / f"{name}.{suffix}", "A <title>") for name in "ab"]
    contents = [path.read_bytes() for path in paths]
    assert contents[0].startswith(first) and contents[0] == contents[1]  # equal figures have equal bytes
    if suffix == "html":
        assert b"A &lt;title&gt;" in contents[0] and b"://" not in contents[0]


def test_learning_curves_values():
    lines = learning_curves({"training": [3.0, 2.0], "validation": [3.1, 2.4]}, at=[10, 20]).figure.axes[0].lines
    np.testing.assert_array_equal(lines[1].get_xydata(), [[10, 3.1], [20, 2.4]])


def test_confusion_matrix_counts():
    rng = np.random.default_rng(0)
    labels, predictions = rng.integers(0, 3, (2, 200))
    plot = confusion_matrix(labels, predictions, ["a", "b", "c"])
    shown = [int(text.get_text()) for text in plot.figure.axes[0].texts]
    assert shown == [int(np.sum((labels == t) & (predictions == p))) for t in range(3) for p in range(3)]
    assert f"{np.sum(labels == predictions)} of 200" in plot.caption


def test_attention_map_opacity():
    weights = np.array([[0.75, 0.25], [0.5, 0.5]])
    cells = attention_map(weights, ["a", "b"]).figure.axes[0].collections[0].get_facecolor()[:, 3]
    np.testing.assert_allclose(cells / cells[0], (weights / 0.75).ravel())


def test_parity_draws_zero_at_floor():
    lines = parity_per_layer({"KerasHub": [0.0, 1e-6]}).figure.axes[0].lines
    np.testing.assert_array_equal(lines[0].get_ydata(), [1e-9, 1e-6])


@pytest.mark.parametrize(
    "plot, argument",
    [
        (lambda: learning_curves({}), "series"),
        (lambda: learning_curves({"training": []}), "series"),
        (lambda: confusion_matrix([], [], ["a", "b"]), "predictions"),
        (lambda: confusion_matrix([0, 2], [0, 0], ["a", "b"]), "labels"),
        (lambda: confusion_matrix([0], [0, 1], ["a", "b"]), "predictions"),
        (lambda: attention_map(np.eye(2), ["a"]), "weights"),
        (lambda: parity_per_layer({"KerasHub": []}), "differences"),
        (lambda: learning_curves(dict.fromkeys("abcde", [1.0])), "series"),
        (lambda: parity_per_layer(dict.fromkeys("abcde", [1.0])), "differences"),
        (lambda: FIGURES["curves"]().save("figure.pdf"), "path"),
    ],
)
def test_rejects_wrong_arguments(plot, argument):
    with pytest.raises(InputError, match=f"`{argument}`.*Received: "):
        plot()
