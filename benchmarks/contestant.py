"""A contestant: a process that runs one implementation and obeys commands (see contestants/protocol.py)."""

import contextlib
import dataclasses
import json
import os
import selectors
import signal
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
TIMEOUTS = {"prepare": 400, "check": 400, "round": 400, "memory": 30}  # seconds, by command


class ContestantError(Exception):
    """Raised when a contestant fails or its process ends."""


@dataclasses.dataclass(frozen=True)
class Entry:
    """A contestant of a measurement.

    Attributes:
        peer: its name in the results.
        module: a module of benchmarks/contestants, or the path of a Python file.
        precision: `"float32"`, `"bfloat16"` or `"int8"`.
        form: how the library is used, such as `"eager"` or `"compile"`.
    """

    peer: str
    module: str
    precision: str = "float32"
    form: str = ""

    def __str__(self) -> str:
        return " ".join(part for part in (self.peer, self.form, self.precision) if part)


@dataclasses.dataclass
class Result:
    """What was measured for one entry.

    Attributes:
        entry: the `Entry`.
        seconds: seconds per repetition in each round, by case.
        warm_up: seconds of the first repetition, which is not counted, by case.
        memory_mib: peak memory of the process.
        versions: versions of the libraries in the process.
        notes: remarks for the results.
        error: why the contestant was excluded, or None.
    """

    entry: Entry
    seconds: dict[str, list[float]] = dataclasses.field(default_factory=dict)
    warm_up: dict[str, float] = dataclasses.field(default_factory=dict)
    memory_mib: float | None = None
    versions: dict[str, str] = dataclasses.field(default_factory=dict)
    notes: list[str] = dataclasses.field(default_factory=list)
    error: str | None = None


def environment() -> dict[str, str]:
    """Return the environment variables of every contestant's process."""
    return {
        **os.environ,
        "PYTHONPATH": str(ROOT),
        "CUDA_VISIBLE_DEVICES": "-1",
        "KERAS_BACKEND": "tensorflow",
        "TF_CPP_MIN_LOG_LEVEL": "3",
        "TOKENIZERS_PARALLELISM": "true",
        "HF_HUB_OFFLINE": "1",
        "CI": "true",  # OpenVINO then starts no telemetry process
    }


class Contestant:
    """The process of a contestant. It reads one command per line and replies with one line of JSON.

    Args:
        entry: the `Entry`.
        log: file for standard error.
        settings: environment variables in addition to `environment()`.
    """

    def __init__(self, entry: Entry, log: Path, settings: dict[str, str]):
        self.entry = entry
        self._log = log
        is_file = entry.module.endswith(".py")
        program = [entry.module] if is_file else ["-m", f"benchmarks.contestants.{entry.module}"]
        with log.open("w") as errors:
            self._process = subprocess.Popen(
                [sys.executable, "-W", "ignore", *program],
                cwd=ROOT,
                env={**environment(), **settings},
                start_new_session=True,  # a process group of its own, which signals reach as a whole
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=errors,
                text=True,
                bufsize=1,
            )

    def send(self, command: str, **details) -> dict:
        """Resume the process, send a command, wait for the reply, and pause the process again.

        Args:
            command: a key of `TIMEOUTS`; see `contestants/protocol.py`.
            **details: arguments of the command.

        Raises:
            ContestantError: the process ended, took too long, or replied with an error.
        """
        if self._process.stdin.closed:
            raise ContestantError("the process ended in an earlier task")
        try:
            self._signal(signal.SIGCONT)
            self._process.stdin.write(json.dumps({"command": command, **details}) + "\n")
            line = self._read_line(TIMEOUTS[command])
        except BrokenPipeError:
            line = ""
        if not line:
            self.kill()
            raise ContestantError(
                f"the process ended or took more than {TIMEOUTS[command]} s for {command}: {self._last_log_line()}"
            )
        self._signal(signal.SIGSTOP)
        os.waitid(os.P_PID, self._process.pid, os.WSTOPPED | os.WEXITED | os.WNOWAIT)  # the signal takes a moment
        reply = json.loads(line)
        if "error" in reply:
            raise ContestantError(reply["error"])
        return reply

    def kill(self) -> None:
        """End the process, paused or not."""
        self._signal(signal.SIGKILL)
        self._process.wait()
        with contextlib.suppress(BrokenPipeError):  # a command that the process did not read
            self._process.stdin.close()
        self._process.stdout.close()

    def _signal(self, number: int) -> None:
        with contextlib.suppress(ProcessLookupError):  # the process may have ended
            os.killpg(self._process.pid, number)

    def _read_line(self, seconds: float) -> str:
        with selectors.DefaultSelector() as selector:
            selector.register(self._process.stdout, selectors.EVENT_READ)
            return self._process.stdout.readline() if selector.select(seconds) else ""

    def _last_log_line(self) -> str:
        lines = [line for line in self._log.read_text(errors="replace").splitlines() if line.strip()]
        return lines[-1][:300] if lines else "no message"
