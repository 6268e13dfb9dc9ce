"""One run's contestants: the limit, the equal answers, the best batch of each, the race, the profile."""

import contextlib
import dataclasses
import os
import time
from pathlib import Path

import numpy as np
from rich.console import Console

from benchmarks import flops, inputs, weights
from benchmarks.accelerator.peak import PRODUCTS
from benchmarks.accelerator.sizes import Size
from benchmarks.race import Entry, Race, Result
from benchmarks.rows import row

HERE = Path(__file__).resolve().parent
WORKERS = {"ours": str(HERE / "ours_jax.py"), "Hugging Face": str(HERE / "huggingface_cuda.py")}
DROPOUT, STEPS = 0.1, 3


class Contest:
    """One run.

    Args:
        folder: for files of this run; it is deleted afterwards.
        size: what is measured.
        rounds: turns of each contestant in a race.
        seconds: the least that a turn lasts.
        console: where it speaks.
    """

    def __init__(self, folder: Path, size: Size, rounds: int, seconds: float, console: Console):
        self.folder, self.size, self.rounds, self.seconds, self.console = folder, size, rounds, seconds, console
        self.peak: float | None = None
        self.versions: dict[str, str] = {}
        self._compared: dict[Entry, str | None] = {}
        np.savez(folder / "weights.npz", **weights.make(size.config))
        # Two share the GPU's memory, JAX with what it needs up to a half; what was compiled once serves the whole run.
        self._settings = {
            "KERAS_BACKEND": "jax",
            "CUDA_VISIBLE_DEVICES": os.environ.get("CUDA_VISIBLE_DEVICES", "0"),
            "XLA_PYTHON_CLIENT_PREALLOCATE": "false",
            "XLA_CLIENT_MEM_FRACTION": "0.48",
            "JAX_COMPILATION_CACHE_DIR": str(folder / "xla"),
            "TORCHINDUCTOR_CACHE_DIR": str(folder / "inductor"),
        }

    def limit(self) -> dict:
        """The fastest product by either library, a row; shares are counted from it."""
        entries = [Entry(form, str(HERE / "peak.py"), "bfloat16", form) for form in ("JAX", "PyTorch")]
        results = self._race(entries, {"work": "product", "size": self.size.product}, {"product": max(self.rounds, 5)})
        operations = PRODUCTS * 2 * self.size.product**3
        best = [min(result.seconds["product"]) for result in results if result.error is None]
        self.peak = operations / min(best) if best else None
        return row(
            f"the limit: a product of {self.size.product} x {self.size.product} matrices",
            results,
            case="product",
            unit="TFLOP/s",
            amount=operations / 1e12,
            precision="bfloat16",
            notes=["the fastest round is what shares are counted from"],
        )

    def measure(self, length: int, until: float, profiles: Path | None) -> dict:
        """The row of a length: the best form and batch of each, their answers compared, the race between them.

        Args:
            length: T.
            until: when no more batches are tried, in `time.monotonic()`.
            profiles: a folder for texts on where the time goes, or None.
        """
        largest, chosen = max(self.size.batch_sizes[length]), {}
        for number, peer in enumerate(WORKERS):
            now = time.monotonic()
            best = self._best(peer, length, largest, now + (until - now) / (len(WORKERS) - number))
            chosen.update([best] if best else [])
        errors = self._compare(list(chosen))
        entries = [entry for entry in chosen if entry not in errors]
        task = self._task(length, largest, {entry.form: batch for entry, batch in chosen.items()})
        results = self._race(entries, task, {"step": self.rounds})
        if profiles is not None:
            profiles.mkdir(parents=True, exist_ok=True)
            files = {e.form: str(profiles / f"{e.peer}-{length}.txt".lower().replace(" ", "-")) for e in entries}
            self._race(entries, {**task, "work": "profile", "files": files}, {})
        unit_rows = self.size.unit // length
        forward = flops.masked_words(self.size.config, [length] * unit_rows, self.size.positions[length])
        return row(
            f"pretraining step, {length} tokens, {self.size.positions[length]} masked, dropout {DROPOUT}",
            results + [Result(entry, error=error) for entry, error in errors.items()],
            case="step",
            unit="tokens/s",
            amount=self.size.unit,
            precision="bfloat16",
            flops=flops.training(forward),
            peak=self.peak,
            notes=["Hugging Face gathers the masked positions in a thin wrapper"],
        )

    def _best(self, peer: str, length: int, largest: int, until: float) -> tuple[Entry, int] | None:
        """All forms at the first batch size, the fastest of them at the others: that form, that size."""
        first, *others = self.size.batch_sizes[length]
        found: list[tuple[float, Entry, int]] = []
        with contextlib.ExitStack() as races:
            entries = [Entry(peer, WORKERS[peer], "bfloat16", form) for form in self.size.forms[peer]]
            running = {entry: races.enter_context(Race([entry], settings=self._settings)) for entry in entries}

            def attempt(entry: Entry, batch: int) -> None:
                if found and time.monotonic() > until:
                    return
                task = self._task(length, largest, {entry.form: batch})
                results, _ = running[entry].run(task, {"step": 2}, self.seconds)
                for result in self._collect(results):
                    found.append((min(result.seconds["step"]), entry, batch))
                    rate = self.size.unit / found[-1][0]
                    self._say(f"{length} tokens, {entry}, {batch} rows a step: {rate:,.0f} tokens/s")

            for entry in entries:
                attempt(entry, first)
            for batch in others if found else ():
                attempt(min(found, key=lambda each: each[0])[1], batch)
        return min(found, key=lambda each: each[0])[1:] if found else None

    def _compare(self, entries: list[Entry]) -> dict[Entry, str]:
        """Who loses otherwise in three AdamW steps without dropout from the same weights, and how."""
        if not set(entries) <= set(self._compared):
            rows, length = self.size.check
            task = self._task(length, rows, {entry.form: rows for entry in entries})
            for precision in ("float32", "bfloat16"):
                same = {dataclasses.replace(entry, precision=precision): entry for entry in entries}
                for result in self._race(list(same), {**task, "dropout": 0.0, "check_steps": STEPS}, {}):
                    entry = same[result.entry]
                    self._compared[entry] = self._compared.get(entry) or result.error
                self._say(f"{precision}: losses of {STEPS} steps compared, {len(entries)} contestants")
        return {entry: self._compared[entry] for entry in entries if self._compared[entry]}

    def _task(self, length: int, rows: int, batch_sizes: dict[str, int]) -> dict:
        """What the workers are told; each takes its form's number of the rows as a batch."""
        path = self.folder / f"rows-{length}-{rows}.npz"
        if not path.exists():
            np.savez(path, **inputs.full_rows(self.size.config, rows, length, self.size.positions[length]))
        return {
            "work": "pretraining",
            "config": self.size.config,
            "weights": str(self.folder / "weights.npz"),
            "batch": str(path),
            "batch_sizes": batch_sizes,
            "unit_rows": self.size.unit // length,
            "learning_rate": self.size.learning_rate,
            "dropout": DROPOUT,
            "check_steps": 0,
        }

    def _race(self, entries: list[Entry], task: dict, cases: dict[str, int]) -> list[Result]:
        # Prepared one after another: XLA times its candidates on the GPU, and must be alone there.
        with Race(entries, side=1, settings=self._settings) as race:
            results, _ = race.run(task, cases, self.seconds)
        self._collect(results)
        return results

    def _collect(self, results: list[Result]) -> list[Result]:
        """Versions of what ran; who is out is said at once; the others."""
        for result in results:
            self.versions.update(result.versions)
            if result.error is not None:
                self.console.print(f"{result.entry} is out: {result.error}", style="red", markup=False)
        return [result for result in results if result.error is None]

    def _say(self, line: str) -> None:
        self.console.print(line, markup=False, highlight=False)
