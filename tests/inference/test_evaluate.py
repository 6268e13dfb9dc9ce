"""`kb.evaluate` for each task: names, intervals, and the options that a task does not have."""

import json
import sys

import keras
import numpy as np
import pytest

import keras_bert as kb
from keras_bert.inference import predict_logits
from keras_bert.metrics import entity_f1
from keras_bert.tasks.classification import CLASSIFICATION
from tests.training import toys

ROWS = 40
CONFIG = kb.BertConfig(len(toys.VOCABULARY), 8, 1, 2, 16, max_position_embeddings=32, initializer_range=0.5)


@pytest.fixture(scope="module")
def encoder():
    keras.utils.set_random_seed(1)
    return kb.BertEncoder(CONFIG)


@pytest.fixture(scope="module")
def ids():
    return toys.labeled(ROWS)[0]


@pytest.fixture(scope="module")
def rng():
    return np.random.default_rng(0)


def made(kind, encoder, ids, rng):
    """A model of each task, and labels for it."""
    shape = ids["input_word_ids"].shape
    positions = rng.integers(0, shape[1], ROWS)
    return {
        "classification": lambda: (kb.BertClassifier(encoder, 3), rng.integers(0, 3, ROWS)),
        "features": lambda: (kb.BertFeatureClassifier(encoder, 3), rng.integers(0, 3, ROWS)),
        "multi-label": lambda: (
            kb.BertClassifier(encoder, 3, problem_type="multi_label"),
            rng.integers(0, 2, (ROWS, 3)),
        ),
        "regression": lambda: (kb.BertClassifier(encoder, 1, problem_type="regression"), rng.normal(size=ROWS)),
        "spans": lambda: (kb.BertSpanLabeler(encoder), {"start_logits": positions, "end_logits": positions}),
        "tokens": lambda: (kb.BertTokenClassifier(encoder, 3), rng.integers(-1, 3, shape)),
    }[kind]()


@pytest.mark.parametrize("kind", ["classification", "features", "multi-label"])
def test_names_of_classes(kind, encoder, ids, rng):
    model, labels = made(kind, encoder, ids, rng)
    by_number, by_name = (kb.evaluate(model, ids, labels, label_names=names) for names in (None, ["a", "b", "c"]))
    assert list(by_number["classes"]) == by_number["class_names"] == ["0", "1", "2"]
    assert list(by_name["classes"]) == by_name["class_names"] == ["a", "b", "c"]
    assert list(by_number["classes"].values()) == list(by_name["classes"].values())
    assert json.loads(json.dumps(by_name)) == by_name
    with pytest.raises(kb.InputError, match="^`label_names` must be 3"):
        kb.evaluate(model, ids, labels, label_names=["a", "b"])


@pytest.mark.parametrize("kind", ["classification", "features", "multi-label", "regression"])
def test_intervals(kind, encoder, ids, rng):
    model, labels = made(kind, encoder, ids, rng)
    found = kb.evaluate(model, ids, labels, bootstrap=100, seed=2)
    assert found["intervals"]["loss"][0] < found["loss"] < found["intervals"]["loss"][1]
    assert found == kb.evaluate(model, ids, labels, bootstrap=100, seed=2)
    assert found["intervals"] != kb.evaluate(model, ids, labels, bootstrap=100, seed=3)["intervals"]
    assert "intervals" not in kb.evaluate(model, ids, labels)


@pytest.mark.parametrize(
    ("kind", "options"),
    [
        ("spans", {"bootstrap": 100}),
        ("tokens", {"bootstrap": 100}),
        ("spans", {"label_names": ["a", "b"]}),
        ("regression", {"label_names": ["a"]}),
        ("classification", {"bootstrap": 10}),
        ("classification", {"bootstrap": 100, "seed": -1}),
    ],
)
def test_rejects_options(kind, options, encoder, ids, rng):
    model, labels = made(kind, encoder, ids, rng)
    name = "seed" if "seed" in options else next(iter(options))
    with pytest.raises(kb.InputError, match=f"^`{name}` must be .*Received: {name}="):
        kb.evaluate(model, ids, labels, **options)


def test_scikit_learn_is_not_needed(encoder, ids, rng, monkeypatch):
    for name in [name for name in sys.modules if name.split(".")[0] == "sklearn"]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "sklearn", None)  # an import of it fails
    for kind in ("classification", "multi-label"):
        model, labels = made(kind, encoder, ids, rng)
        assert kb.evaluate(model, ids, labels, bootstrap=100)["intervals"]["roc_auc"]


def test_basic_metrics_are_few(encoder, ids, rng):
    """What may be computed after every epoch has no report."""
    model, labels = made("classification", encoder, ids, rng)
    basic = CLASSIFICATION.compute_metrics(predict_logits(model, ids), labels, None)
    assert set(basic) == {"accuracy", "loss", "majority", "confusion"}
    found = kb.evaluate(model, ids, labels)
    assert {name: found[name] for name in basic} == basic


def test_entities_of_tokens(encoder, ids, rng):
    model, labels = made("tokens", encoder, ids, rng)
    names = ["O", "B-PER", "I-PER"]
    found, plain = kb.evaluate(model, ids, labels, label_names=names), kb.evaluate(model, ids, labels)
    predicted = predict_logits(model, ids).argmax(-1)
    tags = [
        [[names[i] for i, label in zip(row, labels[n], strict=True) if label >= 0] for n, row in enumerate(part)]
        for part in (labels, predicted)
    ]
    expected = entity_f1(*tags)
    assert {name: found[name] for name in ("precision", "recall", "f1", "types")} == {
        name: expected[name] for name in ("precision", "recall", "f1", "types")
    }
    assert {name: found[name] for name in plain} == plain and "f1" not in plain
    with pytest.raises(kb.InputError, match="^`label_names` must be 3 names"):
        kb.evaluate(model, ids, labels, label_names=["O"])
