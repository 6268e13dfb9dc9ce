"""Entity metrics against seqeval (seqeval_cases.json, random tags) and by hand."""

import json
from pathlib import Path

import pytest

import keras_bert as kb
from keras_bert.metrics import entity_f1, extract_entities

CASES = json.loads((Path(__file__).parent / "seqeval_cases.json").read_text())["cases"]


@pytest.mark.parametrize("case", CASES, ids=range(len(CASES)))
def test_entity_f1_equals_seqeval(case):
    metrics = entity_f1(case["expected"], case["predicted"])
    for name in ("precision", "recall", "f1", "accuracy"):
        assert metrics[name] == pytest.approx(case[name]), name
    for entity_type, (precision, recall, f1, count) in case["types"].items():
        computed = metrics["types"][entity_type]
        assert (computed["precision"], computed["recall"], computed["f1"]) == pytest.approx((precision, recall, f1))
        assert computed["entities"] == count


def test_extract_entities_boundaries():
    assert extract_entities(["I-PER", "I-PER", "I-LOC"]) == [("PER", 0, 2), ("LOC", 2, 3)]
    assert extract_entities(["B-PER", "B-PER"]) == [("PER", 0, 1), ("PER", 1, 2)]
    assert extract_entities(["S-PER", "I-PER", "E-PER", "O"]) == [("PER", 0, 1), ("PER", 1, 3)]
    assert extract_entities(["O"]) == [] and extract_entities([]) == []


def test_rejects_mismatched_lengths():
    with pytest.raises(kb.InputError, match="`predicted`"):
        entity_f1([["O", "O"]], [["O"]])
