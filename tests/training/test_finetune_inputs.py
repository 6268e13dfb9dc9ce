"""`finetune` on texts: containers, names, validation, weights; and what the trained model knows afterwards."""

import keras
import numpy as np
import pytest
import tensorflow as tf

import keras_bert as kb
from keras_bert.training.finetuning_data import split_rows
from keras_bert.training.optimizer import bert_adamw
from tests.training import toys

VOCABULARY = toys.VOCABULARY
CONFIG = kb.BertConfig(
    len(VOCABULARY), 8, 1, 2, 16, max_position_embeddings=32, hidden_dropout=0.0, attention_dropout=0.0
)
TEXTS = [f"w{i % 2} w{20 + i}" for i in range(16)]
SECONDS = [f"w{30 - i} w3" for i in range(16)]
LABELS = [i % 2 for i in range(16)]
SETTINGS = {"epochs": 2, "batch_size": 8, "learning_rate": 1e-2, "verbose": 0}


@pytest.fixture(scope="module")
def vectorizer():
    return kb.BertTextVectorization(VOCABULARY, sequence_length=12)


@pytest.fixture(scope="module")
def folder(tmp_path_factory, vectorizer):
    """An encoder with its vocabulary, to load by its path."""
    keras.utils.set_random_seed(1)
    return kb.save_pretrained(kb.BertEncoder(CONFIG), tmp_path_factory.mktemp("encoder") / "m", vectorizer)


def classifier(classes=2, **settings):
    keras.utils.set_random_seed(2)
    return kb.BertClassifier(kb.BertEncoder(CONFIG), classes, dropout=0.0, **settings)


def train(*arguments, model=None, **settings):
    """Train a new classifier and return the history; the initial weights are always the same."""
    return kb.finetune(model or classifier(), *arguments, **{**SETTINGS, **settings})


def assert_same_weights(one, other):
    for a, b in zip(one.get_weights(), other.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)


@pytest.mark.slow
def test_every_container_gives_the_same_weights(vectorizer):
    ids = {key: np.asarray(value) for key, value in vectorizer(TEXTS).items()}
    validation = ids, LABELS
    expected = train(ids, LABELS, *validation)  # the positional form
    for inputs, labels in (
        (TEXTS, LABELS),
        (np.array(TEXTS), np.array(LABELS)),
        (tf.data.Dataset.from_tensor_slices((TEXTS, LABELS)).batch(5), None),
        (tf.data.Dataset.from_tensor_slices((ids, LABELS)).batch(5), None),
    ):
        history = train(inputs, labels, validation_data=validation, vectorizer=vectorizer)
        assert history.history == expected.history
        assert_same_weights(history.model, expected.model)


@pytest.mark.slow
def test_pairs(vectorizer):
    ids = {key: np.asarray(value) for key, value in vectorizer((TEXTS, SECONDS)).items()}
    expected = train(ids, LABELS, ids, LABELS).model
    for pairs in ((TEXTS, SECONDS), list(zip(TEXTS, SECONDS, strict=True))):
        model = train(pairs, LABELS, pairs, LABELS, vectorizer=vectorizer).model
        assert_same_weights(model, expected)
        assert model.pairs and kb.evaluate(model, pairs, LABELS) == kb.evaluate(expected, ids, LABELS)
    with pytest.raises(kb.InputError, match="^`texts` must be pairs"):
        kb.Predictor(model)(TEXTS)


