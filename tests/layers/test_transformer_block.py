"""TransformerBlock against the paper's formulas in NumPy, one head and one query at a time."""

import math
import warnings

import keras
import numpy as np
import pytest

import keras_bert as kb
from keras_bert import ops
from keras_bert.layers import TransformerBlock
from tests.helpers import randomize

H, A, F, T = 16, 4, 24, 7


def block(**changes):
    sizes = {"hidden_size": H, "num_heads": A, "intermediate_size": F, "dropout": 0.0, "attention_dropout": 0.0}
    built = TransformerBlock(**{**sizes, **changes})
    built.build((None, None, H), (None, None))
    return randomize(built)


def hidden_and_mask():
    x = np.random.default_rng(1).standard_normal((2, T, H)).astype("float32")
    return x, np.array([[1] * T, [1] * 4 + [0] * (T - 4)], "int32")


def layer_norm(x, layer):
    return layer.gamma.numpy() * (x - x.mean()) / np.sqrt(x.var() + 1e-12) + layer.beta.numpy()


ACTIVATION = {
    "gelu_tanh": lambda x: 0.5 * x * (1 + math.tanh(math.sqrt(2 / math.pi) * (x + 0.044715 * x**3))),
    "gelu": lambda x: 0.5 * x * (1 + math.erf(x / math.sqrt(2))),
    "relu": lambda x: max(x, 0.0),
}


def formula(layer, x, mask):
    """Compute one example in float64: `[T, H]`, `[T]` -> `[T, H]`, `[A, T, T]`."""
    attention, x = layer.attention, x.astype("float64")
    q, k, v = (
        np.einsum("th,had->atd", x, dense.kernel.numpy().astype("float64")) + dense.bias.numpy()[:, None, :]
        for dense in (attention.query_dense, attention.key_dense, attention.value_dense)
    )
    scores, out = np.zeros((A, T, T)), np.zeros((T, H))
    for t in range(T):
        attended = attention.output_dense.bias.numpy().astype("float64")
        for a in range(A):
            logits = np.array([q[a, t] @ k[a, s] / math.sqrt(H / A) if mask[s] else -np.inf for s in range(T)])
            scores[a, t] = np.exp(logits - logits.max()) / np.exp(logits - logits.max()).sum()
            attended = attended + (scores[a, t] @ v[a]) @ attention.output_dense.kernel.numpy()[a]
        y = layer_norm(x[t] + attended, layer.attention_layer_norm)
        inner = y @ layer.intermediate.kernel.numpy() + layer.intermediate.bias.numpy()
        inner = np.array([ACTIVATION[layer.activation](value) for value in inner])
        inner = inner @ layer.output_dense.kernel.numpy() + layer.output_dense.bias.numpy()
        out[t] = layer_norm(y + inner, layer.output_layer_norm)
    return out, scores


@pytest.mark.parametrize("activation", ["gelu_tanh", "gelu", "relu"])
@pytest.mark.parametrize("attention_dropout", [0.0, 0.1])  # without dropout, Keras uses another function
def test_equals_formula(activation, attention_dropout):
    layer = block(activation=activation, attention_dropout=attention_dropout)
    x, mask = hidden_and_mask()
    for out, scores in (layer(x, mask, return_attention_scores=True), (layer(x, mask), None)):
        for b in range(2):
            expected, expected_scores = formula(layer, x[b], mask[b])
            np.testing.assert_allclose(out[b], expected, atol=3e-6)  # at padding too
            if scores is not None:
                np.testing.assert_allclose(scores[b], expected_scores, atol=1e-6)


def test_mask_dtype_int_or_bool():
    layer, (x, mask) = block(), hidden_and_mask()
    np.testing.assert_array_equal(layer(x, mask), layer(x, mask.astype(bool)))


def test_input_mask_is_used_in_place_of_a_keras_mask():
    layer, (x, mask) = block(), hidden_and_mask()
    masked = keras.layers.Masking(mask_value=9.0)(np.where(np.arange(T)[None, :, None] == 2, np.float32(9.0), x))
    plain = keras.ops.convert_to_tensor(keras.ops.convert_to_numpy(masked))
    assert masked._keras_mask is not None
    np.testing.assert_array_equal(layer(masked, mask), layer(plain, mask))


