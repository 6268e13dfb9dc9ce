"""Arithmetic of a row: medians, the fastest form of each peer, ratio, share of the peak."""

import pytest

from benchmarks.contestant import Entry, Result
from benchmarks.rows import make_row, split_by_form


def result(peer, seconds, form="", error=None):
    return Result(Entry(peer, "none", form=form), {"step": seconds} if seconds else {}, error=error)


RESULTS = [
    result("keras_bert", [0.5, 0.4, 9.0]),
    result("B", [2.0, 2.0, 2.0], "slow"),
    result("B", [1.0, 1.0, 1.0], "fast"),
    result("C", [3.0, 3.0, 3.0]),
    result("D", [], error="it failed"),
]


def test_rates():
    row = make_row("workload", RESULTS, case="step", unit="tokens/s", amount=100, flops=1e9, peak=8e9)
    assert row["keras_bert"]["value"] == pytest.approx(200)  # 100 in 0.5 s, the median
    assert row["best_peer"] == "B" and row["peers"]["B"]["form"] == "fast"
    assert row["ratio"] == pytest.approx(2.0)
    assert row["share_of_peak"] == pytest.approx(0.25)  # 1e9 in 0.5 s is 2e9, of 8e9
    assert [each["form"] for each in row["other_forms"]] == ["slow"]
    assert any("D is excluded: it failed" in note for note in row["notes"])


def test_ratio_of_times():
    row = make_row("workload", RESULTS, case="step", unit="ms")
    assert row["keras_bert"]["value"] == pytest.approx(500)
    assert row["ratio"] == pytest.approx(2.0)


def test_no_ratio_without_both_sides():
    assert make_row("workload", RESULTS[1:], case="step", unit="s")["ratio"] is None
    alone = make_row("workload", RESULTS[:1], case="step", unit="s")
    assert alone["ratio"] is None and alone["best_peer"] is None


def test_split_by_form():
    forms = [result("keras_bert", [0.5], "SavedModel"), result("keras_bert", [0.1], "kb.Predictor")]
    rows = {
        form: make_row("workload", found, case="step", unit="s")
        for form, found in split_by_form([*forms, *RESULTS[1:]])
    }
    assert {form: row["keras_bert"]["value"] for form, row in rows.items()} == {"SavedModel": 0.5, "kb.Predictor": 0.1}
    for form, row in rows.items():
        assert row["keras_bert"]["form"] == form and set(row["peers"]) == {"B", "C", "D"}
        assert [each["form"] for each in row["other_forms"]] == ["slow"]
