"""The GPU benchmark: choice of form and batch size with invented times, reading of XLA's programs, a tiny run."""

import json
import subprocess
import sys
import time

import pytest
from rich.console import Console

from benchmarks.accelerator import comparison
from benchmarks.accelerator.comparison import Comparison
from benchmarks.accelerator.hlo import Timeline, count_operations
from benchmarks.accelerator.sizes import BASE, TINY, Size
from benchmarks.contestant import ROOT, Result
from tests.processes import LIMIT

SIZE = Size(
    config=TINY.config,
    product=8,
    tokens=128,
    batch_sizes={16: (4, 8, 2)},
    positions={16: 4},
    forms={"keras_bert": ("plain", "quick"), "Hugging Face": ("eager",)},
    check=(2, 16),
    learning_rate=1e-3,
)


class FakeRunner:
    """A `Runner` without processes: seconds by (form, batch), errors by (form, precision)."""

    seconds = {("plain", 4): 4.0, ("quick", 4): 2.0, ("quick", 8): 1.0, ("quick", 2): 3.0}
    errors: dict = {}
    calls: list = []

    def __init__(self, entries, parallel=2, settings=None):
        self.entries = entries

    def __enter__(self):
        return self

    def __exit__(self, *error):
        pass

    def run(self, task, cases, seconds):
        results = []
        for entry in self.entries:
            batch = task["batch_sizes"][entry.form]
            self.calls.append((entry.form, batch, task["dropout"], entry.precision, tuple(cases)))
            error = self.errors.get((entry.form, entry.precision)) if task["check_steps"] else None
            measured = self.seconds.get((entry.form, batch), 2.0)
            results.append(Result(entry, {} if error else {case: [measured] for case in cases}, error=error))
        return results, None


@pytest.fixture
def fake(monkeypatch, tmp_path):
    monkeypatch.setattr(comparison, "Runner", FakeRunner)
    monkeypatch.setattr(FakeRunner, "calls", [])
    found = Comparison(tmp_path, SIZE, rounds=3, seconds=0.0, console=Console(quiet=True))
    found.peak = 1e9
    return found


def test_measures_best_form_and_batch(fake):
    row = fake.measure(16, time.monotonic() + 60, None)
    assert [each[:2] for each in FakeRunner.calls[:4]] == [("plain", 4), ("quick", 4), ("quick", 8), ("quick", 2)]
    checked = [("quick", 2, 0.0, "float32", ()), ("eager", 2, 0.0, "float32", ())]
    checked += [(form, batch, dropout, "bfloat16", cases) for form, batch, dropout, _, cases in checked]
    timed = [("quick", 8, 0.1, "bfloat16", ("step",)), ("eager", 4, 0.1, "bfloat16", ("step",))]
    assert FakeRunner.calls[-6:] == checked + timed
    assert row["keras_bert"]["form"] == "quick" and row["keras_bert"]["value"] == pytest.approx(128)  # 128 in 1 s
    assert row["ratio"] == pytest.approx(2.0)


def test_time_limit(fake):
    for _ in range(2):
        FakeRunner.calls.clear()
        fake.measure(16, time.monotonic(), None)
    tried = [("plain", 4), ("eager", 4)]
    assert [each[:2] for each in FakeRunner.calls] == tried * 2  # once alone, once timed; not checked again


def test_excludes_different_losses(fake, monkeypatch):
    monkeypatch.setattr(FakeRunner, "errors", {("eager", "float32"): "losses: largest difference 1"})
    row = fake.measure(16, time.monotonic() + 60, None)
    assert row["ratio"] is None and row["share_of_peak"] > 0
    assert "Hugging Face is excluded: losses: largest difference 1" in row["notes"]
    assert FakeRunner.calls[-1][:3] == ("quick", 8, 0.1)


def test_batches_divide_a_repetition():
    for size in (BASE, TINY):
        assert set(size.batch_sizes) == set(size.positions)
        for length, batch_sizes in size.batch_sizes.items():
            assert all(size.tokens % (length * batch) == 0 for batch in batch_sizes)


def test_count_operations():
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
    launches, products = count_operations(text)
    assert launches == {"fusion": 1, "__cublas$gemm": 1}
    assert products == {"dot bf16": 1, "__cublas$gemm f32": 1}


def test_timeline_adds_up_device_time():
    recorded = Timeline()
    names = [("process_name", 1, "/device:GPU:0"), ("process_name", 2, "/host:CPU")]
    recorded.events = [{"name": name, "ph": "M", "pid": pid, "args": {"name": device}} for name, pid, device in names]
    for pid, operation, microseconds in [(1, "gemm.1", 2000), (1, "gemm.2", 1000), (1, "add.3", 500), (2, "x.1", 9000)]:
        recorded.events.append({"ph": "X", "pid": pid, "dur": microseconds, "args": {"hlo_op": operation}})
    lines = [" ".join(line.split()) for line in str(recorded).splitlines()]
    assert lines == ["3.500 ms in total", "3.000 ms 2 x gemm", "0.500 ms 1 x add"]


@pytest.mark.peers
@pytest.mark.timeout(LIMIT)
def test_tiny_run_on_cpu(tmp_path):
    out, profiles = tmp_path / "rows.json", tmp_path / "profiles"
    command = [sys.executable, "-m", "benchmarks.accelerator.pretraining", "--quick"]
    done = subprocess.run(
        [*command, "--out", str(out), "--profile", str(profiles)], cwd=ROOT, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr[-2000:]
    results = json.loads(out.read_text())
    row = results["rows"]["16"]
    assert "value" in row["keras_bert"], row["notes"]
    assert row["best_peer"] == "Hugging Face" and row["ratio"] > 0, row["notes"]
    assert row["share_of_peak"] > 0 and row["peak"] == results["peak_flops_per_second"]
    assert row["keras_bert"]["memory_mib"] is None  # JAX does not report the memory of a CPU
    assert "losses of 3 steps compared" in done.stdout and "is excluded" not in done.stdout

    lines = (profiles / "keras_bert-16.txt").read_text().splitlines()
    facts = dict(line.split(": ", 1) for line in lines if ": " in line)
    assert facts["programs compiled in 3 steps"] == "1"
    donated, arguments = (float(facts[f"{name}, MiB"]) for name in ("donated arguments", "arguments"))
    assert donated == pytest.approx(arguments, abs=0.1)  # all but the batch
    assert "AdamW" in (profiles / "hugging-face-16.txt").read_text()
