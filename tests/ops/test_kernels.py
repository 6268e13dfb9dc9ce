"""Kernels against the plain functions: outputs, gradients, training steps."""

import gc

import keras
import numpy as np
import pytest
import tensorflow as tf

import keras_bert as kb
from keras_bert import ops
from keras_bert.layers import BertEmbeddings, MaskedLMHead, TransformerBlock
from keras_bert.ops.loss import MANY_CLASSES
from keras_bert.training.optimizer import bert_adamw
from keras_bert.training.pretraining_metrics import compile_pretrainer
from tests.helpers import random_inputs, randomize, tiny_config

B, T, H, P = 2, 9, 16, 8
RNG = np.random.default_rng(0)
X = RNG.normal(size=(B, T, H)).astype("float32")
MASK = np.array([[1] * T, [1] * 4 + [0] * (T - 4)])
POSITIONS = np.array([[0, 3, 8, 8, 1, 2, 5, 7], [4, 4, 0, 1, 2, 3, 3, 0]])
# Which kernels are used, by the names that are disabled: none, those in plain operations, the compiled ones.
KINDS = {"plain": ops.KERNELS, "flat": ("xla",), "compiled": ()}
DTYPES = pytest.mark.parametrize(("dtype", "tolerance"), [("float32", 2e-5), ("mixed_bfloat16", 0.06)])


def trace(function, kind):
    """Run a function in a graph that is traced with one kind of kernels."""
    with ops.disable_kernels(*KINDS[kind]) if KINDS[kind] else ops.disable_kernels("cpu_data_parallel"):
        return tf.function(function, autograph=False)()


def outputs_and_gradients(function, layers, kind):
    def run():
        with tf.GradientTape() as tape:
            output = function()
            # A different weight per value, so that no gradient is 0 by symmetry.
            weights = np.random.default_rng(1).normal(size=output.shape)
            loss = tf.reduce_sum(tf.cast(output, "float32") * tf.cast(weights, "float32"))
        variables = [weight.value for layer in layers for weight in layer.trainable_weights]
        return [output, *map(tf.convert_to_tensor, tape.gradient(loss, variables))]

    return [np.asarray(tf.cast(value, "float32")) for value in trace(run, kind)]


def assert_kernels_equal_plain(function, layers, tolerance):
    plain, flat, compiled = (outputs_and_gradients(function, layers, kind) for kind in KINDS)
    for expected, *actual in zip(plain, flat, compiled, strict=True):
        for value in actual:
            assert np.abs(expected - value).max() <= tolerance * max(1, np.abs(expected).max())
    for values in (flat, compiled):  # other operations, so not bit for bit
        assert any((value != expected).any() for value, expected in zip(values, plain, strict=True))
    assert any((a != b).any() for a, b in zip(flat, compiled, strict=True))


def block(**settings):
    layer = TransformerBlock(H, 2, 32, **{"dropout": 0.0, "attention_dropout": 0.0, **settings})
    layer.build((None, None, H))
    return randomize(layer)


@pytest.mark.parametrize(
    ("dtype", "tolerance", "activation", "positions"),
    [
        ("float32", 2e-5, "gelu_tanh", None),
        ("float32", 2e-5, "gelu", POSITIONS),
        ("float32", 2e-5, "relu", None),
        ("mixed_bfloat16", 0.06, "gelu_tanh", POSITIONS),
    ],
)
def test_block_training(dtype, tolerance, activation, positions):
    layer, x = block(activation=activation, dtype=dtype), tf.constant(X)
    assert_kernels_equal_plain(lambda: layer(x, MASK, positions, training=True), [layer], tolerance)


@DTYPES
@pytest.mark.parametrize("activation", ["gelu_tanh", "gelu", "relu"])
@pytest.mark.parametrize("positions", [None, POSITIONS], ids=["all", "positions"])
def test_block_inference(dtype, tolerance, activation, positions):
    layer = block(activation=activation, dtype=dtype, dropout=0.1, attention_dropout=0.1)
    plain, flat, compiled = (
        np.asarray(tf.cast(trace(lambda: layer(X, MASK, positions), kind), "float32")) for kind in KINDS
    )
    np.testing.assert_allclose(flat, plain, atol=tolerance)
    np.testing.assert_array_equal(compiled, flat)  # nothing is compiled in inference
    np.testing.assert_allclose(tf.cast(layer(X, MASK, positions), "float32"), plain, atol=tolerance)  # eager


@DTYPES
def test_embeddings(dtype, tolerance):
    layer = BertEmbeddings(vocab_size=11, hidden_size=8, dropout=0.0, dtype=dtype)
    ids, types = RNG.integers(0, 11, (3, T)), RNG.integers(0, 2, (3, T))
    layer(ids, types)
    randomize(layer)
    assert_kernels_equal_plain(lambda: layer(ids, types, training=True), [layer], tolerance)


@DTYPES
def test_masked_lm_head_and_tied_embedding(dtype, tolerance):
    table = keras.layers.Embedding(13, H)
    head = MaskedLMHead(table, dtype=dtype)
    head(X)
    randomize(head)
    randomize(table)
    assert_kernels_equal_plain(lambda: head(tf.constant(X), POSITIONS, training=True), [head, table], tolerance)