def test_without_input_mask():
    """All tokens are visible, or those of the Keras mask, which passes through several blocks."""
    layer, (x, mask) = block(), hidden_and_mask()
    np.testing.assert_array_equal(layer(x), layer(x, np.ones_like(mask)))
    second = randomize(block(), seed=3)
    embedding = keras.layers.Embedding(9, H, mask_zero=True)
    ids = np.where(mask, 1 + np.arange(T), 0)
    embedded = embedding(ids)
    expected = second(layer(keras.ops.convert_to_numpy(embedded), mask), mask)
    with warnings.catch_warnings():
        warnings.simplefilter("error")  # Keras would warn if a layer dropped the mask
        found = second(layer(embedded))
    np.testing.assert_allclose(found, expected, atol=1e-6)
    inputs = keras.Input((None,), dtype="int32")
    model = keras.Model(inputs, second(layer(embedding(inputs))))
    np.testing.assert_allclose(model.predict(ids, verbose=0), expected, atol=1e-5)
    assert np.abs(found - second(layer(keras.ops.convert_to_numpy(embedded)))).max() > 1e-3


@pytest.mark.parametrize("rates", [{"dropout": 0.5}, {"attention_dropout": 0.5}])
def test_dropout_acts_only_in_training(rates):
    layer, (x, mask) = block(**rates), hidden_and_mask()
    np.testing.assert_array_equal(layer(x, mask), layer(x, mask, training=False))
    first, second = (np.array(layer(x, mask, training=True)) for _ in range(2))
    assert np.abs(first - second).max() > 0.01


def test_both_hidden_dropouts_act():
    layer = block(dropout=0.5)
    x, mask = hidden_and_mask()
    inner = np.array(layer.output_dropout(np.ones((2, T, H)), training=True))
    after_attention = np.array(layer.attention_dropout(np.ones((2, T, H)), training=True))
    assert 0.2 < (inner == 0).mean() < 0.8 and 0.2 < (after_attention == 0).mean() < 0.8
    layer.attention_dropout.rate = 0.0  # leaves the dropout after the feed-forward network
    first, second = (np.array(layer(x, mask, training=True)) for _ in range(2))
    assert np.abs(first - second).max() > 0.01


def test_kernels_have_different_initial_values():
    layer = TransformerBlock(hidden_size=H, num_heads=A, intermediate_size=H, initializer_range=0.02)
    layer.build((None, None, H))
    kernels = [weight.numpy().reshape(-1) for weight in layer.weights if weight.name == "kernel"]
    assert len(kernels) == 6
    for i, kernel in enumerate(kernels):
        assert (
            0.012 < kernel.std() < 0.022 and np.abs(kernel).max() <= 0.04 + 1e-6
        )  # truncated at two standard deviations
        assert all(np.abs(kernel - other).max() > 0.01 for other in kernels[:i])


SLOTS = pytest.mark.parametrize("slot", ["after_attention", "after_feed_forward"])


@SLOTS
def test_identity_in_slot_equals_plain_block(slot):
    x, mask = hidden_and_mask()
    plain, filled = block(dropout=0.1), block(dropout=0.1, **{slot: keras.layers.Identity()})
    for name in ("attention_dropout", "output_dropout"):
        state, reference = (getattr(layer, name).seed_generator.state for layer in (filled, plain))
        state.assign(reference)
    positions = np.array([[0, 4], [2, 2]], "int32")
    with ops.disable_kernels():
        for settings in ({}, {"training": True}):
            np.testing.assert_array_equal(filled(x, mask, **settings), plain(x, mask, **settings))
        selected = (np.asarray(layer(x, mask, positions)) for layer in (filled, plain))
        np.testing.assert_allclose(*selected, atol=1e-5)  # with a slot all positions are computed
        for actual, expected in zip(
            *(layer(x, mask, return_attention_scores=True) for layer in (filled, plain)), strict=True
        ):
            np.testing.assert_array_equal(actual, expected)


