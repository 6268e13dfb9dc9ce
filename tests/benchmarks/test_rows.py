"""The arithmetic of a row: medians, the best form of each peer, the ratio, the share of the limit."""

import pytest

from benchmarks.race import Entry, Result
from benchmarks.rows import row


def result(peer, seconds, form="", error=None):
    return Result(Entry(peer, "none", form=form), {"step": seconds} if seconds else {}, error=error)


RESULTS = [
    result("ours", [0.5, 0.4, 9.0]),
    result("B", [2.0, 2.0, 2.0], "slow"),
    result("B", [1.0, 1.0, 1.0], "fast"),
    result("C", [3.0, 3.0, 3.0]),
    result("D", [], error="it fell over"),
]


def test_rates_are_medians_and_the_ratio_is_to_the_best_form_of_the_best_peer():
    found = row("work", RESULTS, case="step", unit="tokens/s", amount=100, flops=1e9, peak=8e9)
    assert found["ours"]["value"] == pytest.approx(200)  # 100 in 0.5 s, the median
    assert found["best_peer"] == "B" and found["peers"]["B"]["form"] == "fast"
    assert found["ratio"] == pytest.approx(2.0)
    assert found["share_of_limit"] == pytest.approx(0.25)  # 1e9 in 0.5 s is 2e9, of 8e9
    assert [each["form"] for each in found["other_forms"]] == ["slow"]
    assert any("D is out: it fell over" in note for note in found["notes"])


def test_where_less_is_better_the_ratio_still_says_how_much_faster_ours_is():
    found = row("work", RESULTS, case="step", unit="ms")
    assert found["ours"]["value"] == pytest.approx(500)
    assert found["ratio"] == pytest.approx(2.0)


def test_without_ours_or_without_peers_there_is_no_ratio():
    assert row("work", RESULTS[1:], case="step", unit="s")["ratio"] is None
    alone = row("work", RESULTS[:1], case="step", unit="s")
    assert alone["ratio"] is None and alone["best_peer"] is None
