"""The comparison of frozen sentence vectors: averages by hand, and the page with bold best values."""

import numpy as np

from experiments import sentence_vectors as study


def test_average_of_known_words():
    words, vectors = {"a": 0, "film": 1, "!": 2}, np.array([[1.0, 0.0], [3.0, 2.0], [5.0, 4.0]])
    found, known = study.average_vectors(["A FILM!", "unseen", "film film"], words, vectors)
    np.testing.assert_array_equal(found, [[3, 2], [0, 0], [3, 2]])
    assert known == 5 / 6


def test_draws_differ_by_seed_only():
    labels = np.zeros(study.POOL)
    first, second = study.draw(labels, 1), study.draw(labels, 2)
    assert len(set(first)) == study.TRAIN and first.tolist() == study.draw(labels, 1).tolist() != second.tolist()


def test_page(tmp_path, monkeypatch):
    monkeypatch.setattr(study, "PAGE", tmp_path / "page.md")
    runs = {
        study.TFIDF: {"1": 0.8, "2": 0.82},
        study.AVERAGE: {"1": 0.7},
        "bert_en_uncased_mini, layer 0": {"1": 0.75, "2": 0.77},
        "bert_en_uncased_mini, layer 1": {"1": 0.9, "2": 0.9},
        "bert_en_uncased_small, layer 0": {"1": 0.79, "2": 0.79},
    }
    study.write_page({"TREC": {"dev": 545, "commonest": 0.235, "known_words": 0.9, "runs": runs}})
    page = (tmp_path / "page.md").read_text(encoding="utf-8")
    assert "| 0 | 76.0 ± 1.4 | 79.0 ± 0.0 | 70.0 | **81.0** ± 1.4 |" in page
    assert "| 1 | **90.0** ± 0.0 | – | 70.0 | 81.0 ± 1.4 |" in page
    assert "545 dev rows; the commonest class has 23.5 %" in page
