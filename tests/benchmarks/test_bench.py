"""Selection of forms by the results of the last run."""

import io

import numpy
import pytest
from rich.console import Console

from benchmarks.bench import Bench, fastest_forms
from benchmarks.contestant import Entry
from benchmarks.run import same_machine

ENTRIES = [
    Entry("keras_bert", "keras_bert"),
    Entry("peer", "peer", form="eager"),
    Entry("peer", "peer", form="compile"),
]


def make_bench(tmp_path, fastest):
    return Bench(tmp_path, None, False, 3, 0.5, Console(file=io.StringIO()), fastest)


def test_fastest_forms(tmp_path):
    failed = {"form": "", "error": "broken"}
    rows = [
        {"precision": "float32", "peers": {"peer": {"form": "eager", "value": 1.0}, "failed": failed}},
        {"precision": "bfloat16", "peers": {"peer": {"form": "compile", "value": 1.0}}},
    ]
    bench = make_bench(tmp_path, fastest_forms({"workloads": {"forward": rows}}))
    assert bench.entries("forward", ENTRIES) == ENTRIES[:2]
    assert bench.entries("finetuning", ENTRIES) == ENTRIES  # not in the results
    assert bench.entries("forward", [Entry("failed", "failed")])  # an excluded peer is measured again


@pytest.mark.parametrize("change", [{"cpus": 1000}, {"cpu": "another"}, {"versions": {"numpy": "0.0.1"}}])
def test_same_machine(monkeypatch, change):
    monkeypatch.setattr("benchmarks.run.cpu_name", lambda: "this")
    monkeypatch.setattr("benchmarks.run.available_cpus", lambda: 2)
    machine = {"cpus": 2, "cpu": "this", "versions": {"numpy": numpy.__version__}}
    assert same_machine(machine) and not same_machine({**machine, **change})
