"""What every contestant's process does: read a request a line, answer with a line.

    prepare   build the contestant for a task; compiling belongs here
    check     write its answers (.npz), to be compared before anything is timed
    round     repeat one unit of the work until the time is up; seconds a unit
    memory    the process's peak since it was prepared, and its libraries' versions

A contestant is an object with `answers()`, a dict of arrays, and `run(case, number)`, one unit of a case of the work in
round `number`, or a share of a unit, which is then what `run` returns; where its memory is not the process's, with
`peak_mib()` too.
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
from pathlib import Path

import numpy as np

PR_SET_PDEATHSIG = 1
TRAINING = ("pretraining", "finetuning")


def keras_policy(task: dict) -> str:
    """The dtype policy of a task: masters stay in float32 where something is trained, and where not are cast once."""
    if task["precision"] == "float32":
        return "float32"
    return "mixed_bfloat16" if task["work"] in TRAINING else "bfloat16"


def serve(works: dict) -> None:
    """Answer requests until standard input ends; `works` is name to a function of the task that gives a contestant."""
    if sys.platform == "linux":  # a stopped process would outlive a parent that was killed
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the parent's to handle
    answer = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # what libraries print goes to the log
    contestant, warm = None, False
    for line in sys.stdin:
        request = json.loads(line)
        try:
            if request["ask"] == "prepare":
                contestant, warm = None, False  # the one before is let go first
                gc.collect()
                contestant = works[request["task"]["work"]](request["task"])
                reply = {"notes": getattr(contestant, "notes", [])}
            elif request["ask"] == "check":
                np.savez(request["path"], **{name: plain(value) for name, value in contestant.answers().items()})
                reply = {}
            elif request["ask"] == "round":
                if request["number"] >= 0 and not warm:
                    forget_peak()
                    warm = True
                reply = timed(contestant, request["case"], request["number"], request["seconds"])
            else:
                reply = {"peak_mib": getattr(contestant, "peak_mib", peak_mib)(), "versions": versions()}
        except Exception as error:  # whatever a library raises ends this contestant's part, not the race
            traceback.print_exc()
            reply = {"error": f"{type(error).__name__}: {error}".splitlines()[0][:300]}
        print(json.dumps(reply), file=answer, flush=True)


def timed(contestant, case: str, number: int, seconds: float) -> dict:
    """Seconds a unit, over as many units as fill the time."""
    done, taken, begun = 0.0, 0.0, time.perf_counter()
    while not done or taken < seconds:
        share = contestant.run(case, number)
        done += 1 if share is None else share
        taken = time.perf_counter() - begun
    return {"seconds": taken / done}


def plain(value) -> np.ndarray:
    """An array that every process reads: bfloat16 has no place in a file of numpy's."""
    value = np.asarray(value)
    return value.astype(np.float32) if value.dtype.kind == "V" else value


def forget_peak() -> None:
    """Let Linux count the peak anew: what compiling took is not what the work takes."""
    try:
        Path("/proc/self/clear_refs").write_text("5")
    except OSError:
        pass  # then the peak is that of the whole life


def peak_mib() -> float:
    """The largest resident size since `forget_peak`."""
    status = Path("/proc/self/status").read_text()
    return int(status.split("VmHWM:")[1].split()[0]) / 1024


def versions() -> dict[str, str]:
    """Of the libraries that this process loaded."""
    loaded = {name.split(".")[0] for name in sys.modules}
    known = ("tensorflow", "keras", "keras_hub", "jax", "torch", "transformers", "onnxruntime", "openvino")
    names = [name for name in (*known, "tokenizers", "tensorflow_text") if name in loaded]
    return {name: importlib.metadata.version(name) for name in names}
