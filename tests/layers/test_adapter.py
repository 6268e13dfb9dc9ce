"""Adapter: near the identity at first, trainable, saved with a model."""

import keras
import numpy as np
import pytest

import keras_bert as kb
from keras_bert.layers import Adapter, TransformerBlock
from tests.helpers import random_inputs, randomize, tiny_config

X = np.random.default_rng(0).standard_normal((2, 5, 8)).astype("float32")


def test_equals_formula():
    adapter = Adapter(3)
    adapter(X)
    randomize(adapter)
    down, down_bias, up, up_bias = (np.asarray(weight, "float64") for weight in adapter.weights)
    expected = X + np.maximum(X @ down + down_bias, 0) @ up + up_bias
    np.testing.assert_allclose(adapter(X), expected, atol=1e-5)


def test_starts_near_the_identity():
    adapter = Adapter(3)
    out = np.asarray(adapter(X))
    assert 0 < np.abs(out - X).max() < 1e-3
    assert adapter.count_params() == 2 * 8 * 3 + 3 + 8


def cosine(a, b):
    return (a * b).sum(-1) / np.sqrt((a**2).sum(-1) * (b**2).sum(-1))


def test_encoder_with_new_adapters_computes_almost_the_same():
    def block(**settings):
        return TransformerBlock(**settings, after_attention=Adapter(8), after_feed_forward=Adapter(8))

    config = tiny_config()
    plain, adapted = kb.BertEncoder(config), kb.BertEncoder(config, block=block)
    randomize(plain)
    values = {weight.path: weight for weight in plain.weights}
    for weight in adapted.weights:
        if weight.path in values:
            weight.assign(values[weight.path])
    inputs = random_inputs(config)
    expected, actual = (np.asarray(encoder(inputs)["sequence_output"]) for encoder in (plain, adapted))
    assert cosine(expected, actual).min() > 0.999
    assert np.abs(expected - actual).max() > 0


def test_training_changes_the_adapter_alone(tmp_path):
    keras.utils.set_random_seed(1)  # with some seeds both ReLU units are 0 for every input and have no gradient
    x, mask = keras.Input((None, 8)), keras.Input((None,), dtype="int32")
    block = TransformerBlock(8, 2, 16, dropout=0.0, attention_dropout=0.0, after_attention=Adapter(2))
    model = keras.Model([x, mask], block(x, mask))
    for layer in (block.attention, block.intermediate, block.output_dense):
        layer.trainable = False
    before = {weight.path: np.array(weight) for weight in block.weights}
    model.compile(keras.optimizers.SGD(0.5), "mse", jit_compile=False)
    batch = [X, np.ones((2, 5), "int32")]
    model.train_on_batch(batch, np.roll(X, 1, -1))
    changed = {path for path, value in before.items() if np.any(value != dict_of(block)[path])}
    assert changed == {weight.path for weight in block.trainable_weights}
    model.save(tmp_path / "model.keras")
    np.testing.assert_array_equal(keras.saving.load_model(tmp_path / "model.keras")(batch), model(batch))


def dict_of(layer):
    return {weight.path: np.asarray(weight) for weight in layer.weights}


def test_rejects_invalid_arguments():
    with pytest.raises(kb.InputError, match="`bottleneck_size`.*bottleneck_size=0"):
        Adapter(0)
    with pytest.raises(kb.InputError, match="`activation`.*'swish'"):
        Adapter(2, "swish")
