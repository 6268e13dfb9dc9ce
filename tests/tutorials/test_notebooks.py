"""Every chapter and its solutions have a committed notebook with the same cells, and its outputs are clean."""

import json
import re

import pytest

nbformat = pytest.importorskip("nbformat", reason="the tutorials extra installs nbformat")
pytest.importorskip("jupytext", reason="the tutorials extra installs jupytext")

from tools import chapter_index  # noqa: E402
from tools.chapters import (  # noqa: E402
    NOTEBOOKS,
    TUTORIALS,
    chapters,
    code_cells,
    count_assertions,
    images,
    is_current,
    notebook_path,
    solutions,
)

SOURCES = [pytest.param(path, id=path.relative_to(TUTORIALS).as_posix()) for path in [*chapters(), *solutions()]]
RECORD = chapter_index.read_record(NOTEBOOKS / "chapters.json")
MACHINE = re.compile(r"/(work|tmp|home|root|Users|private|var)/|<[\w.]+ (object )?at 0x[0-9a-f]+>|site-packages/")
MEMORY = 4096  # MiB


@pytest.mark.parametrize("source", SOURCES)
def test_notebook_is_current(source):
    assert is_current(source, notebook_path(source)), f"run: python -m tools.run_notebooks {source}"


@pytest.mark.parametrize("source", SOURCES)
def test_outputs(source):
    """All cells ran in order, nothing on standard error, no path or address of a machine, images with alternatives."""
    notebook = nbformat.read(notebook_path(source), as_version=4)
    nbformat.validate(notebook)
    install, *others = [cell for cell in notebook.cells if cell.cell_type == "code"]
    assert install.id == "install" and install.execution_count is None and not install.outputs
    assert [cell.execution_count for cell in others] == list(range(1, len(others) + 1))
    outputs = [output for cell in others for output in cell.outputs]
    assert [output for output in outputs if output.get("name") == "stderr" or output.output_type == "error"] == []
    texts = [output.get("text", "") + str(output.get("data", {}).get("text/plain", "")) for output in outputs]
    assert [text for text in texts if MACHINE.search(text)] == []
    assert all(output.metadata["image/png"]["alt"] for output in images(notebook))
    assert "execution" not in json.dumps([cell.metadata for cell in notebook.cells])


@pytest.mark.parametrize("source", SOURCES)
def test_measured_values(source):
    measured = RECORD[source.relative_to(TUTORIALS).as_posix()]
    notebook = nbformat.read(notebook_path(source), as_version=4)
    assert measured["figures"] == len(images(notebook))
    assert measured["assertions"] == count_assertions(notebook) > 0
    assert 0 < measured["memory_mib"] < MEMORY
    assert code_cells(notebook) and 0 < measured["cpu_seconds"] and 0 < measured["seconds"]


def test_index_is_current():
    text = (TUTORIALS / "README.md").read_text(encoding="utf-8")
    assert text == chapter_index.index(TUTORIALS, RECORD)


@pytest.mark.parametrize("name", chapter_index.README_FIGURES)
def test_figures_of_readme_are_current(name):
    assert (TUTORIALS.parent / "docs" / "images" / name).read_bytes() == chapter_index.readme_figure(TUTORIALS, name)


def test_no_other_notebooks():
    expected = {notebook_path(source) for source in [*chapters(), *solutions()]}
    assert set(NOTEBOOKS.rglob("*.ipynb")) == expected
