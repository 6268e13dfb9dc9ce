"""Training a head on precomputed features gives the head of the whole model."""

import zipfile

import keras
import numpy as np
import pytest

import keras_bert as kb
from tests.helpers import randomize
from tests.training.toys import CONFIG, labeled


def make(classes=2, pool="max", **settings):
    keras.utils.set_random_seed(5)
    return kb.BertFeatureClassifier(randomize(kb.BertEncoder(CONFIG)), classes, pool, **settings)


@pytest.fixture(scope="module")
def trained():
    classifier = make(classes=3)
    rows, held_out = labeled(240, seed=1, classes=3), labeled(60, seed=2, classes=3)
    before = [weight.numpy() for weight in classifier.encoder.weights]
    parts = [(kb.embed(classifier.encoder, ids, "max"), labels) for ids, labels in (rows, held_out)]
    history = kb.fit_features(classifier, *parts[0], *parts[1], epochs=60, learning_rate=1e-2).history
    return classifier, before, held_out, parts[1], history


def test_head_matches_whole_model(trained):
    classifier, _, (ids, labels), (features, _), _ = trained
    by_head = np.asarray(classifier.head(features))
    # By hand: the maxima over the tokens of each row, then the dense layer.
    tokens = np.asarray(classifier.encoder(ids)["sequence_output"])  # [N, T, H]
    kernel, bias = classifier.head.get_weights()
    maxima = [tokens[row][ids["input_mask"][row] == 1].max(0) for row in range(len(labels))]
    np.testing.assert_allclose(by_head, np.stack(maxima) @ kernel + bias, atol=1e-4)
    np.testing.assert_allclose(by_head, classifier(ids), atol=1e-4)
    assert np.abs(by_head).max() > 1  # otherwise the comparison would be trivial


def test_keeps_best_epoch(trained):
    classifier, before, (ids, labels), _, history = trained
    found = kb.evaluate(classifier, ids, labels)
    assert found["accuracy"] > 0.8  # chance is 0.33
    assert found["loss"] == pytest.approx(min(history["val_loss"]), abs=1e-4)
    assert len(history["loss"]) == 60 and min(history["val_loss"]) < history["val_loss"][-1]
    for weight, value in zip(classifier.encoder.weights, before, strict=True):
        np.testing.assert_array_equal(weight, value)


def test_saves_and_loads_with_keras(trained, tmp_path):
    classifier, _, (ids, _), (features, _), _ = trained
    classifier.save(tmp_path / "model.keras")
    with zipfile.ZipFile(tmp_path / "model.keras") as file:
        assert b"optimizer" not in file.read("model.weights.h5")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    assert (loaded.pool, loaded.num_classes) == ("max", 3)
    np.testing.assert_array_equal(loaded.head(features), classifier.head(features))
    np.testing.assert_allclose(loaded(ids), classifier(ids), atol=1e-6)


def test_finetune_continues_from_head(trained):
    _, _, held_out, _, _ = trained
    classifier = make(classes=3, pool="mean", dropout=0.0)
    before = classifier.head.get_weights()[0]
    first = classifier.encoder.blocks[0].intermediate.kernel.numpy()
    kb.finetune(classifier, *held_out, *held_out, epochs=1, verbose=0)
    assert np.abs(classifier.head.get_weights()[0] - before).max() > 0
    assert np.abs(classifier.encoder.blocks[0].intermediate.kernel.numpy() - first).max() > 0


def test_dropout_only_in_training():
    classifier = make(dropout=0.5)
    features = np.ones((200, 32), np.float32)
    kept = np.asarray(classifier.head.layers[0](features, training=True))
    assert set(np.unique(kept)) == {0, 2}
    np.testing.assert_array_equal(classifier.head(features)[0], classifier.head(features)[1])


def test_rejects_mismatched_input():
    classifier, labels = make(), np.array([0, 1, 1])
    valid = np.ones((3, 32), np.float32)

    def assert_rejected(features, labels, message, **settings):
        with pytest.raises(kb.InputError, match=message):
            kb.fit_features(classifier, features, labels, valid, [0, 1, 1], **settings)
        with pytest.raises(kb.InputError, match=message):
            kb.fit_features(classifier, valid, [0, 1, 1], features, labels, **settings)

    assert_rejected(np.ones((3, 31)), labels, r"_features`.*\(N, 32\).*pool='max'.*Received: shape=\(3, 31\)")
    assert_rejected(np.ones((3, 7, 32)), labels, r"_features`.*Received: shape=\(3, 7, 32\)")
    assert_rejected(np.ones((0, 32)), labels[:0], r"_features`.*Received: shape=\(0, 32\)")
    assert_rejected(np.full((3, 32), np.nan), labels, r"_features`.*Received: 0\b.*\b96\b")
    assert_rejected(valid, labels[:2], r"`labels`.*3")
    assert_rejected(valid, labels + 0.5, "^`labels`.*Received: .*dtype=float64")
    assert_rejected(valid, labels + 1, "^`labels`.*0 … 1.*Received: 1 … 2")
    assert_rejected(valid, labels, "`epochs`.*Received: epochs=0", epochs=0)
    with pytest.raises(kb.InputError, match="`model`.*BertFeatureClassifier"):
        kb.fit_features(classifier.encoder, valid, labels, valid, labels)


@pytest.mark.parametrize(
    "settings, message",
    [
        ({"classes": 1}, "`num_classes`"),
        ({"pool": "median"}, "`pool`"),
        ({"pool": "last4"}, "`pool`"),
        ({"dropout": 1.0}, "`dropout`"),
    ],
)
def test_rejects_invalid_classifier(settings, message):
    with pytest.raises(kb.InputError, match=message):
        make(**settings)
    with pytest.raises(kb.InputError, match="`encoder`"):
        kb.BertFeatureClassifier("bert")
