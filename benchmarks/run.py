"""Measure keras_bert beside its peers: one command, one table, `benchmarks/results/latest.json`.

    python -m benchmarks.run                       # all workloads
    python -m benchmarks.run --only pretraining    # the peak is always measured too
    python -m benchmarks.run --only ablation       # not in the default list: the training step without each kernel
    python -m benchmarks.run --quick               # tiny sizes, to test that everything runs
    python -m benchmarks.run --all-forms           # also forms (eager, compiled) that were slower in the last run

Every contestant is a process. The contestants run alternately on the same work; only contestants with equal outputs are
timed. On the same processor with the same versions as the last run, peers are measured only in the forms that were the
fastest of a row. Workloads that are not measured keep their rows.
"""

import argparse
import contextlib
import datetime
import importlib
import importlib.metadata
import json
import os
import platform
import signal
import sys
import tempfile
import time
import traceback
from pathlib import Path

from rich.console import Console

from benchmarks.bench import Bench, fastest_forms
from benchmarks.tables import format_row, print_table
from keras_bert.system import available_cpus

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
ROOT = Path(__file__).resolve().parent.parent
RESULTS = ROOT / "benchmarks" / "results"
WORKLOADS = (
    "pretraining",
    "finetuning",
    "fit",
    "text_to_probabilities",
    "forward",
    "tokenization",
    "pipeline",
    "scaling",
    "cold_start",
)
ON_REQUEST = ("ablation",)  # no comparison with peers; its table is in docs/performance.md


def find_data(folder: str | None) -> Path | None:
    """Find the folder with real data: the given one, `$KERAS_BERT_DATA`, or `shared` beside the repository."""
    for candidate in (folder, os.environ.get("KERAS_BERT_DATA"), ROOT.parent / "shared"):
        if candidate and (Path(candidate) / "data").is_dir():
            return Path(candidate).resolve()
    return None


def main() -> None:
    """Measure, print, and write the results."""
    names = (*WORKLOADS, *ON_REQUEST)
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "--only", nargs="+", choices=names, default=WORKLOADS, metavar="WORKLOAD", help=", ".join(names)
    )
    parser.add_argument("--quick", action="store_true", help="tiny sizes, two rounds; writes results/quick.json")
    parser.add_argument("--all-forms", action="store_true", help="also measure forms that were slower last time")
    parser.add_argument("--data", help="folder with data/SST-2 and data/vocab; by default $KERAS_BERT_DATA")
    parser.add_argument("--rounds", type=int, default=4, help="timed rounds per contestant (4)")
    parser.add_argument("--seconds", type=float, default=0.5, help="minimum duration of a round (0.5)")
    arguments = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda number, frame: sys.exit(128 + number))  # exiting ends the contestants
    rounds, seconds = (2, 0.02) if arguments.quick else (arguments.rounds, arguments.seconds)
    console, start = Console(), time.perf_counter()
    if not console.is_terminal:
        console = Console(width=160)  # the whole table, where the output is a file
    target = RESULTS / ("quick.json" if arguments.quick else "latest.json")
    rows: dict[str, list[dict]] = {}
    fastest: dict[tuple, set[str]] = {}
    if target.exists() and not arguments.quick:
        last = json.loads(target.read_text(encoding="utf-8"))
        rows = last["workloads"]
        fastest = fastest_forms(last) if same_machine(last["machine"]) and not arguments.all_forms else {}
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        data = find_data(arguments.data)
        bench = Bench(Path(folder), data, arguments.quick, rounds, seconds, console, fastest)
        for name in ("peak", *arguments.only):
            workload_start = time.perf_counter()
            console.rule(name)
            rows[name] = []
            try:
                for row in importlib.import_module(f"benchmarks.workloads.{name}").measure(bench):
                    rows[name].append({**row, "date": now()})
                    console.print(format_row(row), markup=False, highlight=False)
            except Exception:  # an error in one workload must not prevent the others
                console.print(f"{name} stopped with an error:", style="red")
                console.print(traceback.format_exc(), markup=False)
            bench.log(f"{name}: {time.perf_counter() - workload_start:.0f} s")
            write_results(target, rows, bench, time.perf_counter() - start)
    console.rule("all")
    print_table(console, [row for name in ("peak", *arguments.only) for row in rows[name]])
    console.print(f"{(time.perf_counter() - start) / 60:.1f} minutes; written: {target.relative_to(ROOT)}")


def write_results(target: Path, rows: dict, bench: Bench, seconds: float) -> None:
    """Write all rows, and the machine that they were measured on."""
    machine = {
        "cpus": available_cpus(),
        "cpu": cpu_name(),
        "load_average": round(os.getloadavg()[0], 1),
        "python": platform.python_version(),
        "versions": dict(sorted(bench.versions.items())),
    }
    results = {
        "date": now(),
        "minutes": round(seconds / 60, 1),
        "machine": machine,
        "rounds": bench.rounds,
        "peak_flops_per_second": bench.peaks,
        "workloads": rows,
    }
    write_json(target, results)


def write_json(target: Path, results: dict) -> None:
    """Write a results file, which appears when it is complete."""
    target.parent.mkdir(parents=True, exist_ok=True)
    draft = target.with_suffix(".part")
    draft.write_text(json.dumps(results, indent=1) + "\n", encoding="utf-8")
    draft.replace(target)


def same_machine(machine: dict) -> bool:
    """Return whether an earlier run had this processor and these versions."""

    def version(name: str) -> str | None:
        with contextlib.suppress(importlib.metadata.PackageNotFoundError):
            return importlib.metadata.version(name)

    same = (machine["cpus"], machine["cpu"]) == (available_cpus(), cpu_name())
    return same and all(version(name) == found for name, found in machine["versions"].items())


def now() -> str:
    """Return the date and the minute in UTC."""
    return datetime.datetime.now(datetime.UTC).isoformat(timespec="minutes")


def cpu_name() -> str:
    """Return the name of the processor."""
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor()
    return next((line.split(":")[1].strip() for line in lines if line.startswith("model name")), platform.processor())


if __name__ == "__main__":
    main()
