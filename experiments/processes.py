"""Compare losses on 1, 2 and 4 devices and in 1, 2 and 4 processes, on JAX; writes its table into docs/scale.md.

    python -m experiments.processes          # minutes; also --only 2-processes
    python -m experiments.processes --only   # measure nothing, only write the page

All processes run on this computer. The results are stored in experiments/results/processes.json. The program of one
process is experiments/process_program.py.
"""

import argparse
import json
import os
import socket
import subprocess
import sys
from pathlib import Path

from keras_bert.files import atomic_write

ROOT = Path(__file__).resolve().parent.parent
RESULTS = ROOT / "experiments" / "results" / "processes.json"
# What differs: the number of processes, and the options of the program.
SETUPS = {
    "1-device": (1, ()),
    "2-devices": (1, ("--devices", "2")),
    "4-devices": (1, ("--devices", "4")),
    "2x2-devices": (1, ("--devices", "4", "--model-axis", "2")),
    "2-processes": (2, ()),
    "4-processes": (4, ()),
    "2-processes-of-2-devices": (2, ("--devices", "2")),
    "2x2-processes": (4, ("--model-axis", "2")),
}


def main() -> None:
    """Measure, print the losses, and write the page."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", nargs="*", choices=list(SETUPS), default=list(SETUPS))
    results = json.loads(RESULTS.read_text(encoding="utf-8")) if RESULTS.exists() else {}
    for name in parser.parse_args().only:
        processes, options = SETUPS[name]
        results[name] = losses(processes, "--finetune", *options)
        print(name, json.dumps(results[name]), flush=True)
        with atomic_write(RESULTS) as draft:
            draft.write_text(json.dumps({key: results[key] for key in SETUPS if key in results}) + "\n")
    from experiments import scale  # here, because it reads the results

    scale.write_page()


def losses(processes: int, *options: str) -> dict[str, list[float]]:
    """Return the losses that the program prints: all processes must print the same numbers."""
    ended = [each.communicate() + (each.returncode,) for each in start(processes, *options)]
    for _, errors, status in ended:
        assert status == 0, errors[-4000:]
    first, *others = [json.loads(output.splitlines()[-1]) for output, _, _ in ended]
    assert all(each == first for each in others)
    return {f"{run} {name}": values for run, each in first.items() for name, values in each.items() if "loss" in name}


def start(processes: int, *options: str) -> list[subprocess.Popen]:
    """Start the program in several processes, which find each other on a free port."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "experiments.process_program", "--processes", str(processes), "--port", str(port)]
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    return [
        subprocess.Popen([*command, "--process", str(index), *options], cwd=ROOT, env=environment, **pipes)
        for index in range(processes)
    ]


if __name__ == "__main__":
    main()
