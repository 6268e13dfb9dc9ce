"""Helpers that run the command line in a new process, parse its results, and write input files."""

import json
import os
import subprocess
import sys
from pathlib import Path

from tests.processes import LIMIT

ROOT = Path(__file__).resolve().parents[2]


def environment() -> dict[str, str]:
    """Return environment variables without the one that silences TensorFlow, because the command must set it."""
    settings = {**os.environ, "COLUMNS": "100", "CUDA_VISIBLE_DEVICES": "-1", "PYTHONPATH": str(ROOT)}
    settings.pop("TF_CPP_MIN_LOG_LEVEL", None)
    return settings


def run_command(*arguments, **settings) -> subprocess.CompletedProcess:
    """Run `python -m keras_bert` with the arguments."""
    command = [sys.executable, "-m", "keras_bert", *map(str, arguments)]
    return subprocess.run(command, env=environment(), capture_output=True, text=True, timeout=LIMIT, **settings)


def results_of(result) -> dict:
    """Return the JSON object that a successful command printed last."""
    assert result.status == 0, result.err
    return json.loads(result.out.splitlines()[-1])


def assert_error(result, *words) -> None:
    """Check that a command ended with status 2 and one line on standard error that contains the words."""
    assert result.status == 2, result.err
    assert result.out == ""
    assert result.err.startswith("error: ") and result.err.count("\n") == 1, result.err
    for word in words:
        assert word in result.err


def write_tsv(path: Path, texts, labels) -> Path:
    """Write a file of labeled sentences."""
    rows = "".join(f"{text}\t{label}\n" for text, label in zip(texts, labels, strict=True))
    path.write_text("sentence\tlabel\n" + rows, encoding="utf-8")
    return path
