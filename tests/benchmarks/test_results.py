"""The committed results have the keys that the readers expect."""

import json

import pytest

from benchmarks.bench import fastest_forms
from benchmarks.run import ON_REQUEST, RESULTS, WORKLOADS
from benchmarks.tables import format_row

RESULT = json.loads((RESULTS / "latest.json").read_text(encoding="utf-8"))


def test_workloads_and_forms():
    assert set(RESULT["workloads"]) == {"peak", *WORKLOADS, *ON_REQUEST}
    assert ("pretraining", "KerasHub", "float32") in fastest_forms(RESULT)


@pytest.mark.parametrize("workload", RESULT["workloads"])
def test_rows(workload):
    for row in RESULT["workloads"][workload]:
        assert row["date"][:2] == "20" and row["notes"] is not None and row["peers"]
        assert (row["keras_bert"] is None) == (workload == "peak")
        assert row["workload"] in format_row(row)
        if row["ratio"]:
            seconds = row["peers"][row["best_peer"]]["seconds"]
            assert row["ratio"] == pytest.approx(seconds / row["keras_bert"]["seconds"])
            assert seconds == min(each["seconds"] for each in row["peers"].values() if "seconds" in each)
