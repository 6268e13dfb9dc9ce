"""The command with installed peers, at a tiny size."""

import json
import subprocess
import sys

import pytest

from benchmarks.run import RESULTS, ROOT
from tests.processes import LIMIT


@pytest.mark.peers
@pytest.mark.timeout(LIMIT)
def test_quick_run_of_forward():
    command = [sys.executable, "-m", "benchmarks.run", "--quick", "--only", "forward"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-2000:]
    rows = json.loads((RESULTS / "quick.json").read_text())["workloads"]["forward"]
    rows = [row for row in rows if ", in " not in row["workload"]]  # the others need runtimes, which are optional
    assert {row["precision"] for row in rows} == {"float32", "bfloat16"}
    for row in rows:
        assert "value" in row["keras_bert"], row["notes"]
        assert row["ratio"] > 0 and row["best_peer"] in row["peers"]
