"""The rows of docs/results.md that the two parts of `make soak` print."""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


def run(module: str) -> list[str]:
    """Run a module of the tests, show what it prints, and return the lines."""
    print(f"python -m {module}", file=sys.stderr)
    process = subprocess.Popen([sys.executable, "-m", module], cwd=ROOT, stdout=subprocess.PIPE, text=True)
    lines = []
    for line in process.stdout:
        lines.append(line.rstrip())
        print(lines[-1], file=sys.stderr, flush=True)
    if process.wait():
        raise SystemExit(f"error: python -m {module} failed with exit status {process.returncode}")
    return lines


def kills(data: str) -> dict:
    """Kill every command at random moments, complete it, and compare the results bit by bit."""
    return {
        "what": "every command that writes something, killed at random moments and completed, beside undisturbed runs",
        "result": run("tests.soak")[-1],
        "command": "python -m tests.soak",
    }


def served(data: str) -> dict:
    """Send unusual texts to served models from 8 threads."""
    return {
        "what": "unusual texts: tokens beside a tokenizer in plain Python; answers of the bundled sentiment model, "
        "from 8 threads in batches of 1 to 256, beside the Keras model; memory in the second and in the last quarter",
        "result": "; ".join(line for line in run("tests.soak_serving") if line.endswith((" differences", " MiB"))),
        "command": "python -m tests.soak_serving",
    }
