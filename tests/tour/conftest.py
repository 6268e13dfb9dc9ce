"""One quick tour, shared by all tests of the tour."""

import json
from types import SimpleNamespace

import pytest
from rich.console import Console


@pytest.fixture(scope="session")
def tour(tmp_path_factory) -> SimpleNamespace:
    """Run a quick tour; give its folder, its return value, `metrics.json`, the page and the terminal output."""
    from keras_bert.tour.plan import QUICK
    from keras_bert.tour.run import run_tour

    place = tmp_path_factory.mktemp("tour")
    console = Console(record=True, width=100, quiet=False, file=(place / "screen.txt").open("w", encoding="utf-8"))
    facts = run_tour(place / "out", plan=QUICK, console=console)
    console.file.close()
    (place / "screen.txt").unlink()
    return SimpleNamespace(
        place=place,
        out=place / "out",
        facts=facts,
        metrics=json.loads((place / "out" / "metrics.json").read_text(encoding="utf-8")),
        page=(place / "out" / "report.html").read_text(encoding="utf-8"),
        screen=console.export_text(),
    )
