"""Turn-taking: contestants in processes of their own run A B A B ..., and who waits is stopped.

A waiting contestant gets SIGSTOP, so none of its threads can spin and no library has to be told to poll less than it
does for its users. All contestants of a race answer for the same task; who answers otherwise is out, with a message.
"""

import contextlib
import dataclasses
import json
import os
import selectors
import signal
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np

ROOT = Path(__file__).resolve().parent.parent
TOLERANCES = {"float32": 1e-3, "bfloat16": 5e-2, "int8": 3e-1}  # of the largest number in the answer, or of 1
PATIENCE = {"prepare": 400, "check": 400, "round": 400, "memory": 30}  # seconds until a contestant is given up


class OutOfRace(Exception):
    """A contestant that failed or died: its message."""


@dataclasses.dataclass(frozen=True)
class Entry:
    """Who takes part: `peer` is the name in the row, `form` how it is used, `worker` its file in workers/ or a path."""

    peer: str
    worker: str
    precision: str = "float32"
    form: str = ""

    def __str__(self) -> str:
        return " ".join(part for part in (self.peer, self.form, self.precision) if part)


@dataclasses.dataclass
class Result:
    """What a contestant did: seconds a unit by case and round, of the first unit too, its memory, or why it is out."""

    entry: Entry
    seconds: dict[str, list[float]] = dataclasses.field(default_factory=dict)
    warm_up: dict[str, float] = dataclasses.field(default_factory=dict)
    memory_mib: float | None = None
    versions: dict[str, str] = dataclasses.field(default_factory=dict)
    notes: list[str] = dataclasses.field(default_factory=list)
    error: str | None = None


def environment() -> dict[str, str]:
    """What every contestant's process is started with."""
    return {
        **os.environ,
        "PYTHONPATH": str(ROOT),
        "CUDA_VISIBLE_DEVICES": "-1",
        "KERAS_BACKEND": "tensorflow",
        "TF_CPP_MIN_LOG_LEVEL": "3",
        "TOKENIZERS_PARALLELISM": "true",
        "HF_HUB_OFFLINE": "1",
        "CI": "true",  # OpenVINO then starts no process to report its use
    }


class Contestant:
    """A worker's process: asked a line, answers a line; stopped between its turns."""

    def __init__(self, entry: Entry, log: Path, settings: dict[str, str]):
        self.entry = entry
        self._log = log
        file = entry.worker.endswith(".py")
        program = [entry.worker] if file else ["-m", f"benchmarks.contestants.{entry.worker}"]
        with log.open("w") as errors:
            self._process = subprocess.Popen(
                [sys.executable, "-W", "ignore", *program],
                cwd=ROOT,
                env={**environment(), **settings},
                start_new_session=True,  # a group of its own, with whatever it starts
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=errors,
                text=True,
                bufsize=1,
            )

    def ask(self, what: str, **details) -> dict:
        """One turn: wake it, ask, wait for the answer, stop it."""
        try:
            self._signal(signal.SIGCONT)
            self._process.stdin.write(json.dumps({"ask": what, **details}) + "\n")
            line = self._line(PATIENCE[what])
        except BrokenPipeError:
            line = ""
        if not line:
            self.kill()
            raise OutOfRace(f"its process ended or took over {PATIENCE[what]} s to {what}: {self._last_words()}")
        self._signal(signal.SIGSTOP)
        os.waitid(os.P_PID, self._process.pid, os.WSTOPPED | os.WEXITED | os.WNOWAIT)  # the signal takes a moment
        reply = json.loads(line)
        if "error" in reply:
            raise OutOfRace(reply["error"])
        return reply

    def kill(self) -> None:
        """End the process, stopped or not."""
        self._signal(signal.SIGKILL)
        self._process.wait()
        with contextlib.suppress(BrokenPipeError):  # a request that it did not live to read
            self._process.stdin.close()
        self._process.stdout.close()

    def _signal(self, number: int) -> None:
        with contextlib.suppress(ProcessLookupError):  # it may have ended by itself
            os.killpg(self._process.pid, number)

    def _line(self, seconds: float) -> str:
        with selectors.DefaultSelector() as selector:
            selector.register(self._process.stdout, selectors.EVENT_READ)
            return self._process.stdout.readline() if selector.select(seconds) else ""

    def _last_words(self) -> str:
        lines = [line for line in self._log.read_text(errors="replace").splitlines() if line.strip()]
        return lines[-1][:300] if lines else "it said nothing"