@pytest.mark.parametrize(("dtype", "tolerance"), [("float32", 1e-5), ("bfloat16", 0.02), ("float16", 0.005)])
@pytest.mark.parametrize("classes", [MANY_CLASSES, 7])
def test_cross_entropy_and_gradient(dtype, tolerance, classes):
    logits, labels = tf.constant(RNG.normal(size=(4, 3, classes)) * 5, dtype), RNG.integers(0, classes, (4, 3))

    def run():
        with tf.GradientTape() as tape:
            tape.watch(logits)
            losses = ops.cross_entropy(labels, logits)
        return losses, tape.gradient(losses, logits)

    results = [[np.asarray(tf.cast(x, "float32")) for x in trace(run, kind)] for kind in ("plain", "compiled")]
    for expected, actual in zip(*results, strict=True):
        np.testing.assert_allclose(actual, expected, atol=tolerance, rtol=tolerance)
    used = any((expected != actual).any() for expected, actual in zip(*results, strict=True))
    assert used == (classes >= MANY_CLASSES)


@pytest.mark.parametrize("kind", ["plain", "compiled"])
def test_tie_is_not_correct(kind):
    logits = np.full((2, 3, MANY_CLASSES), -9.0, "float32")
    logits[..., :3] = [[[1, 1, 0], [0, 2, 1], [0, 1, 0]], [[3, 1, 2], [0, 0, 0], [0, 0, 1]]]
    correct = trace(lambda: ops.is_correct(np.array([[0, 1, 2], [0, 1, 2]]), logits), kind)
    np.testing.assert_array_equal(correct, [[0, 1, 0], [1, 0, 1]])


def test_gradient_uses_the_dropout_mask_of_the_forward_pass():
    layer = block(dropout=0.4, attention_dropout=0.4)
    states = [variable for variable in layer.variables if "seed" in variable.path]
    assert len(states) == 3
    before = [np.array(state) for state in states]

    @tf.function(autograph=False)
    def loss_and_slope(x):
        with tf.GradientTape() as tape:
            tape.watch(x)
            loss = tf.reduce_sum(layer(x, MASK, training=True) ** 2)
        return loss, tape.gradient(loss, x)

    def run(x):
        for state, value in zip(states, before, strict=True):
            state.assign(value)
        return [np.asarray(value) for value in loss_and_slope(tf.constant(x))]

    assert run(X)[0] == run(X)[0]
    slope = run(X)[1]
    for index in ((0, 0, 0), (1, 3, 5)):
        step = np.zeros_like(X)
        step[index] = 1e-2
        difference = (float(run(X + step)[0]) - float(run(X - step)[0])) / 2e-2
        assert difference == pytest.approx(slope[index], rel=0.05, abs=0.02)
    values = [float(loss_and_slope(tf.constant(X))[0]) for _ in range(2)]
    assert abs(values[0] - values[1]) > 0.1, "a new mask in each call"


def test_flat_dropout_acts_in_training_only():
    layer = block(dropout=0.3, attention_dropout=0.3)
    run = tf.function(lambda training: layer(X, MASK, training=training), autograph=False)
    with ops.disable_kernels("xla"):
        still, first, second = (np.asarray(run(training)) for training in (False, True, True))
    np.testing.assert_allclose(still, layer(X, MASK), atol=1e-5)
    assert np.abs(first - second).max() > 0.1


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("training", [True, False])
def test_positions_equal_rows_of_all_positions(kind, training):
    layer = block()
    selected = np.asarray(trace(lambda: layer(X, MASK, POSITIONS, training=training), kind))
    everywhere = np.asarray(trace(lambda: layer(X, MASK, training=training), kind))
    np.testing.assert_allclose(selected, np.take_along_axis(everywhere, POSITIONS[..., None], 1), atol=1e-5)


@pytest.mark.slow
@pytest.mark.parametrize(("sentence_task", "dtype"), [("next", "mixed_bfloat16"), (None, "float32")])
def test_pretraining_steps(sentence_task, dtype):
    config = tiny_config(vocab_size=1100)
    inputs = random_inputs(config, batch=4, length=12, positions=9)
    labels = {"mlm_logits": RNG.integers(5, 1100, (4, 9))}
    weights = {"mlm_logits": np.tile(np.array([1.0] * 8 + [0.0], "float32"), (4, 1))}
    if sentence_task:
        labels["nsp_logits"], weights["nsp_logits"] = np.array([0, 1, 1, 0]), np.ones(4, "float32")
    losses, trained = [], []
    for kind in KINDS:
        keras.utils.set_random_seed(4)
        model = kb.BertPretrainer(kb.BertEncoder(config, dtype=dtype), sentence_task=sentence_task)
        compile_pretrainer(model, bert_adamw(2e-3))
        with ops.disable_kernels(*KINDS[kind]) if KINDS[kind] else ops.disable_kernels("cpu_data_parallel"):
            losses.append([model.train_on_batch(inputs, labels, weights)[0] for _ in range(5)])
        trained.append(model.get_weights())
    tolerance = 5e-4 if dtype == "float32" else 2e-2  # AdamW amplifies a gradient near 0
    for kernel_losses, weights in zip(losses[1:], trained[1:], strict=True):
        np.testing.assert_allclose(kernel_losses, losses[0], rtol=tolerance)
        assert any((a != b).any() for a, b in zip(weights, trained[0], strict=True)), "other operations were used"
    assert losses[0][-1] < losses[0][0]


@pytest.mark.slow
def test_two_trainings_in_one_process():
    config = tiny_config(vocab_size=12)
    inputs = random_inputs(config, batch=2, length=8, positions=8)
    for _ in range(3):
        keras.backend.clear_session()
        model = kb.BertPretrainer(kb.BertEncoder(config), sentence_task=None)
        compile_pretrainer(model, bert_adamw(1e-3))
        assert np.isfinite(model.train_on_batch(inputs, {"mlm_logits": np.full((2, 8), 5)})[0])
        del model
        gc.collect()
