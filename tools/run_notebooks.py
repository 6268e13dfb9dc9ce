"""Execute tutorials in percent format into notebooks with their outputs: `python -m tools.run_notebooks CHAPTER...`."""

import argparse
import sys
import tempfile
from pathlib import Path

import jupytext
import nbclient
import nbformat


def run_notebook(chapter: Path, out: Path, timeout: int = 900) -> Path:
    """Execute one chapter in an empty folder with the Python of this process.

    Args:
        chapter: a `.py` file in percent format.
        out: folder of the notebook; it is created.
        timeout: seconds that one cell may take.

    Returns:
        The path of the notebook, `<out>/<chapter>.ipynb`.
    """
    notebook = jupytext.read(chapter)
    # ipykernel's own kernel, which runs sys.executable; installed kernels of other environments are ignored.
    notebook.metadata["kernelspec"] = {"name": "python3", "display_name": "Python 3", "language": "python"}
    with tempfile.TemporaryDirectory() as folder:
        client = nbclient.NotebookClient(
            notebook, timeout=timeout, kernel_name="python3", resources={"metadata": {"path": folder}}
        )
        client.execute()
    for cell in notebook.cells:
        cell.metadata.pop("execution", None)  # times of execution would change the file in every run
    out.mkdir(parents=True, exist_ok=True)
    path = out / f"{chapter.stem}.ipynb"
    nbformat.write(notebook, path)
    return path


def main(argv: list[str] | None = None) -> int:
    """Execute the chapters of a command line; return the exit status."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("chapters", nargs="+", type=Path)
    parser.add_argument("--out", type=Path, default=Path("tutorials/notebooks"))
    arguments = parser.parse_args(argv)
    for chapter in arguments.chapters:
        print(run_notebook(chapter, arguments.out), flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
