"""The page of the faithfulness study: counts, bold best values, and the curve of the randomization test."""

from experiments import faithfulness as study
from keras_bert.explain.attribution.faithfulness import summarize
from keras_bert.metrics.bootstrap import Bootstrap


def test_page(tmp_path, monkeypatch):
    monkeypatch.setattr(study, "IMAGES", tmp_path)
    rows = {
        "integrated_gradients": (0.001, 0.5, 0.1, 0.6, 0.2, 40.0),
        "random": (None, 0.1, 0.3, 0.0, 0.01, 1.0),
    }
    table = summarize(
        [{name: dict(zip(study.METRICS, row, strict=True)) for name, row in rows.items()}] * 7, Bootstrap()
    )
    curve = {"gradient": [1.0, 0.25]}
    intervals = {"gradient": [[1.0, 1.0], [0.2, 0.3]]}
    control = {
        "stages": ["trained", "head"],
        "means": curve,
        "intervals": intervals,
        "count": 5,
        "settings": {"seeds": [0]},
    }
    found = {"faithfulness": table.to_dict(), "largest_completeness_error": 0.004, "randomization": control}
    found["faithfulness"]["settings"] |= {"mode": "delete", "steps": 50}
    page = study.page({"a model": found})
    assert "## a model" in page and "7 sentences, 50 steps" in page and "0.4 %" in page
    assert "| integrated_gradients | **0.1 %** | **0.500 [0.500, 0.500]** | **0.100 [0.100, 0.100]** |" in page
    assert "| random | – | 0.100 [0.100, 0.100] | 0.300 [0.300, 0.300] |" in page
    assert "with 5 of these sentences and seeds 0:" in page and "| head | 0.25 [0.20, 0.30] |" in page
    assert (tmp_path / "randomization_1.svg").read_text("utf-8").startswith("<svg xmlns=")
