"""From nothing to the first answer: start Python, import, load the model, answer one sentence; base size.

Every turn is a fresh process; files are in the page cache after the turn that is not counted.
"""

import json
import subprocess
import sys
import time

import numpy as np

from benchmarks import inputs
from benchmarks.race import ROOT, Entry, OutOfRace, Result, disagreement, environment
from benchmarks.rows import row
from benchmarks.workloads.text_to_probabilities import prepared

KINDS = {
    "ours": "float32",
    "TF-Hub interface": "tfhub",
    "Hugging Face": "exchange",
    "ONNX Runtime": "exchange",
    "OpenVINO": "exchange",
}
PARTS = ("total", "import", "load", "answer")


def measure(bench):
    config = bench.size(inputs.BASE)
    task = {**prepared(bench, "base", config), "text": bench.texts.dev[0]}
    results = {peer: Result(Entry(peer, "cold")) for peer in KINDS}
    reference = None
    for number in range(-1, min(2, bench.rounds)):
        for peer, result in results.items():
            if result.error is not None:
                continue
            try:
                found = start({**task, "peer": peer})
            except OutOfRace as reason:
                result.error = str(reason)
                continue
            answer = {"probabilities": found.pop("probabilities")}
            reference = reference or answer
            result.error = disagreement(answer, reference, 1e-3)
            result.memory_mib = found.pop("peak_mib")
            for part, seconds in found.items():
                if number >= 0:
                    result.seconds.setdefault(part, []).append(seconds)
    bench.collect(list(results.values()))
    for part in PARTS:
        yield row(
            f"cold start, base: {part}",
            list(results.values()),
            case=part,
            unit="s",
            notes=["fresh processes, two turns each; total has the start of Python too"],
        )


def start(task: dict) -> dict:
    """One fresh process: its seconds, its answer, its peak memory."""
    command = [sys.executable, "-W", "ignore", "-m", "benchmarks.contestants.cold"]
    begun = time.perf_counter()
    done = subprocess.run(
        command, input=json.dumps(task), cwd=ROOT, env=environment(), capture_output=True, text=True, timeout=240
    )
    total = time.perf_counter() - begun
    if done.returncode:
        raise OutOfRace((done.stderr.strip().splitlines() or ["it said nothing"])[-1][:300])
    found = json.loads(done.stdout.splitlines()[-1])
    found["total"] = total
    found["probabilities"] = np.array(found["probabilities"])
    return found
