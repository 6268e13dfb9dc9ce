"""The process of a contestant: reads one command per line as JSON, replies with one line of JSON.

    prepare   build the contestant for a task; compiling belongs here
    check     write its outputs to an .npz file, which are compared before anything is timed
    round     repeat a case until the time is over; reply with the seconds per repetition
    memory    reply with the peak memory since the first timed round, and the versions of the libraries

A contestant is an object with two methods: `outputs()` returns a dict of arrays, and `run(case, number)` performs one
repetition of a case in round `number`. If `run` performs only a fraction of a repetition, it returns the fraction. A
contestant whose memory is not that of the process (on a GPU) also has `peak_mib()`.
"""

import ctypes
import gc
import importlib.metadata
import json
import os
import signal
import sys
import time
import traceback
from collections.abc import Callable
from pathlib import Path

import numpy as np

# As keras_bert.constants.INPUT_KEYS; that import would load keras_bert into the processes of its peers.
INPUT_KEYS = ("input_word_ids", "input_mask", "input_type_ids")
PR_SET_PDEATHSIG = 1
TRAINING = ("pretraining", "finetuning", "fit")
LIBRARIES = (
    "tensorflow",
    "keras",
    "keras_hub",
    "jax",
    "torch",
    "transformers",
    "onnxruntime",
    "openvino",
    "tokenizers",
    "tensorflow_text",
)


def keras_policy(task: dict) -> str:
    """Return the dtype policy of a task: in training, weights stay in float32; otherwise they are cast once."""
    if task["precision"] == "float32":
        return "float32"
    return "mixed_bfloat16" if task["workload"] in TRAINING else "bfloat16"


def serve(workloads: dict[str, Callable]) -> None:
    """Execute commands until standard input ends.

    Args:
        workloads: by name a function of the task that returns a contestant.
    """
    if sys.platform == "linux":  # a paused process would survive a parent that was killed
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent handles Ctrl-C
    replies = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # what libraries print goes to the log
    contestant, is_warm = None, False
    for line in sys.stdin:
        request = json.loads(line)
        try:
            if request["command"] == "prepare":
                contestant, is_warm = None, False  # frees the memory of the last task
                gc.collect()
                contestant = workloads[request["task"]["workload"]](request["task"])
                reply = {"notes": getattr(contestant, "notes", [])}
            elif request["command"] == "check":
                np.savez(request["path"], **{name: to_plain(value) for name, value in contestant.outputs().items()})
                reply = {}
            elif request["command"] == "round":
                if request["number"] >= 0 and not is_warm:
                    reset_peak()
                    is_warm = True
                reply = time_round(contestant, request["case"], request["number"], request["seconds"])
            else:
                reply = {"peak_mib": getattr(contestant, "peak_mib", peak_mib)(), "versions": versions()}
        except Exception as error:  # any error of a library excludes this contestant and no other
            traceback.print_exc()
            reply = {"error": f"{type(error).__name__}: {error}".splitlines()[0][:300]}
        print(json.dumps(reply), file=replies, flush=True)


def time_round(contestant, case: str, number: int, seconds: float) -> dict:
    """Measure the seconds per repetition, over as many repetitions as fill `seconds`."""
    repetitions, elapsed, start = 0.0, 0.0, time.perf_counter()
    while not repetitions or elapsed < seconds:
        fraction = contestant.run(case, number)
        repetitions += 1 if fraction is None else fraction
        elapsed = time.perf_counter() - start
    return {"seconds": elapsed / repetitions}


def to_plain(value) -> np.ndarray:
    """Convert bfloat16 to float32: NumPy files have no bfloat16."""
    value = np.asarray(value)
    return value.astype(np.float32) if value.dtype.kind == "V" else value


def reset_peak() -> None:
    """Reset Linux's record of the peak memory, so that compiling is not counted."""
    try:
        Path("/proc/self/clear_refs").write_text("5")
    except OSError:
        pass  # then the peak is that of the whole process


def peak_mib() -> float:
    """Return the largest resident size since `reset_peak`, in MiB; elsewhere than on Linux, that of the process."""
    try:
        status = Path("/proc/self/status").read_text()
    except OSError:
        from keras_bert.system import peak_memory_mib

        return peak_memory_mib()
    return int(status.split("VmHWM:")[1].split()[0]) / 1024


def versions() -> dict[str, str]:
    """Return the versions of the libraries that this process has loaded."""
    loaded = {name.split(".")[0] for name, module in sys.modules.items() if module is not None}
    return {name: importlib.metadata.version(name) for name in LIBRARIES if name in loaded}
