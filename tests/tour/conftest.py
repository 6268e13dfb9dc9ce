"""One quick tour, shared by all tests of the tour."""

import json
from types import SimpleNamespace

import pytest
from rich.console import Console


@pytest.fixture(scope="session")
def tour(tmp_path_factory) -> SimpleNamespace:
    """Run a quick tour; return its folder, its return value, `metrics.json`, the page and the terminal output."""
    from keras_bert.tour.plan import QUICK
    from keras_bert.tour.run import run_tour

    parent = tmp_path_factory.mktemp("tour")
    console = Console(record=True, width=100, quiet=False, file=(parent / "screen.txt").open("w", encoding="utf-8"))
    facts = run_tour(parent / "out", plan=QUICK, console=console)
    console.file.close()
    (parent / "screen.txt").unlink()
    return SimpleNamespace(
        parent=parent,
        out=parent / "out",
        facts=facts,
        metrics=json.loads((parent / "out" / "metrics.json").read_text(encoding="utf-8")),
        page=(parent / "out" / "report.html").read_text(encoding="utf-8"),
        screen=console.export_text(),
    )
