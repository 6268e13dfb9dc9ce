"""The speed tables: best values in bold, and one Markdown line per row."""

import json

import pytest

from experiments import speed_tables
from experiments.results_page import LATEST


def row(ratio, **peers):
    contestant = {"form": "", "value": 10.0, "seconds": 1.0, "memory_mib": 5.0}
    found = {
        name: {"form": "eager", "value": 10 / seconds, "seconds": seconds, "memory_mib": 7.0}
        for name, seconds in peers.items()
    }
    return {
        "workload": "step",
        "precision": "float32",
        "unit": "tokens/s",
        "keras_bert": contestant,
        "peers": found,
        "best_peer": min(peers, key=peers.get, default=None),
        "ratio": ratio,
        "share_of_peak": 0.5,
        "peak": 2e9,
        "notes": [],
    }


def test_fastest_is_bold():
    faster = speed_tables.speed_row(row(2.0, A=2.0, B=4.0))
    assert "| **10 tokens/s** | A eager 5, B eager 2.5 | 2.00 | 50 % of 2 | 5 MiB / 7 MiB |" in faster
    slower = speed_tables.speed_row(row(0.5, A=2.0, B=0.5))
    assert "| 10 tokens/s | **B eager 20**, A eager 5 | 0.50 |" in slower
    assert "| 10 tokens/s | none | - |" in speed_tables.speed_row(row(None))


def test_speed_section_is_one_table():
    lines = speed_tables.speed_section(json.loads(LATEST.read_text(encoding="utf-8")))
    table = [line for line in lines if line.startswith("|")]
    assert len(table) > 50 and {line.count("|") for line in table} == {len(speed_tables.COLUMNS) + 1}


@pytest.mark.parametrize("name", ["results.md", "performance.md"])
def test_page_is_generated(tmp_path, monkeypatch, name):
    """The committed page equals what the generator writes from the committed results."""
    from experiments import results_page

    (tmp_path / "docs").mkdir()
    for each in ("results.md", "performance.md"):
        (tmp_path / "docs" / each).write_bytes((results_page.ROOT / "docs" / each).read_bytes())
    rows = json.loads((results_page.ROOT / "experiments" / "results" / "results.json").read_text(encoding="utf-8"))
    expected = (tmp_path / "docs" / name).read_text(encoding="utf-8")
    monkeypatch.setattr(results_page, "ROOT", tmp_path)
    monkeypatch.setattr(speed_tables, "PERFORMANCE", tmp_path / "docs" / "performance.md")
    results_page.write_page(rows)
    assert (tmp_path / "docs" / name).read_text(encoding="utf-8") == expected
