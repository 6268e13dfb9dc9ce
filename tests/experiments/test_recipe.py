"""Short pretraining runs: each run changes one setting, and the page has means, deviations and bold best values."""

import dataclasses

from experiments import recipe


def test_each_run_changes_one_setting():
    bundled = dataclasses.asdict(recipe.RUNS["as bundled"][0])
    for name, (changed, seeds) in recipe.RUNS.items():
        differs = {key for key, value in dataclasses.asdict(changed).items() if value != bundled[key]}
        assert len(differs) == (name != "as bundled") or differs == {"layers", "hidden"}, name
        assert len(set(seeds)) == len(seeds)
    assert recipe.RUNS["random initialization"][0] == recipe.Recipe(ppmi=())


def test_page(tmp_path, monkeypatch):
    def run(accuracy, loss, loss_a_word=5.0):
        return {"accuracy": accuracy, "loss": loss, "loss_a_word": loss_a_word, "parameters": 1000}

    monkeypatch.setattr(recipe, "PAGE", tmp_path / "recipe.md")
    runs = {
        "as bundled": {"0": run(0.30, 4.0), "1": run(0.32, 4.2)},
        "random initialization": {"0": run(0.14, 6.0)},
        "vocabulary of 16,384 tokens": {"0": run(0.29, 4.5, 4.9)},
    }
    recipe.write_page({"tokens": 8_192_000, "runs": runs})
    page = (tmp_path / "recipe.md").read_text(encoding="utf-8")
    assert "8.2 million tokens" in page
    assert "| as bundled | 2 | **31.0** ± 1.4 % | **4.10** ± 0.14 | 5.00 ± 0.00 | 1,000 |" in page
    assert "| random initialization | 1 | 14.0 % | 6.00 | 5.00 | 1,000 |" in page
    assert "| vocabulary of 16,384 tokens | 1 | 29.0 % | 4.50 | **4.90** | 1,000 |" in page
