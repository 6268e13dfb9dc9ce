"""The command line in a process of its own, and files to give it."""

import os
import subprocess
import sys
from pathlib import Path


def environment() -> dict[str, str]:
    """As a user has it: the command itself must keep the terminal clean."""
    settings = {**os.environ, "COLUMNS": "100", "CUDA_VISIBLE_DEVICES": "-1"}
    settings.pop("TF_CPP_MIN_LOG_LEVEL", None)
    return settings


def shell(*arguments, **settings) -> subprocess.CompletedProcess:
    """A command as a user calls it."""
    command = [sys.executable, "-m", "keras_bert", *map(str, arguments)]
    return subprocess.run(command, env=environment(), capture_output=True, text=True, timeout=300, **settings)


def write_tsv(path: Path, texts, labels) -> Path:
    rows = "".join(f"{text}\t{label}\n" for text, label in zip(texts, labels, strict=True))
    path.write_text("sentence\tlabel\n" + rows, encoding="utf-8")
    return path
