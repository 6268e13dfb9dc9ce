"""Alternating measurement of contestants, each in a process of its own: A B A B ...

Idle contestants are paused with SIGSTOP. Contestants whose outputs differ are excluded.
"""

import contextlib
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np

from benchmarks.contestant import Contestant, ContestantError, Entry, Result

TOLERANCES = {"float32": 1e-3, "bfloat16": 5e-2, "int8": 3e-1}  # relative to the largest value, or to 1


class Runner(contextlib.AbstractContextManager):
    """Processes of several contestants, which can run one task after another.

    Args:
        entries: the contestants; the outputs of the first one are the default reference.
        parallel: how many are prepared at a time; preparing is not timed.
        settings: environment variables in addition to `environment()`.
    """

    def __init__(self, entries: list[Entry], parallel: int = 2, settings: dict[str, str] | None = None):
        self._folder = tempfile.TemporaryDirectory(prefix="bench-runner-")
        self._logs = Path(self._folder.name)
        self._parallel = parallel
        self._contestants = {
            entry: Contestant(entry, self._logs / f"{i}.log", settings or {}) for i, entry in enumerate(entries)
        }

    def __exit__(self, *error) -> None:
        for contestant in self._contestants.values():
            contestant.kill()
        self._folder.cleanup()

    def run(
        self,
        task: dict,
        cases: dict[str, int],
        seconds: float,
        reference: dict | None = None,
        tolerance: float | None = None,
        warm: tuple[str, ...] = (),
    ) -> tuple[list[Result], dict | None]:
        """Run one task: prepare all contestants, compare their outputs, then time them alternately.

        Args:
            task: what all contestants receive; each also receives its precision and form.
            cases: number of rounds by case.
            seconds: minimum duration of a round.
            reference: expected outputs; by default those of the first contestant that has any.
            tolerance: of the outputs; by default that of the precision.
            warm: cases without a warm-up round of their own, because other cases warm them up.

        Returns:
            A list of `Result`, in the order of the entries, and the reference (None if no contestant has outputs).
        """
        results = {entry: Result(entry) for entry in self._contestants}

        def prepare(entry: Entry) -> dict | None:
            contestant, path = self._contestants[entry], self._logs / f"{id(entry)}.npz"
            details = {**task, "precision": entry.precision, "form": entry.form}
            with self._exclude_on_error(results[entry]):
                results[entry].notes = contestant.send("prepare", task=details)["notes"]
                contestant.send("check", path=str(path))
                with np.load(path) as outputs:
                    return dict(outputs)

        with ThreadPoolExecutor(self._parallel) as pool:
            outputs = dict(zip(results, pool.map(prepare, results), strict=True))
        if reference is None:
            reference = next((found for found in outputs.values() if found is not None), None)
        for entry, result in results.items():
            if result.error is None:
                result.error = find_difference(outputs[entry], reference, tolerance or TOLERANCES[entry.precision])
        # Round -1 warms up: it pays for what is compiled or allocated at the first call of a case.
        turns = [(case, -1) for case in cases if case not in warm]
        turns += [(case, number) for case, rounds in cases.items() for number in range(rounds)]
        for case, number in turns:
            for entry, result in results.items():
                if result.error is None:
                    with self._exclude_on_error(result):
                        details = {"case": case, "number": number, "seconds": seconds if number >= 0 else 0.0}
                        measured = self._contestants[entry].send("round", **details)["seconds"]
                        if number < 0:
                            result.warm_up[case] = measured
                        else:
                            result.seconds.setdefault(case, []).append(measured)
        for entry, result in results.items():
            if result.error is None:
                with self._exclude_on_error(result):
                    reply = self._contestants[entry].send("memory")
                    result.memory_mib, result.versions = reply["peak_mib"], reply["versions"]
        return list(results.values()), reference

    @contextlib.contextmanager
    def _exclude_on_error(self, result: Result):
        try:
            yield
        except ContestantError as error:
            result.error = str(error)


def find_difference(outputs: dict, reference: dict, tolerance: float) -> str | None:
    """Describe how outputs differ from a reference; None if they are equal within the tolerance.

    Args:
        outputs: arrays by name.
        reference: the expected arrays by name. Integers must be equal.
        tolerance: largest difference of floats, relative to the largest expected value, or to 1 if that is smaller.
    """
    if set(outputs) != set(reference):
        return f"outputs {sorted(outputs)}, expected {sorted(reference)}"
    for name, expected in reference.items():
        found = outputs[name]
        if found.shape != expected.shape:
            return f"{name}: shape {found.shape}, expected {expected.shape}"
        if np.issubdtype(expected.dtype, np.integer):
            wrong = int((found != expected).sum())
            if wrong:
                return f"{name}: {wrong} of {expected.size} integers differ"
            continue
        limit = tolerance * max(1.0, float(np.abs(expected).max(initial=0)))
        difference = float(np.abs(found.astype(np.float64) - expected).max(initial=0))
        if not difference <= limit:  # also true for NaN
            return f"{name}: largest difference {difference:.2g}, tolerance {limit:.2g}"
    return None
