"""Pretraining of BERT base on one NVIDIA GPU: ours on JAX beside Hugging Face on torch, in turns, in one run.

    python -m benchmarks.accelerator.pretraining                             # 128 and 512 tokens
    python -m benchmarks.accelerator.pretraining --lengths 128 --minutes 9
    python -m benchmarks.accelerator.pretraining --quick                     # a toy, in a minute; a CPU will do

Each contestant tries its forms and batch sizes by itself. The best of each must give equal answers: the losses of three
AdamW steps from the same weights without dropout, float32 and bfloat16. Then they race: whole steps, bfloat16, dropout
0.1, in turns.
"""

import argparse
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from rich.console import Console

from benchmarks.accelerator.contest import Contest
from benchmarks.accelerator.sizes import BASE, TOY
from benchmarks.run import RESULTS, cpu_name, now
from benchmarks.tables import line, show


def main() -> None:
    """Measure, print, write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--lengths", type=int, nargs="+", choices=(128, 512), default=(128, 512), metavar="T")
    parser.add_argument("--minutes", type=float, default=20, help="within which to end, about; 20")
    parser.add_argument("--rounds", type=int, default=5, help="turns of each contestant (5)")
    parser.add_argument("--seconds", type=float, default=2.0, help="the least that a turn lasts (2)")
    parser.add_argument("--profile", type=Path, metavar="FOLDER", help="write there, as text, where the time goes")
    parser.add_argument("--out", type=Path, default=RESULTS / "accelerator.json", help="where the rows are written")
    parser.add_argument("--quick", action="store_true", help="a toy size; does everything run?")
    arguments = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda number, frame: sys.exit(128 + number))  # contestants are ended on the way out
    size = TOY if arguments.quick else BASE
    rounds, seconds = (2, 0.01) if arguments.quick else (arguments.rounds, arguments.seconds)
    lengths = list(size.batch_sizes) if arguments.quick else arguments.lengths
    console, begun = Console(), time.monotonic()
    if not console.is_terminal:  # a file has room for the whole table
        console = Console(width=160)
    rows: dict[str, dict] = {}
    if arguments.out.exists():  # lengths not measured now stay as they are
        rows = json.loads(arguments.out.read_text(encoding="utf-8"))["rows"]
    with tempfile.TemporaryDirectory(prefix="accelerator-") as folder:
        contest = Contest(Path(folder), size, rounds, seconds, console)
        rows["limit"] = contest.limit()
        console.print(line(rows["limit"]), highlight=False)
        write(arguments.out, rows, contest, rounds)
        for number, length in enumerate(lengths):
            left = begun + 60 * arguments.minutes - time.monotonic()
            until = time.monotonic() + 0.4 * left / (len(lengths) - number)  # the rest: the comparison and the race
            rows[str(length)] = {**contest.measure(length, until, arguments.profile), "when": now()}
            console.print(line(rows[str(length)]), highlight=False)
            write(arguments.out, rows, contest, rounds)
    show(console, [rows["limit"], *(rows[str(length)] for length in lengths)])
    console.print(f"{(time.monotonic() - begun) / 60:.1f} minutes; written: {arguments.out}", highlight=False)


def write(target: Path, rows: dict[str, dict], contest: Contest, rounds: int) -> None:
    """The rows so far, with what they were measured on."""
    found = {
        "when": now(),
        "machine": {"gpu": gpu_name(), "cpus": len(os.sched_getaffinity(0)), "cpu": cpu_name()},
        "versions": dict(sorted(contest.versions.items())),
        "rounds": rounds,
        "limit_flops_per_second": contest.peak,
        "rows": rows,
    }
    target.parent.mkdir(parents=True, exist_ok=True)
    draft = target.with_suffix(".part")
    draft.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
    draft.replace(target)


def gpu_name() -> str | None:
    """As the driver names it; None where there is no driver."""
    if not shutil.which("nvidia-smi"):
        return None
    asked = ["nvidia-smi", "--query-gpu=name,memory.total,driver_version", "--format=csv,noheader"]
    return subprocess.run(asked, capture_output=True, text=True).stdout.strip() or None


if __name__ == "__main__":
    main()
