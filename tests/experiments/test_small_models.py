"""The page on small models: it is the committed one, and it reports what was measured."""

import json

from experiments import small_models, small_models_page

FOUND = {
    "ablation": {"labels": {"1": 0.88, "2": 0.9}},
    "parameters": {"bert_en_uncased_mini": 5_000_000, "bert_en_uncased_small": 20_000_000, "minilm": 22_000_000}
    | {"mpnet": 100_000_000},
    "speed": {
        size: {"bert_en_uncased_mini": 0.001, "bert_en_uncased_small": 0.002, "minilm": 0.002, "mpnet": 0.010}
        for size in ("1", "32")
    },
}


def write(tmp_path, monkeypatch, found: dict) -> str:
    monkeypatch.setattr(small_models_page, "PAGE", tmp_path / "page.md")
    monkeypatch.setattr(small_models_page, "IMAGES", tmp_path)
    small_models_page.write_page(found)
    return (tmp_path / "page.md").read_text(encoding="utf-8")


def test_committed_page(tmp_path, monkeypatch):
    committed = small_models_page.PAGE.read_text(encoding="utf-8")
    found = json.loads(small_models.FOUND.read_text(encoding="utf-8")) if small_models.FOUND.exists() else {}
    assert write(tmp_path, monkeypatch, found) == committed


def test_claims_and_figures(tmp_path, monkeypatch):
    page = write(tmp_path, monkeypatch, FOUND)
    assert "with labels, 2 epochs | 89.0 ± 1.4 | 2 |" in page
    assert "| bert_en_uncased_small and its teachers (SST-2) | 80 % | 400 % |" in page
    for name in ("parameters", "milliseconds"):
        assert (tmp_path / f"small-models-{name}.png").stat().st_size > 10_000
        assert f"(images/small-models-{name}.png)" in page
