"""The state that all workloads of a run share: settings, files, the measured peak, and the fastest forms so far."""

import functools
import time
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
from rich.console import Console

from benchmarks import inputs, weights
from benchmarks.contestant import Entry, Result
from benchmarks.runner import Runner

PRECISIONS = ("float32", "bfloat16")


class Bench:
    """One run of the benchmarks.

    Args:
        folder: folder for the files of this run; the caller deletes it afterwards.
        data: folder with `data/SST-2` and `data/vocab`, or None.
        quick: use tiny sizes and few rounds, and skip forms that take long to compile; to test that everything runs.
        rounds: number of timed rounds per contestant.
        seconds: minimum duration of a round.
        console: where messages are printed.
        fastest: forms of each contestant to measure, by (workload, peer, precision); all forms if the key is missing.
    """

    def __init__(
        self,
        folder: Path,
        data: Path | None,
        quick: bool,
        rounds: int,
        seconds: float,
        console: Console,
        fastest: dict[tuple, set[str]],
    ):
        self.folder, self.data, self.quick = folder, data, quick
        self.rounds, self.seconds, self.console = rounds, seconds, console
        self.peaks: dict[str, float] = {}  # FLOP/s by precision
        self.versions: dict[str, str] = {}
        self.prepared: dict[str, dict] = {}  # tasks of text_to_probabilities whose files are written, by size
        self._fastest = fastest
        self._start = time.perf_counter()

    def log(self, line: str) -> None:
        """Print a line with the seconds since the start of the run."""
        seconds = time.perf_counter() - self._start
        self.console.print(f"[dim]{seconds:5.0f} s  {line}[/dim]", highlight=False)

    def size(self, config: dict) -> dict:
        """Return the config to measure: a tiny one in a quick run."""
        return inputs.TINY if self.quick else config

    @functools.cached_property
    def texts(self) -> inputs.Texts:
        """The sentences and the vocabulary."""
        return inputs.Texts(self.data, self.folder)

    def weights(self, config: dict) -> str:
        """Return the path of random weights for a config, written at the first call."""
        name = "-".join(str(config[key]) for key in ("num_layers", "hidden_size", "num_heads", "vocab_size"))
        path = self.folder / f"weights-{name}.npz"
        if not path.exists():
            np.savez(path, **weights.random_weights(config))
        return str(path)

    def save(self, name: str, arrays: dict) -> str:
        """Write arrays to a file that the contestants read, and return its path."""
        path = self.folder / f"{name}.npz"
        np.savez(path, **arrays)
        return str(path)

    def export(self, exports: Iterable[tuple[Entry, dict]]) -> None:
        """Write the files that contestants load, two at a time, each in a process of its own.

        Args:
            exports: pairs of an entry whose module has the workload "export", and the task. An error is printed.
        """

        def write(export: tuple[Entry, dict]) -> None:
            entry, task = export
            with Runner([entry]) as runner:
                (result,), _ = runner.run({**task, "workload": "export"}, {}, 0)
            if result.error is not None:
                self.console.print(f"cannot export {entry}: {result.error}", style="red", markup=False)

        exports = list(exports)
        self.log(f"exporting: {', '.join(str(entry) for entry, _ in exports)}")
        with ThreadPoolExecutor(2) as pool:
            list(pool.map(write, exports))

    def entries(self, workload: str, candidates: Iterable[Entry]) -> list[Entry]:
        """Select entries: without forms that were slower in the last run and, if quick, without compiled forms."""
        kept = [e for e in candidates if not (self.quick and e.form in ("compile", "XLA"))]
        return [e for e in kept if e.form in self._fastest.get((workload, e.peer, e.precision), {e.form})]

    def record(self, results: list[Result]) -> None:
        """Store the versions of the libraries that ran, and print which contestants were excluded."""
        for result in results:
            self.versions.update(result.versions)
            if result.error is not None:
                self.console.print(f"{result.entry} is excluded: {result.error}", style="red", markup=False)


def fastest_forms(results: dict) -> dict[tuple, set[str]]:
    """List the forms that were the fastest of their peer in a row of an earlier run.

    Args:
        results: the contents of a results file.

    Returns:
        Sets of forms by (workload, peer, precision).
    """
    fastest: dict[tuple, set[str]] = {}
    for workload, rows in results["workloads"].items():
        for row in rows:
            for peer, measured in row["peers"].items():
                if "value" in measured:
                    fastest.setdefault((workload, peer, row["precision"]), set()).add(measured["form"])
    return fastest
