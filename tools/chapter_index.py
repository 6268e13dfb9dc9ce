"""Write what was measured of the chapters, the book's table of contents, and the figures that README.md shows."""

import base64
import json
from pathlib import Path

import nbformat

from keras_bert.files import atomic_write
from tools import chapters

COLUMNS = ("seconds", "cpu_seconds", "memory_mib", "figures", "assertions")
SHOWN = ("seconds", "memory_mib", "figures", "assertions")  # in the table of contents
README_FIGURES = {  # file in docs/images: chapter, and the number of the figure in it, from 0
    "book-gaps.png": ("00_what_can_bert_do", 1),
    "book-pretraining.png": ("08_what_pretraining_gives", 1),
    "book-deletion.png": ("11_why_this_prediction", 3),
}
INTRODUCTION = """# The book: BERT, built and checked

Each chapter asks one question, builds the answer in plain Keras or numpy, and then shows that the package gives the
same numbers. Read the chapters in order. The notebooks below have all outputs and figures; the files `NN_name.py` are
their source. They run as scripts, too, after `pip install -e '.[tutorials]'` in a clone:
`python tutorials/03_attention.py`. Every chapter runs offline, with the bundled models; the numbers of one published
model, MiniLM, are stored with the book. With `--full` a script uses the real data sets.

Look up words in the [glossary](../docs/glossary.md). The appendices: [symbols and shapes](../docs/book/symbols.md),
[the paper in the code](../docs/book/paper-and-code.md), [common traps](../docs/book/traps.md), and
[what came after BERT](../docs/book/descendants.md).

"""
MEASURED = """
Written by `make notebooks`. Seconds are those of a chapter's last timed run, on 2 cores; MiB is its peak memory.
"""


def read_record(path: Path) -> dict:
    """Read `chapters.json`: file to measured values; empty if it does not exist."""
    return json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}


def write_record(path: Path, tutorials: Path, record: dict) -> None:
    """Write `chapters.json`, one line per file, without files that do not exist."""
    lines = [
        f"{json.dumps(name)}: {json.dumps(record[name])}" for name in sorted(record) if (tutorials / name).exists()
    ]
    with atomic_write(path) as draft:
        draft.write_text("{\n" + ",\n".join(lines) + "\n}\n", encoding="utf-8")


def table(tutorials: Path, record: dict) -> str:
    """Return the measured values of chapters and solutions as a table in Markdown."""
    sources = [*chapters.chapters(tutorials), *chapters.solutions(tutorials)]
    rows = [f"| file | {' | '.join(name.replace('_', ' ') for name in COLUMNS)} |", "|---|" + "---:|" * len(COLUMNS)]
    for source in sources:
        name = source.relative_to(tutorials).as_posix()
        rows.append(f"| {name} | {' | '.join(str(record.get(name, {}).get(each, '–')) for each in COLUMNS)} |")
    total = [sum(record.get(s.relative_to(tutorials).as_posix(), {}).get(each, 0) for s in sources) for each in COLUMNS]
    total[2] = max([each["memory_mib"] for each in record.values()], default=0)
    rows.append(f"| all (memory: the largest) | {' | '.join(f'{value:,}' for value in total)} |")
    return "\n".join(rows)


def index(tutorials: Path, record: dict) -> str:
    """Return the text of tutorials/README.md."""
    rows = ["| chapter | solutions | seconds | MiB | figures | assertions |", "|---|---|---:|---:|---:|---:|"]
    for source in chapters.chapters(tutorials):
        measured = record.get(source.name, {})
        numbers = " | ".join(str(measured.get(name, "–")) for name in SHOWN)
        solution = tutorials / "solutions" / source.name
        exercises = f"[3 exercises](notebooks/solutions/{source.stem}.ipynb)" if solution.exists() else "–"
        rows.append(f"| [{chapters.title(source)}](notebooks/{source.stem}.ipynb) | {exercises} | {numbers} |")
    return INTRODUCTION + "\n".join(rows) + "\n" + MEASURED


def write_index(tutorials: Path, record: dict) -> None:
    """Write tutorials/README.md."""
    with atomic_write(tutorials / "README.md") as draft:
        draft.write_text(index(tutorials, record), encoding="utf-8")


def readme_figure(tutorials: Path, name: str) -> bytes:
    """Return the bytes of a figure of README.md, from the notebook of its chapter."""
    chapter, number = README_FIGURES[name]
    notebook = nbformat.read(tutorials / "notebooks" / f"{chapter}.ipynb", as_version=4)
    return base64.b64decode(chapters.images(notebook)[number]["data"]["image/png"])


def write_readme_figures(tutorials: Path) -> None:
    """Write the figures of README.md whose chapters have a notebook into docs/images."""
    for name, (chapter, _) in README_FIGURES.items():
        if (tutorials / "notebooks" / f"{chapter}.ipynb").exists():
            with atomic_write(tutorials.parent / "docs" / "images" / name) as draft:
                draft.write_bytes(readme_figure(tutorials, name))
