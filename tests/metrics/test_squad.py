"""SQuAD metrics against the official scripts (squad_cases.json) and by hand."""

import json
from pathlib import Path

import pytest

import keras_bert as kb
from keras_bert.metrics.squad import answer_scores, normalize_answer, squad_metrics, token_f1

CASES = json.loads((Path(__file__).parent / "squad_cases.json").read_text())["cases"]


def test_answer_scores_equal_official_scripts():
    """320 answers, with exact match and F1 by the script of 1.1 and by that of 2.0."""
    assert sum(case["v1"] not in (case["v2"], None) for case in CASES) > 20
    for case in CASES:
        predicted, expected = case["predicted"], case["expected"]
        assert answer_scores(predicted, expected, version_2=True) == pytest.approx(tuple(case["v2"])), case
        if expected:
            assert answer_scores(predicted, expected, version_2=False) == pytest.approx(tuple(case["v1"])), case


@pytest.mark.parametrize("version", ["v1", "v2"])
def test_squad_metrics_equal_official_scripts(version):
    cases = [case for case in CASES if case["expected"] or version == "v2"]
    expected = {str(i): case["expected"] for i, case in enumerate(cases)}
    metrics = squad_metrics(expected, {str(i): case["predicted"] for i, case in enumerate(cases)})
    for i, name in enumerate(("exact_match", "f1")):
        assert metrics[name] == pytest.approx(100 * sum(case[version][i] for case in cases) / len(cases))


def test_squad_2_metrics_by_hand():
    expected = {"a": ["the Norse leader Rollo", "Rollo"], "b": ["10th and 11th centuries"], "c": [], "d": []}
    metrics = squad_metrics(expected, {"a": "rollo!", "b": "the 11th centuries", "c": "", "d": "something"})
    assert metrics["exact_match"] == 50.0 and metrics["answerable_exact_match"] == 50.0
    assert metrics["f1"] == pytest.approx(100 * (1 + 2 * 1 * 0.5 / 1.5 + 1 + 0) / 4)
    assert (metrics["unanswerable_exact_match"], metrics["unanswerable_f1"]) == (50.0, 50.0)
    answerable = {name: expected[name] for name in "ab"}
    assert "answerable_f1" not in squad_metrics(answerable, {"a": "", "b": ""})


def test_rejects_missing_predictions():
    with pytest.raises(kb.InputError, match=r"^`predicted`.*Received: .*\b2\b.*'c'"):
        squad_metrics({"a": ["x"], "b": ["y"], "c": [], "d": []}, {"a": "", "b": ""})


def test_squad_1_metrics_by_hand():
    """Rules of evaluate-v1.1: no prediction is wrong, and no common word gives an F1 of 0."""
    expected = {"a": ["Rollo"], "b": ["The"], "c": ["!"], "d": ["cat"]}
    metrics = squad_metrics(expected, {"a": "the Rollo", "b": "", "c": "an", "d": ""})
    # a is correct; b and c are equal after normalization: an exact match without a common word; d is wrong
    assert (metrics["exact_match"], metrics["f1"]) == (75.0, 25.0)
    metrics = squad_metrics(expected, {"a": "Rollo of Rouen"})
    assert (metrics["exact_match"], metrics["f1"]) == (0.0, pytest.approx(100 * 0.5 / 4))  # 1 of 3 words, 1 of 1: 1 / 2
    metrics = squad_metrics({**expected, "e": []}, {"a": "Rollo", "b": "", "c": "an", "d": "", "e": ""})
    assert (metrics["exact_match"], metrics["f1"]) == (80.0, 80.0)  # rules of 2.0: b and c count as "no answer"


def test_normalize_answer_and_token_f1():
    assert normalize_answer("The  Cat, a dog: an `x`!") == "cat dog x"
    assert token_f1("", "") == 1.0 and token_f1("the", "a") == 1.0 and token_f1("x", "") == 0.0
    assert token_f1("one two two", "two two three") == pytest.approx(2 / 3)