@pytest.mark.slow
def test_name_and_class_names(folder, tmp_path):
    names = ["bad" if label else "good" for label in LABELS]
    settings = {**SETTINGS, "epochs": 40, "validation_split": 0.25}
    history = kb.finetune(folder, TEXTS, names, **settings)
    model = history.model
    assert isinstance(model, kb.BertClassifier) and model.labels == ["bad", "good"] and model.pairs is False
    assert history.history["val_accuracy"][-1] == 1.0
    assert (
        kb.evaluate(model, TEXTS, names)["accuracy"]
        == 1.0
        == kb.evaluate(model, TEXTS, [1 - y for y in LABELS])["accuracy"]
    )
    predictions = kb.Predictor(model)(TEXTS[:2])
    assert [each["label"] for each in predictions] == ["good", "bad"]
    saved = model.save_pretrained(tmp_path / "m")
    assert kb.Predictor(saved)(TEXTS[:2]) == predictions
    assert kb.load_pretrained(saved).labels == model.labels and kb.load_pretrained(saved).pairs is False
    assert kb.evaluate(saved, TEXTS, names)["accuracy"] == 1.0
    # A folder with a head is trained further, with its class names; and the initial weights depend on the seed alone.
    assert kb.finetune(saved, TEXTS, names, **{**SETTINGS, "epochs": 1}).model.labels == ["bad", "good"]
    assert_same_weights(kb.finetune(folder, TEXTS, names, **settings).model, model)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("labels", "problem_type", "classes"),
    [
        ([0, 1, 2, 1] * 4, "single_label", 3),
        ([["a"], ["a", "b"], [], ["b"]] * 4, "multi_label", 2),
        (np.eye(4, dtype=int).tolist() * 4, "multi_label", 4),
        ([0.5, 1.0, 2.0, 0.0] * 4, "regression", 1),
    ],
)
def test_head_depends_on_labels(folder, labels, problem_type, classes):
    model = kb.finetune(folder, TEXTS, labels, **{**SETTINGS, "epochs": 1}).model
    assert (model.problem_type, model.num_classes) == (problem_type, classes)
    assert kb.evaluate(model, TEXTS, labels)["examples"] == 16


def test_without_validation_the_last_weights_are_kept():
    history = train(*toys.labeled(16, length=8)).history
    assert len(history["loss"]) == 2 and not any(name.startswith("val_") for name in history)


@pytest.mark.slow
def test_validation_split_is_stratified_and_seeded(vectorizer):
    labels = np.array([0] * 80 + [1] * 16 + [2] * 4)  # sorted: Keras's last tenth has no class 0
    train_rows, rows = split_rows(labels, 0.25, seed=3)
    assert np.bincount(labels[rows]).tolist() == [20, 4, 1]
    assert sorted([*train_rows, *rows]) == list(range(100))
    assert not np.array_equal(rows, split_rows(labels, 0.25, seed=4)[1])
    assert len(split_rows(np.zeros((10, 3)), 0.2, seed=3)[1]) == 2
    # The parts are those that are trained and validated on.
    train_rows, rows = split_rows(np.array(LABELS), 0.25, seed=0)
    parts = [([TEXTS[i] for i in part], [LABELS[i] for i in part]) for part in (train_rows, rows)]
    expected = train(*parts[0], validation_data=parts[1], vectorizer=vectorizer)
    found = train(TEXTS, LABELS, validation_split=0.25, vectorizer=vectorizer)
    assert found.history == expected.history


@pytest.mark.slow
def test_teacher_logits_follow_the_split():
    ids, labels = toys.labeled(16, length=8)
    teacher = np.random.default_rng(0).normal(size=(16, 2)).astype(np.float32)
    rows = split_rows(labels, 0.25, seed=0)
    parts = [({key: array[part] for key, array in ids.items()}, labels[part]) for part in rows]
    expected = train(*parts[0], *parts[1], teacher_logits=teacher[rows[0]])
    assert train(ids, labels, validation_split=0.25, teacher_logits=teacher).history == expected.history


@pytest.mark.slow
def test_weights_equal_those_of_fit():
    """One batch of all examples: the step of `finetune` and of Keras's `fit` with the same weights."""
    ids, labels = toys.labeled(16, length=8)
    sample_weight = np.linspace(0, 2, 16).astype(np.float32)
    settings = {"epochs": 1, "batch_size": 16, "learning_rate": 1e-2, "warmup": 0.0}
    found = train(ids, labels, sample_weight=sample_weight, class_weight={1: 3.0}, **settings)
    model = classifier()
    loss = kb.tasks.losses.MeanCrossEntropy()
    model.compile(bert_adamw(1e-2), loss=loss)
    weights = sample_weight * np.where(labels == 1, 3, 1)
    fitted = model.fit(ids, labels, sample_weight=weights, batch_size=16, verbose=0).history
    assert found.history["loss"] == pytest.approx(fitted["loss"], rel=1e-5)
    for a, b in zip(found.model.get_weights(), model.get_weights(), strict=True):
        np.testing.assert_allclose(a, b, atol=2e-5)
    unweighted = train(ids, labels, **settings).history
    assert abs(unweighted["loss"][0] - found.history["loss"][0]) > 1e-4


