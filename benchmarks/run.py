"""Ours and the peers side by side: one command, one table, `benchmarks/results/latest.json`.

    python -m benchmarks.run                       # all races
    python -m benchmarks.run --only pretraining    # the limit is measured with it
    python -m benchmarks.run --only ablation       # on request alone: our own step with each lever off
    python -m benchmarks.run --quick               # tiny sizes: does everything run?
    python -m benchmarks.run --all-forms           # eager and compiled: whichever is faster counts

Every contestant is a process; they take turns on the same work, and only those whose answers agree are timed. On the
machine and with the versions of the run before, a peer comes in the forms alone that won a row there.
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

from benchmarks.bench import Bench, winners
from benchmarks.tables import line, show

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
ROOT = Path(__file__).resolve().parent.parent
RESULTS = ROOT / "benchmarks" / "results"
WORKS = (
    "pretraining",
    "finetuning",
    "text_to_probabilities",
    "forward",
    "tokenising",
    "pipeline",
    "growth",
    "cold_start",
)


ON_REQUEST = ("ablation",)  # no race with peers; docs/performance.md has it


def find_data(given: str | None) -> Path | None:
    """The folder with real data: as given, `$KERAS_BERT_DATA`, or `shared` beside the checkout."""
    for place in (given, os.environ.get("KERAS_BERT_DATA"), ROOT.parent / "shared"):
        if place and (Path(place) / "data").is_dir():
            return Path(place).resolve()
    return None


def main() -> None:
    """Measure, print, write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "--only",
        nargs="+",
        choices=(*WORKS, *ON_REQUEST),
        default=WORKS,
        metavar="NAME",
        help=", ".join((*WORKS, *ON_REQUEST)),
    )
    parser.add_argument("--quick", action="store_true", help="tiny sizes, two rounds; writes results/quick.json")
    parser.add_argument("--all-forms", action="store_true", help="race the forms of peers too that lost last time")
    parser.add_argument("--data", help="folder with data/SST-2 and data/vocab; $KERAS_BERT_DATA by default")
    parser.add_argument("--rounds", type=int, default=4, help="turns of each contestant (4)")
    parser.add_argument("--seconds", type=float, default=0.5, help="the least that a turn lasts (0.5)")
    arguments = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda number, frame: sys.exit(128 + number))  # contestants are ended on the way out
    rounds, seconds = (2, 0.02) if arguments.quick else (arguments.rounds, arguments.seconds)
    console, begun = Console(), time.perf_counter()
    if not console.is_terminal:  # a file has room for the whole table
        console = Console(width=160)
    target = RESULTS / ("quick.json" if arguments.quick else "latest.json")
    rows: dict[str, list[dict]] = {}
    known: dict[tuple, set[str]] = {}
    if target.exists() and not arguments.quick:  # works not measured now stay as they are
        before = json.loads(target.read_text(encoding="utf-8"))
        rows = before["works"]
        known = winners(before) if same_machine(before["machine"]) and not arguments.all_forms else {}
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        bench = Bench(Path(folder), find_data(arguments.data), arguments.quick, rounds, seconds, console, known)
        for name in ("peak", *arguments.only):
            started = time.perf_counter()
            console.rule(name)
            rows[name] = []
            try:
                for row in importlib.import_module(f"benchmarks.workloads.{name}").measure(bench):
                    rows[name].append({**row, "when": now()})
                    console.print(line(row), markup=False, highlight=False)
            except Exception:  # one work that fails must not cost the others
                console.print(f"{name} ended early:", style="red")
                console.print(traceback.format_exc(), markup=False)
            bench.say(f"{name}: {time.perf_counter() - started:.0f} s")
            write(target, rows, bench, time.perf_counter() - begun)
    measured = ("peak", *arguments.only)
    console.rule("all")
    show(console, [row for name in measured for row in rows[name]])
    console.print(f"{(time.perf_counter() - begun) / 60:.1f} minutes; written: {target.relative_to(ROOT)}")


def write(target: Path, rows: dict, bench: Bench, seconds: float) -> None:
    """The results so far, with what they were measured on."""
    machine = {
        "cpus": len(os.sched_getaffinity(0)),
        "cpu": cpu_name(),
        "load_average": round(os.getloadavg()[0], 1),
        "python": platform.python_version(),
        "versions": dict(sorted(bench.versions.items())),
    }
    found = {
        "when": now(),
        "minutes": round(seconds / 60, 1),
        "machine": machine,
        "rounds": bench.rounds,
        "limit_flops_per_second": bench.peaks,
        "works": rows,
    }
    target.parent.mkdir(exist_ok=True)
    draft = target.with_suffix(".part")
    draft.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
    draft.replace(target)


def same_machine(machine: dict) -> bool:
    """Whether this is the processor and these are the versions that an earlier run met."""

    def version(name: str) -> str | None:
        with contextlib.suppress(importlib.metadata.PackageNotFoundError):
            return importlib.metadata.version(name)

    same = (machine["cpus"], machine["cpu"]) == (len(os.sched_getaffinity(0)), cpu_name())
    return same and all(version(name) == found for name, found in machine["versions"].items())


def now() -> str:
    """The date and minute, in UTC."""
    return datetime.datetime.now(datetime.UTC).isoformat(timespec="minutes")


def cpu_name() -> str:
    """The processor, as Linux names it."""
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor()
    return next((line.split(":")[1].strip() for line in lines if line.startswith("model name")), platform.processor())


if __name__ == "__main__":
    main()
