"""Every chapter and its solutions run as a script; their assertions are the test. Two of them run in the fast suite."""

import os
import subprocess
import sys

import pytest

pytest.importorskip("jupytext", reason="the tutorials extra installs jupytext")

from tests.processes import LIMIT  # noqa: E402
from tools.chapter_index import read_record  # noqa: E402
from tools.chapters import NOTEBOOKS, ROOT, TUTORIALS, chapters, solutions  # noqa: E402

RECORD = read_record(NOTEBOOKS / "chapters.json")
QUICKEST = sorted(chapters(), key=lambda path: RECORD.get(path.name, {}).get("cpu_seconds", 1e9))[:2]
SOURCES = [
    pytest.param(path, id=path.relative_to(TUTORIALS).as_posix(), marks=() if path in QUICKEST else pytest.mark.slow)
    for path in [*chapters(), *solutions()]
]


@pytest.mark.parametrize("source", SOURCES)
def test_script(source, tmp_path):
    environment = {**os.environ, "MPLBACKEND": "agg", "TF_CPP_MIN_LOG_LEVEL": "3", "PYTHONPATH": str(ROOT)}
    command = [sys.executable, str(source)]
    ran = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=LIMIT)
    assert ran.returncode == 0, ran.stdout[-2000:] + ran.stderr[-4000:]
    figures = [line for line in ran.stdout.splitlines() if line.startswith("figure: ")]
    written = sorted((tmp_path / "tutorials" / "out").glob("*.png")) if figures else []
    assert len(written) == len(set(figures)) and all(path.stat().st_size > 1000 for path in written)
