"""Execute the book's chapters and solutions into notebooks with outputs, in tutorials/notebooks.

    python -m tools.run_notebooks                       # all
    python -m tools.run_notebooks --changed             # only those with other code; new prose is copied
    python -m tools.run_notebooks tutorials/03_*.py     # some
    python -m tools.run_notebooks --untimed             # beside other processes: keep the stored seconds
    python -m tools.run_notebooks --table               # what was measured: seconds, memory, figures, assertions

Each runs in an empty folder, in a kernel of this process's Python. The measured values are in `chapters.json`, and
tutorials/README.md is the table of contents that a code host shows.
"""

import argparse
import json
import os
import sys
import tempfile
import time
from pathlib import Path

import nbclient
import nbformat

from tools import chapter_index, chapters, notebook_outputs

# Set before the kernel starts. MiniLM's numbers come from the record, so that they are the same on every machine.
ENVIRONMENT = {
    "TF_CPP_MIN_LOG_LEVEL": "3",
    "CUDA_VISIBLE_DEVICES": "-1",
    "KERAS_BACKEND": "tensorflow",
    "PYTHONHASHSEED": "0",
    "PYDEVD_DISABLE_FILE_VALIDATION": "1",
    "PYTHONPATH": os.pathsep.join([str(chapters.ROOT), *filter(None, [os.environ.get("PYTHONPATH")])]),
}
WITHOUT = ("KERAS_BERT_MINILM", "KERAS_BERT_RECORD", "KERAS_BERT_DATA")
MEASURE = "import time as _time, keras_bert.system as _system\nprint(_time.process_time(), _system.peak_memory_mib())"


def run_notebook(source: Path, path: Path, timeout: int = 900) -> dict:
    """Execute one chapter in an empty folder and write its notebook.

    Args:
        source: a file in percent format.
        path: the notebook; its folder is created.
        timeout: seconds that one cell may take.

    Returns:
        What was measured: `seconds` and `cpu_seconds`, `memory_mib` (peak of the kernel's process), and the numbers of
        `figures` and `assertions`.
    """
    executed = chapters.read_chapter(source)
    executed.cells.append(nbformat.v4.new_code_cell(MEASURE))
    environment = {name: value for name, value in os.environ.items() if name not in WITHOUT} | ENVIRONMENT
    start = time.perf_counter()
    with tempfile.TemporaryDirectory() as folder:
        client = nbclient.NotebookClient(
            executed,
            timeout=timeout,
            kernel_name="python3",
            extra_arguments=["--log-level=ERROR"],
            resources={"metadata": {"path": folder}},
        )
        client.execute(env=environment)
    seconds = time.perf_counter() - start
    cpu_seconds, memory = map(float, executed.cells.pop().outputs[0].text.split())

    notebook = chapters.as_notebook(source)
    for cell, ran in zip(notebook.cells[1:], executed.cells, strict=True):  # the first cell installs the package
        if cell.cell_type == "code":
            cell.execution_count = ran.execution_count
            cell.outputs = notebook_outputs.clean(ran.outputs, os.path.realpath(folder), folder)
    path.parent.mkdir(parents=True, exist_ok=True)
    nbformat.write(notebook, path)
    return {
        "seconds": round(seconds),
        "cpu_seconds": round(cpu_seconds),
        "memory_mib": round(memory),
        "figures": len(chapters.images(notebook)),
        "assertions": chapters.count_assertions(notebook),
    }


def main(argv: list[str] | None = None) -> int:
    """Execute the chapters of a command line; return the exit status."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("chapters", nargs="*", type=Path, help="files; by default all chapters and solutions")
    parser.add_argument("--tutorials", type=Path, default=chapters.TUTORIALS, help="the folder of the book")
    parser.add_argument("--changed", action="store_true", help="run only files with other code cells; copy new prose")
    parser.add_argument("--untimed", action="store_true", help="keep the stored seconds of a chapter")
    parser.add_argument("--table", action="store_true", help="print the measured values and run nothing")
    arguments = parser.parse_args(argv)
    tutorials = arguments.tutorials.resolve()
    record = tutorials / "notebooks" / "chapters.json"
    if arguments.table:
        print(chapter_index.table(tutorials, chapter_index.read_record(record)))
        return 0
    for source in arguments.chapters or [*chapters.chapters(tutorials), *chapters.solutions(tutorials)]:
        source = source.resolve()
        path = chapters.notebook_path(source, tutorials)
        if arguments.changed and chapters.update_prose(source, path):
            continue
        measured = run_notebook(source, path)
        found, name = chapter_index.read_record(record), source.relative_to(tutorials).as_posix()
        if arguments.untimed and name in found:
            measured |= {key: found[name][key] for key in ("seconds", "cpu_seconds")}
        chapter_index.write_record(record, tutorials, {**found, name: measured})  # an interrupted run loses nothing
        print(path, json.dumps(measured), flush=True)
    chapter_index.write_index(tutorials, chapter_index.read_record(record))
    if tutorials == chapters.TUTORIALS:
        chapter_index.write_readme_figures(tutorials)
    return 0


if __name__ == "__main__":
    sys.exit(main())
