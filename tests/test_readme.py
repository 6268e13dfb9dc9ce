"""The README: its Python blocks run in order, in one process, in an empty folder; its links and commands exist."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.processes import LIMIT

ROOT = Path(__file__).resolve().parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"```python\n(.*?)```", README, re.DOTALL)


@pytest.mark.slow
def test_python_blocks_run_in_order(tmp_path):
    program = "\n".join(BLOCKS)
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "TF_CPP_MIN_LOG_LEVEL": "3", "CUDA_VISIBLE_DEVICES": "-1"}
    result = subprocess.run(
        [sys.executable, "-c", program], cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=LIMIT
    )
    assert result.returncode == 0, result.stderr[-3000:]
    assert "'label': 'positive'" in result.stdout


def test_quick_start_is_short():
    lines = [line for line in BLOCKS[0].splitlines() if line.strip()]
    assert len(lines) <= 10


def test_links_exist():
    prose = re.sub(r"```.*?```", "", README, flags=re.DOTALL)
    links = re.findall(r"\]\(([^)#]+?)(?:#[\w-]+)?\)", prose)
    assert links and not [link for link in links if "://" not in link and not (ROOT / link).exists()]


def test_commands_are_complete():
    from keras_bert.cli.main import cli

    listed = re.search(r"`keras-bert ([\w· -]+)`, each with", README)[1].split(" · ")
    assert listed == cli.list_commands(None)
