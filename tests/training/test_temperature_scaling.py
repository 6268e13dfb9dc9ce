"""Temperature scaling: compared with a search over all temperatures, and visible in every output of the model."""

import keras
import numpy as np
import pytest

import keras_bert as kb
from keras_bert.inference import predict_logits
from keras_bert.training import calibrate
from keras_bert.training.temperature_scaling import best_temperature

CONFIG = kb.BertConfig(vocab_size=30, hidden_size=8, num_layers=1, num_heads=2, intermediate_size=16)


def examples(count=200, seed=0):
    ids = np.random.default_rng(seed).integers(5, 30, (count, 6))
    return {"input_word_ids": ids, "input_mask": np.ones_like(ids), "input_type_ids": 0 * ids}


@pytest.mark.parametrize("scale", [0.2, 1.0, 6.0])
def test_temperature_has_the_lowest_loss(scale):
    rng = np.random.default_rng(1)
    logits = rng.normal(size=(500, 3))
    labels = np.array([rng.choice(3, p=row) for row in np.exp(logits) / np.exp(logits).sum(-1, keepdims=True)])
    temperatures = np.geomspace(0.05, 20, 4001)
    losses = [
        float(
            keras.ops.mean(keras.losses.sparse_categorical_crossentropy(labels, scale * logits / t, from_logits=True))
        )
        for t in temperatures[::20]
    ]
    expected = temperatures[::20][int(np.argmin(losses))]
    assert best_temperature(scale * logits, labels) == pytest.approx(expected, rel=0.04)


@pytest.mark.parametrize("classes", [1, 3])
def test_logits_are_divided_and_classes_stay(classes):
    keras.utils.set_random_seed(0)
    model = kb.BertClassifier(kb.BertEncoder(CONFIG), num_classes=classes, dropout=0.0)
    model.head.bias.assign(np.linspace(-0.2, 0.3, classes))
    inputs, before = examples(), predict_logits(model, examples())
    scores = before if classes > 1 else np.concatenate([0 * before, before], -1)
    labels = scores.argmax(-1)
    labels[::5] = (labels[::5] + 1) % max(classes, 2)  # 80 % are correct
    found = calibrate(model, inputs, labels)
    np.testing.assert_allclose(predict_logits(model, inputs), before / found["temperature"], rtol=1e-4, atol=1e-6)
    assert found["temperature"] < 1 and found["calibration_error"] < found["calibration_error_before"]
    report = kb.evaluate(model, inputs, labels)
    assert report["calibration_error"] == pytest.approx(found["calibration_error"], abs=1e-4)
    assert calibrate(model, inputs, labels)["temperature"] == pytest.approx(1, abs=1e-2)


def test_models_without_classes_are_rejected():
    model = kb.BertClassifier(kb.BertEncoder(CONFIG), num_classes=1, problem_type="regression")
    with pytest.raises(kb.InputError, match="`model`"):
        calibrate(model, examples(4), np.zeros(4))
    model = kb.BertClassifier(kb.BertEncoder(CONFIG), num_classes=2)
    model.quantize("int8")
    with pytest.raises(kb.InputError, match="quantiz"):
        calibrate(model, examples(4), np.zeros(4, int))
