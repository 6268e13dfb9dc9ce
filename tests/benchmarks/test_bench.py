"""What a run knows from the one before: which forms of a peer need not race again."""

import io

import pytest
from rich.console import Console

from benchmarks.bench import Bench, winners
from benchmarks.race import Entry
from benchmarks.run import same_machine

ENTRIES = [Entry("ours", "ours"), Entry("peer", "peer", form="eager"), Entry("peer", "peer", form="compile")]


def made(tmp_path, known):
    return Bench(tmp_path, None, False, 3, 0.5, Console(file=io.StringIO()), known)


def standing(form, **facts):
    return {"form": form, **facts}


def test_the_forms_that_won_a_row_race_again(tmp_path):
    rows = [
        {"precision": "float32", "peers": {"peer": standing("eager", value=1.0), "lame": standing("", error="broken")}},
        {"precision": "bfloat16", "peers": {"peer": standing("compile", value=1.0)}},
    ]
    bench = made(tmp_path, winners({"works": {"forward": rows}}))
    assert bench.entries("forward", ENTRIES) == ENTRIES[:2]
    assert bench.entries("finetuning", ENTRIES) == ENTRIES  # nothing is known of it
    assert bench.entries("forward", [Entry("lame", "lame")])  # who was out may try again


@pytest.mark.parametrize("change", [{"cpus": 1000}, {"cpu": "another"}, {"versions": {"numpy": "0.0.1"}}])
def test_another_machine_or_version_knows_nothing(monkeypatch, change):
    import numpy

    monkeypatch.setattr("benchmarks.run.cpu_name", lambda: "this")
    monkeypatch.setattr("os.sched_getaffinity", lambda process: {0, 1})
    machine = {"cpus": 2, "cpu": "this", "versions": {"numpy": numpy.__version__}}
    assert same_machine(machine) and not same_machine({**machine, **change})
