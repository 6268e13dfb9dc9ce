"""Read the book's chapters and their notebooks: files, cells, links, counts of figures and assertions.

A chapter is `tutorials/NN_name.py` in percent format, its solutions are `tutorials/solutions/NN_name.py`, and the
notebooks of both are in `tutorials/notebooks/`.
"""

import ast
import re
from pathlib import Path

import jupytext
import nbformat

ROOT = Path(__file__).resolve().parent.parent
TUTORIALS = ROOT / "tutorials"
NOTEBOOKS = TUTORIALS / "notebooks"
INSTALL = """# Installs the package from the clone that has this notebook, unless it is installed already.
import importlib.util
from pathlib import Path

if importlib.util.find_spec("keras_bert") is None:
    clones = [each for each in (Path.cwd(), *Path.cwd().parents) if (each / "keras_bert" / "book.py").is_file()]
    if not clones:
        raise ModuleNotFoundError("Open this notebook in a clone of its repository, which has the package.")
    %pip install --quiet "{clones[0]}[tutorials]"
    importlib.invalidate_caches()
    if importlib.util.find_spec("keras_bert") is None:
        raise ModuleNotFoundError("The installation failed; pip says why above. It needs a network connection.")"""
LINK = re.compile(r"(\]\()([^)\s#:]+)((?:#[^)\s]*)?\))")


def chapters(tutorials: Path = TUTORIALS) -> list[Path]:
    """Return the files of the chapters, in order."""
    return sorted(tutorials.glob("[0-9][0-9]_*.py"))


def solutions(tutorials: Path = TUTORIALS) -> list[Path]:
    """Return the files of the solutions, in order."""
    return sorted((tutorials / "solutions").glob("[0-9][0-9]_*.py"))


def notebook_path(source: Path, tutorials: Path = TUTORIALS) -> Path:
    """Return the path of the notebook of a chapter or of solutions.

    >>> notebook_path(Path("t/solutions/03_attention.py"), Path("t")).as_posix()
    't/notebooks/solutions/03_attention.ipynb'
    """
    return (tutorials / "notebooks" / source.relative_to(tutorials)).with_suffix(".ipynb")


def read_chapter(source: Path) -> nbformat.NotebookNode:
    """Read a file in percent format as a notebook without outputs, whose cells have the same ids in every run."""
    notebook = jupytext.read(source)
    for number, cell in enumerate(notebook.cells):
        cell["id"] = f"cell-{number:03d}"
    # ipykernel's own kernel, which runs sys.executable; installed kernels of other environments are ignored.
    notebook.metadata = nbformat.from_dict(
        {
            "kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"},
            "language_info": {"name": "python", "file_extension": ".py", "mimetype": "text/x-python"},
        }
    )
    return notebook


def as_notebook(source: Path) -> nbformat.NotebookNode:
    """Return the notebook of a file as it is committed, without outputs: with the cell that installs the package.

    Links are relative to the notebook's folder, which is one level deeper than that of the source.
    """
    notebook = read_chapter(source)
    for cell in notebook.cells:
        if cell.cell_type == "markdown":
            cell.source = LINK.sub(_link_from_notebook, cell.source)
    return with_install_cell(notebook)


def with_install_cell(notebook: nbformat.NotebookNode) -> nbformat.NotebookNode:
    """Insert the cell that installs the package where it is missing; the site does not show it."""
    cell = nbformat.v4.new_code_cell(INSTALL, id="install", metadata={"tags": ["remove-cell"]})
    notebook.cells.insert(0, cell)
    return notebook


def _link_from_notebook(match: re.Match) -> str:
    """Rewrite one relative link of a source for its notebook: chapters become notebooks, other files are above."""
    start, target, end = match.groups()
    if re.fullmatch(r"(\.\./)?(solutions/)?\d\d_\w+\.py", target):
        return f"{start}{target.removesuffix('.py')}.ipynb{end}"
    return f"{start}../{target}{end}"


def is_current(source: Path, notebook: Path) -> bool:
    """Return whether the cells of the notebook are those of the source."""
    if not notebook.is_file():
        return False
    expected, found = as_notebook(source), nbformat.read(notebook, as_version=4)
    return [(cell.cell_type, cell.source) for cell in expected.cells] == [
        (cell.cell_type, cell.source) for cell in found.cells
    ]


def update_prose(source: Path, notebook: Path) -> bool:
    """Write the prose of the source into its notebook and keep the outputs, if the code cells are the same.

    Returns:
        Whether the notebook is that of the source now. It is not changed if a code cell differs.
    """
    if not notebook.is_file():
        return False
    expected, found = as_notebook(source), nbformat.read(notebook, as_version=4)
    ran = [cell for cell in found.cells if cell.cell_type == "code"]
    cells = [cell for cell in expected.cells if cell.cell_type == "code"]
    if [cell.source for cell in cells] != [cell.source for cell in ran]:
        return False
    for cell, old in zip(cells, ran, strict=True):
        cell.execution_count, cell.outputs = old.execution_count, old.outputs
    nbformat.write(expected, notebook)
    return True


def title(source: Path) -> str:
    """Return the text of the first heading."""
    return re.search(r"^# # (.+)$", source.read_text(encoding="utf-8"), re.MULTILINE)[1].strip()


def code_cells(notebook: nbformat.NotebookNode) -> list[str]:
    """Return the sources of the code cells, without the one that installs the package."""
    return [cell.source for cell in notebook.cells if cell.cell_type == "code" and cell.get("id") != "install"]


def count_assertions(notebook: nbformat.NotebookNode) -> int:
    """Count the `assert` statements and the calls of `np.testing.assert_…`."""
    nodes = [node for source in code_cells(notebook) for node in ast.walk(ast.parse(source))]
    called = [ast.unparse(node.func).split(".")[-1] for node in nodes if isinstance(node, ast.Call)]
    return sum(isinstance(node, ast.Assert) for node in nodes) + sum(name.startswith("assert_") for name in called)


def images(notebook: nbformat.NotebookNode) -> list[nbformat.NotebookNode]:
    """Return the outputs that are images."""
    outputs = [output for cell in notebook.cells for output in cell.get("outputs", [])]
    return [output for output in outputs if "image/png" in output.get("data", {})]
