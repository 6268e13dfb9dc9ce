"""From the start of Python to the first prediction: import, load a model of base size, predict one sentence.

Every round is a new process. The round that is not counted brings the files into the page cache.
"""

import json
import subprocess
import sys
import time

import numpy as np

from benchmarks import inputs
from benchmarks.contestant import ROOT, ContestantError, Entry, Result, environment
from benchmarks.rows import KERAS_BERT, make_row, split_by_form
from benchmarks.runner import TOLERANCES, find_difference
from benchmarks.workloads.text_to_probabilities import PREDICTOR, SAVED_MODEL, WITH_OPENVINO, prepare_task

ENTRIES = [
    *(Entry(KERAS_BERT, "cold", form=form) for form in (SAVED_MODEL, PREDICTOR, WITH_OPENVINO)),
    *(Entry(peer, "cold") for peer in ("TF-Hub interface", "Hugging Face", "ONNX Runtime", "OpenVINO")),
]
PARTS = ("total", "import", "load", "predict")


def measure(bench):
    """Yield a row for the whole and one for each part, by form of keras_bert."""
    config = bench.size(inputs.BASE)
    task = {**prepare_task(bench, "base", config), "text": bench.texts.dev[0]}
    results = [Result(entry) for entry in ENTRIES]
    reference = None
    for number in range(-1, min(2, bench.rounds)):
        for result in results:
            if result.error is not None:
                continue
            try:
                found = start_process({**task, "peer": result.entry.peer, "form": result.entry.form})
            except ContestantError as error:
                result.error = str(error)
                continue
            outputs = {"probabilities": found.pop("probabilities")}
            reference = reference or outputs
            result.error = find_difference(outputs, reference, TOLERANCES["float32"])
            result.memory_mib = found.pop("peak_mib")
            for part, seconds in found.items():
                if number >= 0:
                    result.seconds.setdefault(part, []).append(seconds)
    bench.record(results)
    for form, measured in split_by_form(results):
        for part in PARTS:
            yield make_row(
                f"cold start, base, {form}: {part}",
                measured,
                case=part,
                unit="s",
                notes=["new processes, two rounds each; the total includes the start of Python"],
            )


def start_process(task: dict) -> dict:
    """Run one new process.

    Returns:
        The seconds of each part and in total, `probabilities`, and `peak_mib`.
    """
    command = [sys.executable, "-W", "ignore", "-m", "benchmarks.contestants.cold"]
    start = time.perf_counter()
    done = subprocess.run(
        command, input=json.dumps(task), cwd=ROOT, env=environment(), capture_output=True, text=True, timeout=240
    )
    total = time.perf_counter() - start
    if done.returncode:
        raise ContestantError((done.stderr.strip().splitlines() or ["no message"])[-1][:300])
    found = json.loads(done.stdout.splitlines()[-1])
    return {**found, "total": total, "probabilities": np.array(found["probabilities"])}
