"""The race on a GPU: its choices with invented times, its reading of XLA's programs, and all of it at toy size."""

import json
import subprocess
import sys
import time

import pytest
from rich.console import Console

from benchmarks.accelerator import contest
from benchmarks.accelerator.contest import Contest
from benchmarks.accelerator.hlo import Timeline, operations
from benchmarks.accelerator.sizes import BASE, TOY, Size
from benchmarks.race import ROOT, Result

SIZE = Size(
    config=TOY.config,
    product=8,
    unit=128,
    batch_sizes={16: (4, 8, 2)},
    positions={16: 4},
    forms={"ours": ("plain", "quick"), "Hugging Face": ("eager",)},
    check=(2, 16),
    learning_rate=1e-3,
)


class InventedRace:
    """Contestants that need no process: seconds by (form, batch), errors by (form, precision)."""

    seconds = {("plain", 4): 4.0, ("quick", 4): 2.0, ("quick", 8): 1.0, ("quick", 2): 3.0}
    errors: dict = {}
    asked: list = []

    def __init__(self, entries, side=2, settings=None):
        self.entries = entries

    def __enter__(self):
        return self

    def __exit__(self, *error):
        pass

    def run(self, task, cases, seconds):
        results = []
        for entry in self.entries:
            batch = task["batch_sizes"][entry.form]
            self.asked.append((entry.form, batch, task["dropout"], entry.precision, tuple(cases)))
            error = self.errors.get((entry.form, entry.precision)) if task["check_steps"] else None
            taken = self.seconds.get((entry.form, batch), 2.0)
            results.append(Result(entry, {} if error else {case: [taken] for case in cases}, error=error))
        return results, None


@pytest.fixture
def invented(monkeypatch, tmp_path):
    monkeypatch.setattr(contest, "Race", InventedRace)
    monkeypatch.setattr(InventedRace, "asked", [])
    found = Contest(tmp_path, SIZE, rounds=3, seconds=0.0, console=Console(quiet=True))
    found.peak = 1e9
    return found


def test_the_fastest_form_and_batch_of_each_race_after_their_answers_were_compared(invented):
    row = invented.measure(16, time.monotonic() + 60, None)
    assert [each[:2] for each in InventedRace.asked[:4]] == [("plain", 4), ("quick", 4), ("quick", 8), ("quick", 2)]
    compared = [("quick", 2, 0.0, "float32", ()), ("eager", 2, 0.0, "float32", ())]
    compared += [(form, batch, rate, "bfloat16", cases) for form, batch, rate, _, cases in compared]
    raced = [("quick", 8, 0.1, "bfloat16", ("step",)), ("eager", 4, 0.1, "bfloat16", ("step",))]
    assert InventedRace.asked[-6:] == compared + raced
    assert row["ours"]["form"] == "quick" and row["ours"]["value"] == pytest.approx(128)  # 128 tokens in 1 s
    assert row["ratio"] == pytest.approx(2.0)


def test_without_time_each_form_is_tried_once_and_nothing_is_compared_twice(invented):
    for _ in range(2):
        InventedRace.asked.clear()
        invented.measure(16, time.monotonic(), None)
    tried = [("plain", 4), ("eager", 4)]
    assert [each[:2] for each in InventedRace.asked] == tried * 2  # once alone, once in the race


def test_who_answers_otherwise_does_not_race(invented, monkeypatch):
    monkeypatch.setattr(InventedRace, "errors", {("eager", "float32"): "losses: off by 1"})
    row = invented.measure(16, time.monotonic() + 60, None)
    assert row["ratio"] is None and row["share_of_limit"] > 0
    assert "Hugging Face is out: losses: off by 1" in row["notes"]
    assert InventedRace.asked[-1][:3] == ("quick", 8, 0.1)


def test_all_batches_fill_a_unit():
    for size in (BASE, TOY):
        assert set(size.batch_sizes) == set(size.positions)
        for length, batch_sizes in size.batch_sizes.items():
            assert all(size.unit % (length * batch) == 0 for batch in batch_sizes)


def test_launches_and_products_are_read_off_a_program():
    text = """HloModule jit_step, is_scheduled=true

%fused (p: bf16[4,8]) -> bf16[4,4] {
  %p = bf16[4,8]{1,0} parameter(0)
  ROOT %dot.1 = bf16[4,4]{1,0} dot(%p, %p), lhs_contracting_dims={1}
}

ENTRY %main (s: f32[8,8], x: bf16[4,8]) -> (f32[8,8], bf16[4,4]) {
  %s = f32[8,8]{1,0} parameter(0)
  %x = bf16[4,8]{1,0} parameter(1)
  %f.2 = bf16[4,4]{1,0} fusion(%x), kind=kOutput, calls=%fused
  %call = (f32[8,8]{1,0}, s8[64]{0}) custom-call(%s, %s), custom_call_target="__cublas$gemm"
  %part = f32[8,8]{1,0} get-tuple-element(%call), index=0
  ROOT %out = (f32[8,8]{1,0}, bf16[4,4]{1,0}) tuple(%part, %f.2)
}
"""
    launches, products = operations(text)
    assert launches == {"fusion": 1, "__cublas$gemm": 1}
    assert products == {"dot bf16": 1, "__cublas$gemm f32": 1}


def test_a_timeline_adds_up_what_the_device_ran():
    found = Timeline()
    names = [("process_name", 1, "/device:GPU:0"), ("process_name", 2, "/host:CPU")]
    found.events = [{"name": name, "ph": "M", "pid": pid, "args": {"name": said}} for name, pid, said in names]
    for pid, operation, microseconds in [(1, "gemm.1", 2000), (1, "gemm.2", 1000), (1, "add.3", 500), (2, "x.1", 9000)]:
        found.events.append({"ph": "X", "pid": pid, "dur": microseconds, "args": {"hlo_op": operation}})
    lines = [" ".join(line.split()) for line in str(found).splitlines()]
    assert lines == ["3.500 ms in all", "3.000 ms 2 x gemm", "0.500 ms 1 x add"]


@pytest.mark.peers
@pytest.mark.timeout(600)
def test_a_toy_races_on_a_cpu(tmp_path):
    out, profiles = tmp_path / "rows.json", tmp_path / "profiles"
    command = [sys.executable, "-m", "benchmarks.accelerator.pretraining", "--quick"]
    done = subprocess.run(
        [*command, "--out", str(out), "--profile", str(profiles)], cwd=ROOT, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr[-2000:]
    found = json.loads(out.read_text())
    row = found["rows"]["16"]
    assert "value" in row["ours"], row["notes"]
    assert row["best_peer"] == "Hugging Face" and row["ratio"] > 0, row["notes"]
    assert row["share_of_limit"] > 0 and row["limit"] == found["limit_flops_per_second"]
    assert row["ours"]["memory_mib"] is None  # JAX does not count a CPU's
    assert "losses of 3 steps compared" in done.stdout and "is out" not in done.stdout

    said = dict(line.split(": ", 1) for line in (profiles / "ours-16.txt").read_text().splitlines() if ": " in line)
    assert said["programs compiled in 3 steps"] == "1"
    donated, arguments = (float(said[f"{name}, MiB"]) for name in ("of them reused for results (donated)", "arguments"))
    assert donated == pytest.approx(arguments, abs=0.1)  # all but the batch
    assert "AdamW" in (profiles / "hugging-face-16.txt").read_text()
