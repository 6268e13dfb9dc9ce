"""The steps of one run: the peak, the best batch size of each contestant, the check of outputs, timing, profiles."""

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
from benchmarks.contestant import Entry, Result
from benchmarks.rows import KERAS_BERT, make_row
from benchmarks.runner import Runner

HERE = Path(__file__).resolve().parent
MODULES = {KERAS_BERT: str(HERE / "keras_bert_jax.py"), "Hugging Face": str(HERE / "huggingface_cuda.py")}
DROPOUT, CHECK_STEPS = 0.1, 3


class Comparison:
    """One run.

    Args:
        folder: folder for the files of this run; the caller deletes it afterwards.
        size: a `Size`.
        rounds: timed rounds per contestant.
        seconds: minimum duration of a round.
        console: where messages are printed.
    """

    def __init__(self, folder: Path, size: Size, rounds: int, seconds: float, console: Console):
        self.folder, self.size, self.rounds, self.seconds, self.console = folder, size, rounds, seconds, console
        self.peak: float | None = None  # FLOP/s
        self.versions: dict[str, str] = {}
        self._checked: dict[Entry, str | None] = {}
        np.savez(folder / "weights.npz", **weights.random_weights(size.config))
        # Two contestants share the memory of the GPU; JAX allocates as needed, up to one half. Compiled programs are
        # cached for the whole run.
        self._settings = {
            "KERAS_BACKEND": "jax",
            "CUDA_VISIBLE_DEVICES": os.environ.get("CUDA_VISIBLE_DEVICES", "0"),
            "XLA_PYTHON_CLIENT_PREALLOCATE": "false",
            "XLA_CLIENT_MEM_FRACTION": "0.48",
            "JAX_COMPILATION_CACHE_DIR": str(folder / "xla"),
            "TORCHINDUCTOR_CACHE_DIR": str(folder / "inductor"),
        }

    def measure_peak(self) -> dict:
        """Measure the fastest matrix product of JAX and PyTorch; return its row."""
        entries = [Entry(form, str(HERE / "peak.py"), "bfloat16", form) for form in ("JAX", "PyTorch")]
        task = {"workload": "product", "size": self.size.product}
        with self._processes(entries) as runner:
            results = self._run(runner, task, {"product": max(self.rounds, 5)})
        operations = PRODUCTS * 2 * self.size.product**3
        best = [min(result.seconds["product"]) for result in results if result.error is None]
        self.peak = operations / min(best) if best else None
        return make_row(
            f"peak: a product of {self.size.product} x {self.size.product} matrices",
            results,
            case="product",
            unit="TFLOP/s",
            amount=operations / 1e12,
            precision="bfloat16",
            notes=["shares are computed from its fastest round"],
        )

    def measure(self, length: int, until: float, profiles: Path | None) -> dict:
        """Find the best form and batch size of each contestant, check their outputs, and time them alternately.

        Args:
            length: T.
            until: time, as `time.monotonic()`, after which no more batch sizes are tried.
            profiles: folder for profiles as text, or None.

        Returns:
            The row.
        """
        largest, chosen = max(self.size.batch_sizes[length]), {}
        for number, peer in enumerate(MODULES):
            now = time.monotonic()
            best = self._find_best(peer, length, largest, now + (until - now) / (len(MODULES) - number))
            chosen.update([best] if best else [])
        errors = self._check(list(chosen))
        entries = [entry for entry in chosen if entry not in errors]
        task = self._make_task(length, largest, {entry.form: batch for entry, batch in chosen.items()})
        with self._processes(entries) as runner:
            results = self._run(runner, task, {"step": self.rounds})
            if profiles is not None:  # the same processes, which already gave times and memory
                profiles.mkdir(parents=True, exist_ok=True)
                files = {e.form: str(profiles / f"{e.peer}-{length}.txt".lower().replace(" ", "-")) for e in entries}
                self._run(runner, {**task, "workload": "profile", "files": files}, {})
        positions, rows = self.size.positions[length], self.size.tokens // length
        return make_row(
            f"pretraining step, {length} tokens, {positions} masked, dropout {DROPOUT}",
            results + [Result(entry, error=error) for entry, error in errors.items()],
            case="step",
            unit="tokens/s",
            amount=self.size.tokens,
            precision="bfloat16",
            flops=flops.training(flops.masked_lm(self.size.config, [length] * rows, positions)),
            peak=self.peak,
            notes=["a wrapper around Hugging Face's model gathers the masked positions"],
        )

    def _find_best(self, peer: str, length: int, largest: int, until: float) -> tuple[Entry, int] | None:
        """Try all forms at the first batch size and the fastest form at the others; return form and batch size."""
        first, *others = self.size.batch_sizes[length]
        found: list[tuple[float, Entry, int]] = []
        with contextlib.ExitStack() as stack:
            entries = [Entry(peer, MODULES[peer], "bfloat16", form) for form in self.size.forms[peer]]
            runners = {entry: stack.enter_context(Runner([entry], settings=self._settings)) for entry in entries}

            def attempt(entry: Entry, batch: int) -> None:
                if found and time.monotonic() > until:
                    return
                task = self._make_task(length, largest, {entry.form: batch})
                results, _ = runners[entry].run(task, {"step": 2}, self.seconds)
                for result in self._record(results):
                    found.append((min(result.seconds["step"]), entry, batch))
                    rate = self.size.tokens / found[-1][0]
                    self._log(f"{length} tokens, {entry}, batch size {batch}: {rate:,.0f} tokens/s")

            for entry in entries:
                attempt(entry, first)
            for batch in others if found else ():
                attempt(min(found, key=lambda each: each[0])[1], batch)
        return min(found, key=lambda each: each[0])[1:] if found else None

    def _check(self, entries: list[Entry]) -> dict[Entry, str]:
        """Compare the losses of three AdamW steps without dropout; return the errors of those that differ."""
        if not set(entries) <= set(self._checked):
            rows, length = self.size.check
            task = self._make_task(length, rows, {entry.form: rows for entry in entries})
            for precision in ("float32", "bfloat16"):
                same = {dataclasses.replace(entry, precision=precision): entry for entry in entries}
                with self._processes(list(same)) as runner:
                    results = self._run(runner, {**task, "dropout": 0.0, "check_steps": CHECK_STEPS}, {})
                for result in results:
                    entry = same[result.entry]
                    self._checked[entry] = self._checked.get(entry) or result.error
                self._log(f"{precision}: losses of {CHECK_STEPS} steps compared, {len(entries)} contestants")
        return {entry: self._checked[entry] for entry in entries if self._checked[entry]}

    def _make_task(self, length: int, rows: int, batch_sizes: dict[str, int]) -> dict:
        """Make a task. A contestant takes the batch size of its form from the rows of the file."""
        path = self.folder / f"rows-{length}-{rows}.npz"
        if not path.exists():
            np.savez(path, **inputs.full_rows(self.size.config, rows, length, self.size.positions[length]))
        return {
            "workload": "pretraining",
            "config": self.size.config,
            "weights": str(self.folder / "weights.npz"),
            "batch": str(path),
            "batch_sizes": batch_sizes,
            "rows": self.size.tokens // length,
            "learning_rate": self.size.learning_rate,
            "dropout": DROPOUT,
            "check_steps": 0,
        }

    def _processes(self, entries: list[Entry]) -> Runner:
        # Prepared one after another: XLA times candidate programs on the GPU, which must be idle otherwise.
        return Runner(entries, parallel=1, settings=self._settings)

    def _run(self, runner: Runner, task: dict, cases: dict[str, int]) -> list[Result]:
        results, _ = runner.run(task, cases, self.seconds)
        self._record(results)
        return results

    def _record(self, results: list[Result]) -> list[Result]:
        """Store versions, print which contestants are excluded, and return the results of the others."""
        for result in results:
            self.versions.update(result.versions)
            if result.error is not None:
                self.console.print(f"{result.entry} is excluded: {result.error}", style="red", markup=False)
        return [result for result in results if result.error is None]

    def _log(self, line: str) -> None:
        self.console.print(line, markup=False, highlight=False)
