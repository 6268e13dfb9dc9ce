"""Contestants take turns, wait stopped, and are out where they answer otherwise."""

import time
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from benchmarks.contestants.protocol import timed
from benchmarks.race import Contestant, Entry, OutOfRace, Race, disagreement

TOY = str(Path(__file__).with_name("toy_contestant.py"))


def test_contestants_take_turns_and_wait_stopped(tmp_path):
    turns = tmp_path / "turns"
    entries = [Entry(name, TOY, form=name) for name in "AB"]
    with Race(entries) as race:
        results, _ = race.run({"work": "toy", "turns": str(turns)}, {"case": 3}, 0.0)
        states = [
            Path(f"/proc/{contestant._process.pid}/stat").read_text().split()[2]
            for contestant in race._contestants.values()
        ]
        processes = [contestant._process for contestant in race._contestants.values()]
    assert turns.read_text().split() == ["A0", "B0", "A1", "B1", "A2", "B2"]
    assert states == ["T", "T"]
    assert all(process.returncode is not None for process in processes)
    for result in results:
        assert result.error is None and result.memory_mib > 1
        assert len(result.seconds["case"]) == 3 and min(result.seconds["case"]) >= 0.01


def test_who_answers_otherwise_or_cannot_run_is_out_and_the_others_go_on(tmp_path):
    turns = tmp_path / "turns"
    entries = [Entry(form, TOY, form=form) for form in ("good", "wrong", "broken", "also")]
    with Race(entries) as race:
        results, answers = race.run({"work": "toy", "turns": str(turns)}, {"case": 2}, 0.0)
    errors = {result.entry.peer: result.error for result in results}
    assert errors["good"] is None and errors["also"] is None
    assert "sum: off by 1" in errors["wrong"] and "it cannot be prepared" in errors["broken"]
    assert turns.read_text().split() == ["good0", "also0", "good1", "also1"]
    np.testing.assert_array_equal(answers["sum"], [3.0, 5.0])


def test_who_dies_before_it_is_asked_is_out_with_its_last_words(tmp_path):
    (tmp_path / "dead.py").write_text("import nothing_of_that_name")
    contestant = Contestant(Entry("dead", str(tmp_path / "dead.py")), tmp_path / "log", {})
    contestant._process.wait()
    with pytest.raises(OutOfRace, match="No module named 'nothing_of_that_name'"):
        contestant.ask("prepare", task={})


def test_a_case_that_others_warm_has_no_turn_that_is_not_counted(tmp_path):
    turns = tmp_path / "turns"
    with Race([Entry("A", TOY, form="A")]) as race:
        (result,), _ = race.run({"work": "toy", "turns": str(turns)}, {"case": 1, "long": 2}, 0.0, warm=("long",))
    assert set(result.warm_up) == {"case"} and len(result.seconds["long"]) == 2


@pytest.mark.parametrize(("share", "expected"), [(None, 0.02), (1.0, 0.02), (0.25, 0.08)])
def test_seconds_are_those_of_a_whole_unit(share, expected):
    def run(case, number):
        time.sleep(0.02)
        return share

    assert timed(SimpleNamespace(run=run), "case", 0, 0.0)["seconds"] == pytest.approx(expected, rel=0.3)


@pytest.mark.parametrize(
    ("found", "expected", "equal"),
    [
        ([1.0, 2.0], [1.0, 2.0015], True),  # within 1e-3 of the largest, 2
        ([1.0, 2.0], [1.0, 2.003], False),
        ([1e-4], [0.0], True),  # small numbers: within 1e-3 of 1
        ([float("nan")], [0.0], False),
        ([1, 2], [1, 3], False),  # whole numbers exactly
        ([1.0], [1.0, 1.0], False),
    ],
)
def test_what_counts_as_an_equal_answer(found, expected, equal):
    reason = disagreement({"x": np.array(found)}, {"x": np.array(expected)}, 1e-3)
    assert (reason is None) == equal


def test_answers_of_another_name_are_no_answers():
    assert "other answers" in disagreement({"y": np.zeros(1)}, {"x": np.zeros(1)}, 1e-3)
