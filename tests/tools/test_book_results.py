"""The results that the book shows are those of the experiments' files, and those that docs/ states."""

import json
import statistics
from pathlib import Path

import pytest

from keras_bert.book import RESULTS
from tools import book_results

DOCS = Path(__file__).resolve().parent.parent.parent / "docs"
STORED = json.loads(RESULTS.read_text(encoding="utf-8"))


def test_file_is_current():
    assert book_results.collect() == STORED, "run: python -m tools.book_results"


@pytest.mark.parametrize(
    "result, name, page, decimals",
    [
        ("sst2", "mini, random weights", "results.md", 2),
        ("sst2", "mini", "results.md", 2),
        ("sst2", "small, teachers", "results.md", 2),
        ("sst2", "MiniLM", "small-models.md", 1),
        ("sst2", "MiniLM, trimmed", "small-models.md", 1),
        ("recipe", "as bundled", "recipe.md", 1),
        ("recipe", "random initialization", "recipe.md", 1),
    ],
)
def test_mean_and_deviation_are_those_of_the_docs(result, name, page, decimals):
    values = STORED[result][name]
    expected = f"{statistics.mean(values):.{decimals}f} ± {statistics.stdev(values):.{decimals}f}"
    assert expected in (DOCS / page).read_text(encoding="utf-8")


@pytest.mark.parametrize(
    "result, name, page, text",
    [
        ("sst2", "most frequent class", "results.md", "| {:.1f} %; "),
        ("sst2", "TF-IDF", "results.md", " %; {:.1f} % |"),
        ("recipe", "PPMI without the embeddings", "recipe.md", "| PPMI without the embeddings | 1 | {:.1f} % "),
        ("recipe", "with next-sentence prediction", "recipe.md", "| with next-sentence prediction | 1 | {:.1f} % "),
    ],
)
def test_single_values_are_those_of_the_docs(result, name, page, text):
    (value,) = STORED[result][name]
    assert text.format(value) in (DOCS / page).read_text(encoding="utf-8")
