"""Contestants run alternately, are paused when idle, and are excluded if their outputs differ."""

import sys
import time
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from benchmarks.contestant import Contestant, ContestantError, Entry
from benchmarks.contestants.protocol import time_round
from benchmarks.runner import Runner, find_difference

TOY = str(Path(__file__).with_name("toy_contestant.py"))


@pytest.mark.skipif(sys.platform != "linux", reason="reads the process states from /proc")
def test_alternates_and_pauses(tmp_path):
    turns = tmp_path / "turns"
    entries = [Entry(name, TOY, form=name) for name in "AB"]
    with Runner(entries) as runner:
        results, _ = runner.run({"workload": "toy", "turns": str(turns)}, {"case": 3}, 0.0)
        processes = [contestant._process for contestant in runner._contestants.values()]
        states = [Path(f"/proc/{process.pid}/stat").read_text().split()[2] for process in processes]
    assert turns.read_text().split() == ["A0", "B0", "A1", "B1", "A2", "B2"]
    assert states == ["T", "T"]
    assert all(process.returncode is not None for process in processes)
    for result in results:
        assert result.error is None and result.memory_mib > 1
        assert len(result.seconds["case"]) == 3 and min(result.seconds["case"]) >= 0.01


def test_excludes_wrong_and_broken(tmp_path):
    turns = tmp_path / "turns"
    entries = [Entry(form, TOY, form=form) for form in ("good", "wrong", "broken", "also")]
    with Runner(entries) as runner:
        results, reference = runner.run({"workload": "toy", "turns": str(turns)}, {"case": 2}, 0.0)
    errors = {result.entry.peer: result.error for result in results}
    assert errors["good"] is None and errors["also"] is None
    assert "sum: largest difference 1" in errors["wrong"] and "it cannot be prepared" in errors["broken"]
    assert turns.read_text().split() == ["good0", "also0", "good1", "also1"]
    np.testing.assert_array_equal(reference["sum"], [3.0, 5.0])


def test_dead_process_reports_its_log(tmp_path):
    (tmp_path / "dead.py").write_text("import nothing_of_that_name")
    contestant = Contestant(Entry("dead", str(tmp_path / "dead.py")), tmp_path / "log", {})
    contestant._process.wait()
    with pytest.raises(ContestantError, match="No module named 'nothing_of_that_name'"):
        contestant.send("prepare", task={})
    with pytest.raises(ContestantError, match="earlier task"):
        contestant.send("prepare", task={})


def test_warm_case_has_no_warm_up_round(tmp_path):
    turns = tmp_path / "turns"
    with Runner([Entry("A", TOY, form="A")]) as runner:
        task = {"workload": "toy", "turns": str(turns)}
        (result,), _ = runner.run(task, {"case": 1, "long": 2}, 0.0, warm=("long",))
    assert set(result.warm_up) == {"case"} and len(result.seconds["long"]) == 2


@pytest.mark.parametrize(("fraction", "expected"), [(None, 0.02), (1.0, 0.02), (0.25, 0.08)])
def test_seconds_per_whole_repetition(fraction, expected, monkeypatch):
    clock = [0.0]
    monkeypatch.setattr(time, "perf_counter", lambda: clock[0])  # the machine may do other work

    def run(case, number):
        clock[0] += 0.02
        return fraction

    assert time_round(SimpleNamespace(run=run), "case", 0, 0.0)["seconds"] == pytest.approx(expected)


@pytest.mark.parametrize(
    ("found", "expected", "equal"),
    [
        ([1.0, 2.0], [1.0, 2.0015], True),  # within 1e-3 of the largest, 2
        ([1.0, 2.0], [1.0, 2.003], False),
        ([1e-4], [0.0], True),  # small numbers: within 1e-3 of 1
        ([float("nan")], [0.0], False),
        ([1, 2], [1, 3], False),  # integers exactly
        ([1.0], [1.0, 1.0], False),
    ],
)
def test_find_difference(found, expected, equal):
    difference = find_difference({"x": np.array(found)}, {"x": np.array(expected)}, 1e-3)
    assert (difference is None) == equal


def test_find_difference_in_names():
    assert "expected ['x']" in find_difference({"y": np.zeros(1)}, {"x": np.zeros(1)}, 1e-3)