def dense_relu():
    return keras.layers.Dense(H, "relu")


def squeeze_and_excitation():
    x = keras.Input((None, H))
    squeezed = keras.layers.GlobalAveragePooling1D(keepdims=True)(x)
    gate = keras.layers.Dense(H, "sigmoid")(keras.layers.Dense(4, "relu")(squeezed))
    return keras.Model(x, keras.layers.Multiply()([x, gate]))


@SLOTS
@pytest.mark.parametrize("made", [dense_relu, squeeze_and_excitation])
def test_custom_layer_in_slot(made, slot, tmp_path):
    keras.utils.set_random_seed(0)  # with some seeds all ReLU units are 0 for every input and have no gradient
    x, mask = hidden_and_mask()
    inputs = [keras.Input((None, H)), keras.Input((None,), dtype="int32")]
    model = keras.Model(inputs, TransformerBlock(H, A, F, **{slot: made()})(*inputs))
    own = getattr(randomize(model).layers[-1], slot)
    with ops.disable_kernels():
        assert np.abs(model([x, mask]) - randomize(block())(x, mask)).max() > 1e-3
    before = [weight.numpy() for weight in own.trainable_weights]
    assert len(before) == {dense_relu: 2, squeeze_and_excitation: 4}[made]
    model.compile("sgd", "mse")
    model.train_on_batch([x, mask], np.roll(x, 1, axis=-1))
    assert all(np.any(weight != old) for weight, old in zip(own.trainable_weights, before, strict=True))
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    np.testing.assert_array_equal(loaded([x, mask]), model([x, mask]))


@SLOTS
def test_slots_keep_the_kernels_of_the_other_sublayers(slot):
    """A block with a slot equals its plain functions, in training and with gradients, on a graph with kernels."""
    tf = pytest.importorskip("tensorflow")
    x, mask = np.random.default_rng(1).standard_normal((2, 9, H)).astype("float32"), np.ones((2, 9), "int32")
    layer = block(**{slot: keras.layers.Dense(H, "relu")})
    results = []
    for names in (("cpu_data_parallel",), ()):

        def run():
            with tf.GradientTape() as tape:
                loss = tf.reduce_sum(layer(x, mask, training=True) ** 3)
            return [loss, *tape.gradient(loss, [weight.value for weight in layer.trainable_weights])]

        with ops.disable_kernels(*names):
            results.append([np.asarray(value) for value in tf.function(run, autograph=False)()])
    for actual, expected in zip(*results, strict=True):
        np.testing.assert_allclose(actual, expected, atol=1e-4 * max(1, np.abs(expected).max()))
    assert any((actual != expected).any() for actual, expected in zip(*results, strict=True))


@SLOTS
def test_slot_reads_all_positions(slot):
    layer = block(**{slot: squeeze_and_excitation()})
    x, mask = hidden_and_mask()
    positions = np.array([[0, 5], [3, 0]], "int32")
    found, scores = layer(x, mask, positions, return_attention_scores=True)
    whole, all_scores = layer(x, mask, return_attention_scores=True)
    np.testing.assert_array_equal(found, np.take_along_axis(np.asarray(whole), positions[..., None], 1))
    np.testing.assert_array_equal(scores, np.take_along_axis(np.asarray(all_scores), positions[:, None, :, None], 2))
    np.testing.assert_array_equal(layer(x, mask, positions), found)


def test_rejects_invalid_arguments():
    with pytest.raises(kb.InputError, match="`hidden_size`.*hidden_size=10, num_heads=4"):
        TransformerBlock(hidden_size=10, num_heads=4, intermediate_size=8)
    with pytest.raises(kb.InputError, match="`activation`.*'swish'"):
        TransformerBlock(hidden_size=8, num_heads=4, intermediate_size=8, activation="swish")
    with pytest.raises(kb.InputError, match="`hidden_states`.*hidden_size=16"):
        TransformerBlock(H, A, F)(np.ones((1, 3, 8), "float32"), np.ones((1, 3), "int32"))
