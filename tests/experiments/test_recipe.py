"""Short pretraining runs and their page: what is written is what was measured, and a change is only what it says."""

import dataclasses

from experiments import recipe


def test_each_run_changes_what_its_name_says():
    shipped = dataclasses.asdict(recipe.RUNS["as shipped"][0])
    for name, (changed, seeds) in recipe.RUNS.items():
        differs = [key for key, value in dataclasses.asdict(changed).items() if value != shipped[key]]
        shape = {"layers", "hidden"}
        assert len(differs) == (name != "as shipped") or set(differs) == shape, name
        assert len(set(seeds)) == len(seeds)


def test_the_page_has_means_and_spreads(tmp_path, monkeypatch):
    def run(accuracy, loss):
        return {"accuracy": accuracy, "loss": loss, "loss_a_word": 5.0, "parameters": 1000}

    monkeypatch.setattr(recipe, "PAGE", tmp_path / "recipe.md")
    runs = {"as shipped": {"0": run(0.30, 4.0), "1": run(0.32, 4.2)}, "random start": {"0": run(0.14, 6.0)}}
    recipe.write_page({"tokens": 8_192_000, "runs": runs})
    page = (tmp_path / "recipe.md").read_text(encoding="utf-8")
    assert "8.2 million tokens" in page
    assert "| as shipped | 2 | 31.0 ± 1.4 % | 4.10 ± 0.14 | 5.00 | 1,000 |" in page
    assert "| random start | 1 | 14.0 % | 6.00 | 5.00 | 1,000 |" in page