class Race(contextlib.AbstractContextManager):
    """Contestants that stay for one task after another.

    Args:
        entries: who takes part, ours first.
        side: how many are prepared side by side; preparing is not timed.
        settings: of their environment, besides and over those of `environment`.
    """

    def __init__(self, entries: list[Entry], side: int = 2, settings: dict[str, str] | None = None):
        self._folder = tempfile.TemporaryDirectory(prefix="race-")
        self._logs = Path(self._folder.name)
        self._side = side
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
        """One task: prepare all, compare their answers, then let them take turns.

        Args:
            task: what the workers are told; each gets its own precision and form besides.
            cases: name of each case to its number of rounds.
            seconds: the least that a round lasts.
            reference: answers to compare with; by default the first contestant's.
            tolerance: of the answers; by default the precision's.
            warm: cases that the other cases' warming turns, and the check, have made ready too.

        Returns:
            A list of `Result`, in the order of the entries, and the answers compared with (None: nobody answered).
        """
        results = {entry: Result(entry) for entry in self._contestants}

        def ready(entry: Entry) -> dict | None:
            contestant, path = self._contestants[entry], self._logs / f"{id(entry)}.npz"
            details = {**task, "precision": entry.precision, "form": entry.form}
            with self._falling_out(results[entry]):
                results[entry].notes = contestant.ask("prepare", task=details)["notes"]
                contestant.ask("check", path=str(path))
                with np.load(path) as answers:
                    return dict(answers)

        with ThreadPoolExecutor(self._side) as pool:
            answers = dict(zip(results, pool.map(ready, results), strict=True))
        if reference is None:
            reference = next((answer for answer in answers.values() if answer is not None), None)
        for entry, result in results.items():
            if result.error is None:
                result.error = disagreement(answers[entry], reference, tolerance or TOLERANCES[entry.precision])
        # Round -1 warms up: whatever is compiled or allocated at the first call of a case.
        turns = [(case, -1) for case in cases if case not in warm]
        turns += [(case, number) for case, rounds in cases.items() for number in range(rounds)]
        for case, number in turns:
            for entry, result in results.items():
                if result.error is None:
                    with self._falling_out(result):
                        turn = {"case": case, "number": number, "seconds": seconds if number >= 0 else 0.0}
                        taken = self._contestants[entry].ask("round", **turn)["seconds"]
                        if number < 0:
                            result.warm_up[case] = taken
                        else:
                            result.seconds.setdefault(case, []).append(taken)
        for entry, result in results.items():
            if result.error is None:
                with self._falling_out(result):
                    reply = self._contestants[entry].ask("memory")
                    result.memory_mib, result.versions = reply["peak_mib"], reply["versions"]
        return list(results.values()), reference

    @contextlib.contextmanager
    def _falling_out(self, result: Result):
        try:
            yield
        except OutOfRace as reason:
            result.error = str(reason)


def disagreement(answers: dict, reference: dict, tolerance: float) -> str | None:
    """Why these answers are not the reference's, or None where they are.

    Numbers may differ by `tolerance` times the reference's largest, or times 1 where that is smaller; whole numbers not
    at all.
    """
    if set(answers) != set(reference):
        return f"other answers: {sorted(answers)} and not {sorted(reference)}"
    for name, expected in reference.items():
        found = answers[name]
        if found.shape != expected.shape:
            return f"{name}: shape {found.shape} and not {expected.shape}"
        if np.issubdtype(expected.dtype, np.integer):
            wrong = int((found != expected).sum())
            if wrong:
                return f"{name}: {wrong} of {expected.size} numbers differ"
            continue
        limit = tolerance * max(1.0, float(np.abs(expected).max(initial=0)))
        apart = float(np.abs(found.astype(np.float64) - expected).max(initial=0))
        if not apart <= limit:
            return f"{name}: off by {apart:.2g}, {limit:.2g} is allowed"
    return None
