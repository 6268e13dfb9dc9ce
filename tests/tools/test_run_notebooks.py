"""`make notebooks` on a tiny chapter: outputs without noise, measured values, links, the table of contents."""

import base64
import io
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

nbformat = pytest.importorskip("nbformat", reason="the tutorials extra installs nbformat")
pytest.importorskip("jupytext", reason="the tutorials extra installs jupytext")

from tests.processes import LIMIT  # noqa: E402
from tools import chapter_index, chapters, notebook_outputs  # noqa: E402

ROOT = Path(__file__).resolve().parents[2]
CHAPTER = """# %% [markdown]
# # 01 · Is it tiny?
#
# See [the next](02_next.py), [its exercises](solutions/02_next.py#one), [the glossary](../docs/glossary.md#text) and
# [Keras](https://keras.io).

# %%
import os, sys
print(sys.executable, "KERAS_BERT_MINILM" in os.environ)

# %%
os.write(2, b"I0000 00:00:1796053621.936480   12479 port.cc:153] oneDNN custom operations are on.\\n") and None
print(os.path.join(os.getcwd(), "model"), os.getcwd())
assert True
"""
SOLUTIONS = "# %% [markdown]\n# # 01 · Is it tiny? Solutions\n\n# %%\nassert 1 < 2\n"


@pytest.fixture(scope="module")
def book(tmp_path_factory):
    folder = tmp_path_factory.mktemp("book")
    (folder / "solutions").mkdir()
    (folder / "01_tiny.py").write_text(CHAPTER, encoding="utf-8")
    (folder / "solutions" / "01_tiny.py").write_text(SOLUTIONS, encoding="utf-8")
    environment = {**os.environ, "KERAS_BERT_MINILM": "/nowhere"}
    command = [sys.executable, "-m", "tools.run_notebooks", "--tutorials", str(folder)]
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=LIMIT)
    assert done.returncode == 0, done.stderr
    return folder


def test_outputs_are_stable(book):
    notebook = nbformat.read(book / "notebooks" / "01_tiny.ipynb", as_version=4)
    nbformat.validate(notebook)
    assert [cell.cell_type for cell in notebook.cells] == ["code", "markdown", "code", "code"]
    assert [cell.id for cell in notebook.cells] == ["install", "cell-000", "cell-001", "cell-002"]
    assert "%pip install" in notebook.cells[0].source and notebook.cells[0].outputs == []
    (printed,) = notebook.cells[2].outputs
    executable, minilm = printed.text.split()
    assert os.path.samefile(executable, sys.executable) and minilm == "False"
    (printed,) = notebook.cells[3].outputs  # without the line on standard error
    assert printed.name == "stdout" and printed.text == "model .\n"
    assert all("execution" not in cell.metadata for cell in notebook.cells)


def test_links_are_relative_to_the_notebook(book):
    text = nbformat.read(book / "notebooks" / "01_tiny.ipynb", as_version=4).cells[1].source
    for link in (
        "(02_next.ipynb)",
        "(solutions/02_next.ipynb#one)",
        "(../../docs/glossary.md#text)",
        "(https://keras.io)",
    ):
        assert link in text


def test_measured_values(book):
    record = json.loads((book / "notebooks" / "chapters.json").read_text(encoding="utf-8"))
    assert list(record) == ["01_tiny.py", "solutions/01_tiny.py"]
    assert record["01_tiny.py"]["assertions"] == 1 and record["01_tiny.py"]["figures"] == 0
    assert 10 < record["01_tiny.py"]["memory_mib"] < 500
    assert "| 01_tiny.py |" in chapter_index.table(book, record)
    text = (book / "README.md").read_text(encoding="utf-8")
    assert "[01 · Is it tiny?](notebooks/01_tiny.ipynb)" in text and "(notebooks/solutions/01_tiny.ipynb)" in text


def test_untimed_run_keeps_seconds(book, tmp_path, monkeypatch):
    from tools import run_notebooks

    folder = tmp_path / "book"
    shutil.copytree(book, folder)
    record = folder / "notebooks" / "chapters.json"
    before = json.loads(record.read_text(encoding="utf-8"))["01_tiny.py"]
    slow = {"seconds": 900, "cpu_seconds": 800, "memory_mib": 7, "figures": 5, "assertions": 3}
    monkeypatch.setattr(run_notebooks, "run_notebook", lambda source, path: dict(slow))
    source = str(folder / "01_tiny.py")
    run_notebooks.main(["--tutorials", str(folder), "--untimed", source])
    kept = {name: before[name] for name in ("seconds", "cpu_seconds")}
    assert json.loads(record.read_text(encoding="utf-8"))["01_tiny.py"] == slow | kept
    run_notebooks.main(["--tutorials", str(folder), source])
    assert json.loads(record.read_text(encoding="utf-8"))["01_tiny.py"] == slow


