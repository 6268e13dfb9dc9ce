"""Pretraining of BERT base on one NVIDIA GPU: keras_bert on JAX beside Hugging Face on PyTorch, in one run.

    python -m benchmarks.accelerator.pretraining                             # 128 and 512 tokens
    python -m benchmarks.accelerator.pretraining --lengths 128 --minutes 9
    python -m benchmarks.accelerator.pretraining --quick                     # a tiny size, in a minute; also on a CPU

Each contestant first tries its forms and batch sizes alone. The best of each must have equal outputs: the losses of
three AdamW steps from the same weights without dropout, in float32 and bfloat16. Then whole steps in bfloat16 with
dropout 0.1 are timed alternately.
"""

import argparse
import json
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from rich.console import Console

from benchmarks.accelerator.comparison import Comparison
from benchmarks.accelerator.sizes import BASE, TINY
from benchmarks.run import RESULTS, cpu_name, now, write_json
from benchmarks.tables import format_row, print_table
from keras_bert.system import available_cpus


def main() -> None:
    """Measure, print, and write the results."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--lengths", type=int, nargs="+", choices=(128, 512), default=(128, 512), metavar="T")
    parser.add_argument("--minutes", type=float, default=20, help="approximate duration of the run (20)")
    parser.add_argument("--rounds", type=int, default=5, help="timed rounds per contestant (5)")
    parser.add_argument("--seconds", type=float, default=2.0, help="minimum duration of a round (2)")
    parser.add_argument("--profile", type=Path, metavar="FOLDER", help="write profiles as text to this folder")
    parser.add_argument("--out", type=Path, default=RESULTS / "accelerator.json", help="results file")
    parser.add_argument("--quick", action="store_true", help="a tiny size, to test that everything runs")
    arguments = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda number, frame: sys.exit(128 + number))  # exiting ends the contestants
    size = TINY if arguments.quick else BASE
    rounds, seconds = (2, 0.01) if arguments.quick else (arguments.rounds, arguments.seconds)
    lengths = list(size.batch_sizes) if arguments.quick else arguments.lengths
    console, start = Console(), time.monotonic()
    if not console.is_terminal:
        console = Console(width=160)  # the whole table, where the output is a file
    rows: dict[str, dict] = {}
    if arguments.out.exists():  # lengths that are not measured keep their rows
        rows = json.loads(arguments.out.read_text(encoding="utf-8"))["rows"]
    with tempfile.TemporaryDirectory(prefix="accelerator-") as folder:
        comparison = Comparison(Path(folder), size, rounds, seconds, console)
        rows["peak"] = comparison.measure_peak()
        console.print(format_row(rows["peak"]), highlight=False)
        write_results(arguments.out, rows, comparison)
        for number, length in enumerate(lengths):
            left = start + 60 * arguments.minutes - time.monotonic()
            until = time.monotonic() + 0.4 * left / (len(lengths) - number)  # the rest is for the check and the timing
            rows[str(length)] = {**comparison.measure(length, until, arguments.profile), "date": now()}
            console.print(format_row(rows[str(length)]), highlight=False)
            write_results(arguments.out, rows, comparison)
    print_table(console, [rows["peak"], *(rows[str(length)] for length in lengths)])
    console.print(f"{(time.monotonic() - start) / 60:.1f} minutes; written: {arguments.out}", highlight=False)


def write_results(target: Path, rows: dict[str, dict], comparison: Comparison) -> None:
    """Write all rows, and the machine that they were measured on."""
    results = {
        "date": now(),
        "machine": {"gpu": gpu_name(), "cpus": available_cpus(), "cpu": cpu_name()},
        "versions": dict(sorted(comparison.versions.items())),
        "rounds": comparison.rounds,
        "peak_flops_per_second": comparison.peak,
        "rows": rows,
    }
    write_json(target, results)


def gpu_name() -> str | None:
    """Return name, memory and driver of the GPU; None without a driver."""
    if not shutil.which("nvidia-smi"):
        return None
    command = ["nvidia-smi", "--query-gpu=name,memory.total,driver_version", "--format=csv,noheader"]
    return subprocess.run(command, capture_output=True, text=True).stdout.strip() or None


if __name__ == "__main__":
    main()
