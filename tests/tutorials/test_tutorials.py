"""Every tutorial runs as a notebook, and the first also as a script; its own assertions are the test."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

TUTORIALS = sorted((Path(__file__).resolve().parents[2] / "tutorials").glob("[0-9][0-9]_*.py"))
QUICKEST = "02_encoder_from_scratch"
NOTEBOOKS = [
    pytest.param(path, id=path.stem, marks=() if path.stem == QUICKEST else pytest.mark.slow) for path in TUTORIALS
]


def test_there_are_tutorials():
    assert [path.stem[:2] for path in TUTORIALS[:4]] == ["01", "02", "03", "04"]


@pytest.mark.slow
def test_script(tmp_path):
    """A script differs from its notebook only in where figures go, so one is enough."""
    environment = {**os.environ, "MPLBACKEND": "agg", "TF_CPP_MIN_LOG_LEVEL": "3"}
    command = [sys.executable, str(TUTORIALS[0])]
    ran = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=400)
    assert ran.returncode == 0, ran.stdout[-2000:] + ran.stderr[-4000:]
    figures = [Path(line.removeprefix("figure: ")) for line in ran.stdout.splitlines() if line.startswith("figure: ")]
    assert figures and all(figure.is_file() for figure in figures)


@pytest.mark.parametrize("path", NOTEBOOKS)
def test_notebook(path, tmp_path):
    jupytext = pytest.importorskip("jupytext", reason="the tutorials extra installs jupytext")
    nbclient = pytest.importorskip("nbclient", reason="the tutorials extra installs nbclient")
    notebook = jupytext.read(path)
    assert notebook.cells[0].cell_type == "markdown" and notebook.cells[0].source.startswith("# ")
    client = nbclient.NotebookClient(notebook, timeout=400, resources={"metadata": {"path": str(tmp_path)}})
    client.execute()
    pictures = [
        output for cell in notebook.cells for output in cell.get("outputs", []) if "image/png" in output.get("data", {})
    ]
    assert pictures, "a tutorial shows its subject in pictures"
