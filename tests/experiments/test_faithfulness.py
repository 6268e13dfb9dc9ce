"""The page of the faithfulness study: counts, bold best values, and the curve of the randomization test."""

from PIL import Image

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
    completeness = {"largest": 0.04, "above_1_percent": 3}
    found = {"faithfulness": table.to_dict(), "completeness": completeness, "randomization": control}
    found["faithfulness"]["settings"] |= {"mode": "delete", "steps": 50}
    page = study.page({"a model": found})
    assert "## a model" in page and "7 sentences, 50 steps" in page
    assert "above 1 % on 3 sentences;\nthe largest is 4 %." in page
    assert "| integrated_gradients | **0.1 %** | **0.500 [0.500, 0.500]** | **0.100 [0.100, 0.100]** |" in page
    assert "| random | – | 0.100 [0.100, 0.100] | 0.300 [0.300, 0.300] |" in page
    assert "with 5 of these sentences and seeds 0:" in page and "| head | 0.25 [0.20, 0.30] |" in page
    with Image.open(tmp_path / "randomization-1.png") as image:
        assert image.size[0] > 300


def test_cells():
    rows = {
        "gradient_x_input": {"completeness_error": 1.0, "leave_one_out_tau": 0.2},
        "integrated_gradients": {"completeness_error": 5.84e-7, "leave_one_out_tau": 0.3},
        "occlusion": {"completeness_error": 0.964, "leave_one_out_tau": 1.0},
    }
    table = {"rows": rows, "intervals": {name: {"leave_one_out_tau": [0.1, 0.4]} for name in rows}}
    errors = [study._cell(table, name, "completeness_error") for name in rows]
    assert errors == ["100 %", "**0.000058 %**", "96 %"]
    correlations = [study._cell(table, name, "leave_one_out_tau") for name in rows]
    assert correlations == ["0.200 [0.100, 0.400]", "**0.300 [0.100, 0.400]**", "the reference"]
