"""`make notebooks` on a tiny chapter."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
CHAPTER = """# %% [markdown]
# # A tiny chapter

# %%
import sys
print(sys.executable)
"""


@pytest.mark.slow
def test_make_notebooks(tmp_path):
    nbformat = pytest.importorskip("nbformat", reason="the tutorials extra installs nbformat")
    pytest.importorskip("jupytext", reason="the tutorials extra installs jupytext")
    chapter = tmp_path / "01_tiny.py"
    chapter.write_text(CHAPTER, encoding="utf-8")
    command = [sys.executable, "-m", "tools.run_notebooks", "--out", str(tmp_path / "notebooks"), str(chapter)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    notebook = nbformat.read(tmp_path / "notebooks" / "01_tiny.ipynb", as_version=4)
    assert [cell.cell_type for cell in notebook.cells] == ["markdown", "code"]
    (output,) = notebook.cells[1].outputs
    assert os.path.samefile(output.text.strip(), sys.executable)


@pytest.mark.skipif(shutil.which("make") is None, reason="make is not installed")
def test_makefile_calls_it_for_every_chapter():
    printed = subprocess.run(["make", "-n", "notebooks"], cwd=ROOT, capture_output=True, text=True).stdout
    chapters = sorted(path.relative_to(ROOT).as_posix() for path in (ROOT / "tutorials").glob("[0-9]*.py"))
    assert "-m tools.run_notebooks" in printed and chapters
    assert all(chapter in printed for chapter in chapters)