def test_changed_cells_are_noticed(book, tmp_path):
    notebook = book / "notebooks" / "01_tiny.ipynb"
    assert chapters.is_current(book / "01_tiny.py", notebook)
    changed = tmp_path / "01_tiny.py"
    for old, new in (("assert True", "assert not False"), ("Is it tiny?", "Is it small?"), ("# %%\nos.", "\nos.")):
        changed.write_text(CHAPTER.replace(old, new), encoding="utf-8")
        assert not chapters.is_current(changed, notebook)
    assert not chapters.is_current(book / "01_tiny.py", tmp_path / "none.ipynb")


def test_new_prose_keeps_the_outputs(book, tmp_path):
    notebook, source = tmp_path / "01_tiny.ipynb", tmp_path / "01_tiny.py"
    notebook.write_bytes((book / "notebooks" / "01_tiny.ipynb").read_bytes())
    outputs = [cell.get("outputs") for cell in nbformat.read(notebook, as_version=4).cells]
    source.write_text(CHAPTER.replace("Is it tiny?", "Is it small?"), encoding="utf-8")
    assert chapters.update_prose(source, notebook) and chapters.is_current(source, notebook)
    assert [cell.get("outputs") for cell in nbformat.read(notebook, as_version=4).cells] == outputs
    before = notebook.read_bytes()
    source.write_text(CHAPTER.replace("assert True", "assert not False"), encoding="utf-8")
    assert not chapters.update_prose(source, notebook) and notebook.read_bytes() == before
    assert not chapters.update_prose(source, tmp_path / "none.ipynb")


def test_clean_keeps_other_lines_of_standard_error():
    lines = "2026-11-30 10:00:00.123456: I tensorflow/core/x.cc:1] text\nWarning: the loss is NaN\n"
    (output,) = notebook_outputs.clean([{"output_type": "stream", "name": "stderr", "text": lines}])
    assert output.text == "Warning: the loss is NaN\n"


def test_clean_keeps_a_caption_below_its_image():
    stream = {"output_type": "stream", "name": "stdout"}
    image = {"output_type": "display_data", "data": {"text/plain": "[figure]"}, "metadata": {}}
    log = {"output_type": "stream", "name": "stderr", "text": "I0000 00:00:1796053621.9 1 port.cc:1] text\n"}
    outputs = [image, {**stream, "text": "first\n"}, log, {**stream, "text": "number 1\n"}, image]
    kept = notebook_outputs.clean([*outputs, {**stream, "text": "second\n"}])
    assert [output.get("text", "image") for output in kept] == ["image", "first\nnumber 1\n", "image", "second\n"]


def test_images_become_smaller():
    image = pytest.importorskip("PIL.Image")
    picture = image.new("RGBA", (200, 100), "white")
    picture.paste((0, 114, 178, 255), (20, 20, 90, 80))
    original = io.BytesIO()
    picture.save(original, "png", compress_level=0)
    data = {"image/png": base64.b64encode(original.getvalue()).decode()}
    (output,) = notebook_outputs.clean([{"output_type": "display_data", "data": data, "metadata": {}}])
    small = base64.b64decode(output.data["image/png"])
    assert len(small) < 1000 < len(original.getvalue())
    assert image.open(io.BytesIO(small)).convert("RGB").tobytes() == picture.convert("RGB").tobytes()


def test_assertions_are_counted():
    notebook = nbformat.v4.new_notebook()
    notebook.cells = [
        nbformat.v4.new_code_cell("assert 1\nif 1:\n    np.testing.assert_allclose(1, 1)\nprint('assert')")
    ]
    assert chapters.count_assertions(notebook) == 2


@pytest.mark.skipif(shutil.which("make") is None, reason="make is not installed")
def test_makefile_calls_it():
    printed = subprocess.run(["make", "-n", "notebooks"], cwd=ROOT, capture_output=True, text=True).stdout
    assert "-m tools.run_notebooks" in printed
