"""Bar charts, line charts and matrices: what is drawn, the data, the text alternatives, the errors."""

import json

import numpy as np
import pytest

import keras_bert as kb
from keras_bert.errors import InputError


def axes_of(plot):
    return plot.figure.axes[0]


def test_bar_chart():
    values = {"TF-IDF": 79.5, "BERT": np.float32(84.25)}
    plot = kb.explain.bar_chart(values, "BERT is higher.", "accuracy, %", errors={"BERT": 0.5}, baseline=50)
    assert plot.data == {"values": {"TF-IDF": 79.5, "BERT": 84.25}, "errors": {"BERT": 0.5}, "baseline": 50}
    assert plot.caption == "BERT is higher." and plot.alt == "Bar chart of accuracy, %: TF-IDF, BERT"
    axes = axes_of(plot)
    assert [bar.get_width() for bar in axes.patches] == [79.5, 84.25]
    assert [text.get_text() for text in axes.get_yticklabels()] == ["TF-IDF", "BERT"]
    assert [text.get_text() for text in axes.texts] == ["79.5", "84.2"]
    top, bottom = (bar.get_y() for bar in axes.patches)
    assert top < bottom and axes.yaxis_inverted()  # the first one is on top
    assert any(line.get_linestyle() == "--" and line.get_xdata()[0] == 50 for line in axes.lines)


def test_bar_chart_without_options():
    plot = kb.explain.bar_chart({"a": 1}, "One.", number_format="{:.0f}")
    assert plot.data["errors"] == {} and plot.data["baseline"] is None
    assert plot.alt == "Bar chart of values: a" and axes_of(plot).texts[0].get_text() == "1"


def test_bar_chart_rejects_no_values():
    with pytest.raises(InputError, match="Received: "):
        kb.explain.bar_chart({}, "Nothing.")


def test_line_chart():
    series = {"loss": [3, 2, float("nan")], "other": np.arange(3)}
    plot = kb.explain.line_chart(
        [1, 10, 100], series, "It falls.", "step", "loss", {"loss": [0.1] * 3}, {"unigram": 2.5}, log_x=True, log_y=True
    )
    assert plot.data["x"] == [1, 10, 100] and plot.data["series"]["other"] == [0, 1, 2]
    assert plot.data["errors"] == {"loss": [0.1] * 3} and plot.data["baselines"] == {"unigram": 2.5}
    assert plot.alt == "Line chart of loss by step: loss, other"
    axes = axes_of(plot)
    assert (axes.get_xscale(), axes.get_yscale()) == ("log", "log")
    assert [text.get_text() for text in axes.get_xticklabels()] == ["1", "10", "100"]
    assert [line.get_color() for line in axes.lines[:2]] == ["#0072b2", "#d55e00"]
    assert [text.get_text() for text in axes.texts] == ["unigram"]
    assert [text.get_text() for text in plot.figure.legends[0].get_texts()] == ["loss", "other"]


def test_one_line_has_no_legend():
    plot = kb.explain.line_chart(range(30), {"loss": range(30)}, "It rises.", "step", "loss")
    assert not plot.figure.legends and axes_of(plot).lines[0].get_marker() in (None, "None")


@pytest.mark.parametrize(
    "series, errors, message",
    [
        ({}, None, "`series` must have 1 to 4 series. Received: 0"),
        ({str(i): [1, 2] for i in range(5)}, None, "Received: 5"),
        ({"a": [1]}, None, "`series` must have 2 values each, like `x`. Received: a: 1"),
        ({"a": [1, 2]}, {"a": [1, 2, 3]}, "Received: a: 3"),
    ],
)
def test_line_chart_rejects(series, errors, message):
    with pytest.raises(InputError, match=message):
        kb.explain.line_chart([1, 2], series, "", "x", "y", errors)


def test_line_chart_has_room_for_names():
    names = ["post-LN, with warm-up", "post-LN, without", "pre-LN, with warm-up", "pre-LN, without"]
    for chosen, columns in ((names, 2), (["a", "b", "c", "d"], 4)):
        plot = kb.explain.line_chart([1, 2], dict.fromkeys(chosen, [1, 2]), "", "x", "y", baselines={"unigram": 1.5})
        plot.figure.draw_without_rendering()
        handles = [each.get_window_extent() for each in plot.figure.legends[0].get_texts()]
        assert len({round(box.x0) for box in handles}) == columns
        (name,) = axes_of(plot).texts
        assert name.get_window_extent().x0 > axes_of(plot).get_window_extent().x1  # beside the lines, not on them


def test_matrix_chart():
    plot = kb.explain.matrix_chart([[1, -0.5], [float("nan"), 0]], ["a", "b"], ["c", "d"], "Cells.", texts=["wx", "yz"])
    assert plot.data["rows"] == ["a", "b"] and plot.data["columns"] == ["c", "d"]
    assert plot.data["values"][0] == [1, -0.5] and np.isnan(plot.data["values"][1][0])
    assert plot.alt == "Matrix with the rows a, b and 2 columns"
    drawn = [text.get_text() for text in axes_of(plot).texts]
    assert "w" in drawn and "x" in drawn
    assert [text.get_text() for text in axes_of(plot).get_xticklabels()] == ["c", "d"]


def test_matrix_chart_has_room_for_names():
    rows, columns = ["a row with a long name, which leaves little room"] * 2, ["door", "children", "instrument", "war"]
    plot = kb.explain.matrix_chart(np.ones((2, 4)), rows, columns, "Long names.")
    plot.figure.draw_without_rendering()
    boxes = [name.get_window_extent() for name in axes_of(plot).get_xticklabels()]
    spaces = [right.x0 - left.x1 for left, right in zip(boxes, boxes[1:], strict=False)]
    assert min(spaces) > 0.08 * plot.figure.dpi


@pytest.mark.parametrize("values, shape", [([[1, 2]], r"\(1, 2\)"), (np.zeros((0, 0)), r"\(0, 0\)")])
def test_matrix_chart_rejects(values, shape):
    with pytest.raises(InputError, match=rf"`values` must have shape \[2, 1\]. Received: shape={shape}"):
        kb.explain.matrix_chart(values, ["a", "b"], ["c"], "")


def test_empty_matrix_is_rejected():
    with pytest.raises(InputError, match="`values`"):
        kb.explain.matrix_chart(np.zeros((0, 0)), [], [], "")


def test_flow_chart_has_an_arrow_for_each_box():
    plot = kb.explain.flow_chart(["ids", ["query", "value"], ["weights", ""], "output"], "Four steps.")
    arrows = [text.arrow_patch for text in plot.figure.axes[0].texts if getattr(text, "arrow_patch", None)]
    heads = [arrow for arrow in arrows if type(arrow.get_arrowstyle()).__name__ == "CurveFilledB"]
    assert len(heads) == 5  # to query, value and weights; from weights and value to output
    assert len(arrows) == 7  # and two parts of the line from value beside weights
    assert plot.alt.endswith("ids, then query and value, then weights, then output")


def test_data_is_json():
    plots = [
        kb.explain.bar_chart({"a": np.float64(1)}, "", errors={"a": np.float32(1)}, baseline=np.float32(2)),
        kb.explain.line_chart(np.arange(2), {"a": np.arange(2)}, "", "x", "y", baselines={"b": np.float32(1)}),
        kb.explain.matrix_chart(np.eye(2), ["a", "b"], ["a", "b"], ""),
    ]
    assert all(json.dumps(plot.data) for plot in plots)