@pytest.mark.slow
def test_class_weight_by_name(vectorizer):
    names = ["bad" if label else "good" for label in LABELS]
    by_name = train(TEXTS, names, class_weight={"good": 4}, vectorizer=vectorizer)
    by_id = train(TEXTS, names, class_weight={1: 4}, vectorizer=vectorizer)
    assert by_name.history == by_id.history != train(TEXTS, names, vectorizer=vectorizer).history


@pytest.mark.slow
def test_token_weights():
    """A weight of 0 for an example has the effect of a row without labels."""
    ids, _ = toys.labeled(16, length=8)
    tags = np.where(ids["input_mask"] > 0, ids["input_word_ids"] % 2, -1)
    kept = np.arange(16) != 3

    def run(tags, **weights):
        keras.utils.set_random_seed(2)
        return train(ids, tags, model=kb.BertTokenClassifier(kb.BertEncoder(CONFIG), 2), **weights).history

    assert run(tags, sample_weight=kept.astype(float)) == run(np.where(kept[:, None], tags, -1))
    assert run(tags, class_weight={0: 5}) != run(tags)


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"labels": None}, "^`labels` must be given"),
        ({"vectorizer": None}, "^`vectorizer` must be given.*Received: vectorizer=None"),
        ({"vectorizer": str}, "^`vectorizer` must be a BertTextVectorization"),
        ({"labels": ["a", "b", "c"] * 5 + ["a"]}, "^`label_names` must be 2"),
        ({"label_names": ["a"]}, "^`label_names` must be 2"),
        ({"label_names": ["a", "b"], "labels": ["a", "c"] * 8}, "^`labels` must be among a, b. Received: 'c'"),
        ({"validation_split": 1.0}, "^`validation_split`.*=1.0"),
        ({"validation_split": 0.1, "validation_data": (TEXTS, LABELS)}, "^`validation_data` must be the only"),
        ({"validation_data": TEXTS}, r"^`validation_data` must be a dataset or \(inputs, labels\)"),
        ({"validation_data": (TEXTS, None)}, "^`validation_data` must have labels"),
        ({"validation_data": (TEXTS, LABELS, LABELS)}, "^`validation_data`.*Received: 3 values"),
        ({"validation_data": (3, LABELS)}, "^`validation_data` must be texts"),
        ({"selection_metric": lambda: 1.0}, "^`selection_metric`"),
        ({"sample_weight": [1, 2]}, r"^`sample_weight`.*\(16\)"),
        ({"sample_weight": [-1] * 16}, "^`sample_weight`"),
        ({"sample_weight": [0] * 16}, "^`sample_weight` and `class_weight` must not be 0"),
        ({"class_weight": [1, 2]}, "^`class_weight` must be a dict"),
        ({"class_weight": {2: 1.0}}, "^`class_weight` must have keys among 0, 1. Received: 2"),
        ({"class_weight": {0: "a"}}, "^`class_weight`.*Received: 0: 'a'"),
    ],
)
def test_rejects(vectorizer, settings, words):
    settings = {"vectorizer": vectorizer, "labels": LABELS, **settings}
    with pytest.raises(kb.InputError, match=words):
        train(TEXTS, settings.pop("labels"), **settings)


def test_rejects_texts_for_labels_of_tokens(vectorizer):
    for model in (kb.BertSpanLabeler(kb.BertEncoder(CONFIG)), kb.BertTokenClassifier(kb.BertEncoder(CONFIG), 2)):
        with pytest.raises(kb.InputError, match="^`inputs` must be token ids for a Bert"):
            train(TEXTS, LABELS, model=model, vectorizer=vectorizer)


def test_rejects_labels_for_a_new_head(folder):
    for labels, words in (
        ([0.0, 1.0] * 8, "^`labels`.*whole numbers as floats"),
        ([0] * 16, "^`labels` must have at least two classes"),
        (["a"] * 16, "^`labels` must have at least two classes"),
    ):
        with pytest.raises(kb.InputError, match=words):
            kb.finetune(folder, TEXTS, labels, **SETTINGS)
