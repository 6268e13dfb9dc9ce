"""Run Sphinx on the assembled sources of the site."""

import importlib.util
import os
import shutil
import sys
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("CUDA_VISIBLE_DEVICES", "-1")

from sphinx.cmd.build import main as sphinx_build

from tools.chapters import ROOT
from tools.site.source_tree import assemble


def build(out: Path, tutorials: Path | None = None, api: bool = True) -> int:
    """Build the site.

    Args:
        out: folder with `source`, `doctrees`, `coverage` and `html`; files that exist in it are replaced.
        tutorials: the folder of the book. Default: the repository's.
        api: whether the site has the API reference.

    Returns:
        The exit status of Sphinx, or 1 if a public name is not documented.
    """
    out = Path(out).resolve()
    shutil.rmtree(out, ignore_errors=True)
    assemble(out / "source", tutorials=tutorials, api=api)
    status = _sphinx("html", out)
    copy_mathjax(out / "html" / "_static" / "mathjax")
    if status or not api:
        return status
    status = _sphinx("coverage", out)
    missing = undocumented((out / "coverage" / "python.txt").read_text(encoding="utf-8"))
    if missing:
        print("error: these public names are not documented:", *missing, sep="\n", file=sys.stderr)
    return status or int(bool(missing))


def copy_mathjax(folder: Path) -> None:
    """Copy MathJax from its package: one file that draws formulas as SVG and loads no other file."""
    package = Path(importlib.util.find_spec("sphinx-mathjax-offline").origin).parent
    folder.mkdir(parents=True, exist_ok=True)
    shutil.copy(package / "static" / "mathjax" / "tex-svg.js", folder)


def undocumented(report: str) -> list[str]:
    """Return the lines of a report of sphinx.ext.coverage that name what is not documented.

    >>> undocumented("Functions:\\n * load_corpus\\n\\nClasses:\\n * Figure -- missing methods:\\n   - save\\n")
    ['load_corpus', 'Figure -- missing methods:', 'save']
    """
    return [line.strip(" *-") for line in report.splitlines() if line.startswith((" * ", "   - "))]


def _sphinx(builder: str, out: Path) -> int:
    """Run one builder with warnings as errors; return its exit status."""
    folders = ["-c", ROOT / "docs", "-d", out / "doctrees", out / "source", out / builder]
    return sphinx_build(["-b", builder, "-n", "-W", "--keep-going", "-q", *map(str, folders)])
