"""Progress on standard error: plain lines where it is no terminal."""

import io
import re

import pytest
from rich.console import Console

from keras_bert.inference import progress
from keras_bert.inference.progress import PlainProgress, show_progress


@pytest.fixture
def clock(monkeypatch):
    """A clock that the test advances."""
    now = [100.0]
    monkeypatch.setattr(progress.time, "monotonic", lambda: now[0])
    return now


def test_lines_are_15_seconds_apart(clock):
    file = io.StringIO()
    shown = PlainProgress(Console(file=file, width=20), "training", "steps", 1000, done=100)
    for step in range(101, 201):
        clock[0] += 1.0
        shown.update(step, "loss 0.5000")
    lines = file.getvalue().splitlines()
    assert len(lines) == 6  # 100 seconds; no line is wrapped
    assert lines[0] == "training  115 of 1,000 steps  loss 0.5000  1.0 steps/s  15 min left"
    assert lines[-1] == "training  190 of 1,000 steps  loss 0.5000  1.0 steps/s  14 min left"


def test_unknown_total(clock):
    file = io.StringIO()
    shown = PlainProgress(Console(file=file), "predicting", "texts", None)
    clock[0] += 20
    shown.update(40_000)
    assert file.getvalue() == "predicting  40,000 texts  2,000.0 texts/s\n"


@pytest.mark.parametrize("total", [None, 4])
def test_plain_lines_on_standard_error(clock, capfd, total):
    with show_progress("predicting", "texts", total) as advance:
        for _ in range(4):
            clock[0] += 20
            advance(1)
    shown = capfd.readouterr()
    assert shown.out == "" and len(shown.err.splitlines()) == 4
    assert all(re.match(r"predicting  \d (of 4 )?texts  0.1 texts/s", line) for line in shown.err.splitlines())


def test_nothing_is_shown(clock, capfd):
    with show_progress("predicting", "texts", 4, show=False) as advance:
        clock[0] += 20
        advance(1)
    assert capfd.readouterr().err == ""
