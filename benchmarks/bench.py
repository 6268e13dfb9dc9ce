"""What all benchmarks of a run share: settings, files, the measured limit, and which forms won."""

import functools
import time
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
from rich.console import Console

from benchmarks import inputs, weights
from benchmarks.race import Entry, Race, Result

PRECISIONS = ("float32", "bfloat16")


class Bench:
    """One run.

    Args:
        folder: for files of this run; it is deleted afterwards.
        data: the folder with `data/SST-2` and `data/vocab`, or None.
        quick: tiny sizes, few rounds, nothing that compiles for long: does everything work?
        rounds: how often each contestant has its turn.
        seconds: the least that a turn lasts.
        known: which forms of a contestant to race, by (work, peer, precision); all, where it says nothing.
    """

    def __init__(
        self,
        folder: Path,
        data: Path | None,
        quick: bool,
        rounds: int,
        seconds: float,
        console: Console,
        known: dict[tuple, set[str]],
    ):
        self.folder, self.data, self.quick = folder, data, quick
        self.rounds, self.seconds, self.console = rounds, seconds, console
        self.peaks: dict[str, float] = {}
        self.versions: dict[str, str] = {}
        self.prepared: dict[str, dict] = {}  # tasks whose files are made
        self._known = known
        self._begun = time.perf_counter()

    def say(self, line: str) -> None:
        seconds = time.perf_counter() - self._begun
        self.console.print(f"[dim]{seconds:5.0f} s  {line}[/dim]", highlight=False)

    def size(self, config: dict) -> dict:
        """The size to measure: tiny ones in a quick run."""
        return inputs.TINY if self.quick else config

    @functools.cached_property
    def texts(self) -> inputs.Texts:
        return inputs.Texts(self.data, self.folder)

    def weights(self, config: dict) -> str:
        """The file of random weights of this size, made once."""
        name = "-".join(str(config[key]) for key in ("num_layers", "hidden_size", "num_heads", "vocab_size"))
        path = self.folder / f"weights-{name}.npz"
        if not path.exists():
            np.savez(path, **weights.make(config))
        return str(path)

    def save(self, name: str, arrays: dict) -> str:
        """Arrays as a file that workers read."""
        path = self.folder / f"{name}.npz"
        np.savez(path, **arrays)
        return str(path)

    def export(self, makers: Iterable[tuple[Entry, dict]]) -> None:
        """Let workers write the files that others load, two side by side; a message where one cannot."""

        def write(maker: tuple[Entry, dict]) -> None:
            entry, task = maker
            with Race([entry]) as race:
                (result,), _ = race.run({**task, "work": "export"}, {}, 0)
            if result.error is not None:
                self.console.print(f"cannot export {entry}: {result.error}", style="red", markup=False)

        makers = list(makers)
        self.say(f"exporting: {', '.join(str(entry) for entry, _ in makers)}")
        with ThreadPoolExecutor(2) as pool:
            list(pool.map(write, makers))

    def entries(self, work: str, candidates: Iterable[Entry]) -> list[Entry]:
        """These, without the forms that lost before. A quick run leaves out what compiles for long."""
        kept = [e for e in candidates if not (self.quick and e.form in ("compile", "XLA"))]
        return [e for e in kept if e.form in self._known.get((work, e.peer, e.precision), {e.form})]

    def collect(self, results: list[Result]) -> None:
        """Versions of what ran; who is out is said at once."""
        for result in results:
            self.versions.update(result.versions)
            if result.error is not None:
                self.console.print(f"{result.entry} is out: {result.error}", style="red", markup=False)


def winners(found: dict) -> dict[tuple, set[str]]:
    """The forms that won a row of an earlier run, by (work, peer, precision).

    Args:
        found: what the run wrote.
    """
    known: dict[tuple, set[str]] = {}
    for work, rows in found["works"].items():
        for row in rows:
            for peer, standing in row["peers"].items():
                if "value" in standing:
                    known.setdefault((work, peer, row["precision"]), set()).add(standing["form"])
    return known
