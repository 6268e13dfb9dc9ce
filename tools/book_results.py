"""Copy the results of longer runs that chapters of the book show into keras_bert/book_results.json.

    python -m tools.book_results

A chapter is read alone, also where only the package is installed, so it cannot read the files of the repository.
"""

import json
import re
from pathlib import Path

from keras_bert.book import RESULTS
from keras_bert.files import atomic_write

ROOT = Path(__file__).resolve().parent.parent


def sst2_accuracies(results: dict, mini: dict, small: dict) -> dict[str, list[float]]:
    """Return the accuracies on SST-2 dev in percent after training on all of its train set, one per seed.

    Args:
        results: experiments/results/results.json, whose rows are texts.
        mini: tools/measured.json.
        small: tools/small_model/measured.json.
    """
    constant, tfidf = map(float, re.findall(r"([\d.]+) %", results["sst2_baselines"]["result"]))
    random_weights = re.search(r"\((.+)\)", results["sst2_scratch"]["result"])[1]
    shares = {
        "mini": [each["accuracy"] for each in mini["finetuning"]["runs"]],
        "MiniLM": [each["sst2_dev"] for each in small["sst2_labels_only"]["minilm"]],
        "MiniLM, trimmed": [each["sst2_dev"] for each in small["sst2_labels_only"]["trimmed"]],
        "small, teachers": [each["dev"] for each in small["students"]["runs"]],
    }
    return {
        "most frequent class": [constant],
        "TF-IDF": [tfidf],
        "mini, random weights": [float(each) for each in random_weights.split(", ")],
        **{name: [round(100 * each, 4) for each in values] for name, values in shares.items()},
    }


def recipe_accuracies(recipe: dict) -> dict[str, list[float]]:
    """Return the masked-LM accuracies in percent of docs/recipe.md that chapter 07 shows, one per seed."""
    names = ("as bundled", "random initialization", "PPMI without the embeddings", "with next-sentence prediction")
    return {name: [round(100 * each["accuracy"], 4) for each in recipe["runs"][name].values()] for name in names}


def collect() -> dict:
    """Return the results by name, read from the files that the programs of the repository wrote."""
    results, recipe, mini, small = (
        json.loads((ROOT / path).read_text(encoding="utf-8"))
        for path in (
            "experiments/results/results.json",
            "experiments/results/recipe.json",
            "tools/measured.json",
            "tools/small_model/measured.json",
        )
    )
    healing, held_out = small["healing"], mini["held_out"]
    batch_size = int(re.search(r"--batch-size (\d+)", mini["pretraining"]["command"])[1])
    tokens = mini["pretraining"]["steps"] * batch_size * held_out["tokens_per_row"]
    return {
        "sst2": sst2_accuracies(results, mini, small),
        "recipe": recipe_accuracies(recipe),
        "healing": {"step": healing["step"], "masked_loss": healing["masked_loss"]},
        "mini": {
            "million tokens read": round(tokens / 1e6),
            "held-out accuracy": round(100 * held_out["mlm_accuracy"], 4),
        },
    }


def main() -> None:
    """Write the file, one line per name."""
    lines = (f"{json.dumps(name)}: {json.dumps(values)}" for name, values in collect().items())
    with atomic_write(RESULTS) as draft:
        draft.write_text("{\n" + ",\n".join(lines) + "\n}\n", encoding="utf-8")


if __name__ == "__main__":
    main()
