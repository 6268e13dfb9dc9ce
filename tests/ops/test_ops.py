"""The fused forms against the plain ones: outputs, gradients, whole steps."""

import contextlib
import gc

import keras
import numpy as np
import pytest
import tensorflow as tf

import keras_bert as kb
from keras_bert import ops as fused
from keras_bert.layers import BertEmbeddings, MaskedLMHead, TransformerBlock
from keras_bert.ops import adamw, dropout
from keras_bert.tasks.losses import MeanCrossEntropy, TopOneAccuracy
from keras_bert.training.optimizer import BertAdamW, bert_adamw
from keras_bert.training.pretraining_metrics import compile_pretrainer

RNG = np.random.default_rng(0)


def randomise(layer):
    """Fresh biases and norms would hide mistakes in them."""
    for weight in layer.weights:
        weight.assign(np.asarray(weight) + RNG.normal(0, 0.2, weight.shape))


def both(layer, call, tolerance):
    """Outputs and gradients with and without `fused`, training without dropout, are the same."""
    results = []
    for plain in (True, False):
        with tf.GradientTape() as tape:
            if plain:
                with fused.without():
                    output = call()
            else:
                output = call()
            # Weighted by another number each, so that no gradient is lost in a symmetry.
            weights = np.random.default_rng(1).normal(size=output.shape)
            loss = tf.reduce_sum(tf.cast(output, "float32") * tf.cast(weights, "float32"))
        gradients = tape.gradient(loss, [weight.value for weight in layer.trainable_weights])
        results.append([output, *map(tf.convert_to_tensor, gradients)])
    for expected, found in zip(*results, strict=True):
        expected, found = (np.asarray(tf.cast(value, "float32")) for value in (expected, found))
        assert np.abs(expected - found).max() <= tolerance * max(1, np.abs(expected).max())


DTYPES = pytest.mark.parametrize(("dtype", "tolerance"), [("float32", 2e-5), ("mixed_bfloat16", 0.06)])


@pytest.mark.parametrize(
    ("dtype", "tolerance", "activation", "positions"),
    [
        ("float32", 2e-5, "gelu_tanh", None),
        ("float32", 2e-5, "gelu", np.array([[0, 3], [4, 4]])),
        ("float32", 2e-5, "relu", None),
        ("mixed_bfloat16", 0.06, "gelu_tanh", np.array([[0, 3], [4, 4]])),
    ],
)
def test_the_block(dtype, tolerance, activation, positions):
    block = TransformerBlock(16, 2, 32, activation=activation, dropout=0.0, attention_dropout=0.0, dtype=dtype)
    x = tf.constant(RNG.normal(size=(2, 5, 16)), "float32")
    mask = np.array([[1, 1, 1, 1, 1], [1, 1, 1, 0, 0]])
    block(x, mask)
    randomise(block)
    both(block, lambda: block(x, mask, positions, training=True), tolerance)


@DTYPES
def test_the_embeddings(dtype, tolerance):
    layer = BertEmbeddings(vocab_size=11, hidden_size=8, dropout=0.0, dtype=dtype)
    ids, types = RNG.integers(0, 11, (3, 6)), RNG.integers(0, 2, (3, 6))
    layer(ids, types)
    randomise(layer)
    both(layer, lambda: layer(ids, types, training=True), tolerance)


@DTYPES
def test_the_masked_word_head_and_the_table_it_is_tied_to(dtype, tolerance):
    table = keras.layers.Embedding(13, 8)
    head = MaskedLMHead(table, dtype=dtype)
    x = tf.constant(RNG.normal(size=(2, 3, 8)), "float32")
    head(x)
    randomise(head)
    randomise(table)

    class Both:
        trainable_weights = [*head.trainable_weights, *table.trainable_weights]

    both(Both, lambda: head(x, training=True), tolerance)


@pytest.mark.parametrize(("dtype", "tolerance"), [("float32", 1e-5), ("bfloat16", 0.02), ("float16", 0.005)])
def test_cross_entropy_and_its_gradient(dtype, tolerance):
    logits, labels = tf.constant(RNG.normal(size=(4, 3, 7)) * 5, dtype), RNG.integers(0, 7, (4, 3))
    weights = RNG.integers(0, 2, (4, 3)).astype("float32")
    found = []
    for levers in ((), ("loss",)):
        with fused.without(*levers) if levers else contextlib.nullcontext(), tf.GradientTape() as tape:
            tape.watch(logits)
            loss = MeanCrossEntropy()(labels, logits, weights)
        found.append((float(loss), np.asarray(tf.cast(tape.gradient(loss, logits), "float32"))))
    assert found[0][0] == pytest.approx(found[1][0], abs=tolerance)
    np.testing.assert_allclose(found[0][1], found[1][1], atol=tolerance)


def test_cross_entropy_is_the_one_of_keras_and_no_weight_gives_zero():
    logits, labels = RNG.normal(size=(5, 4)).astype("float32"), RNG.integers(0, 4, 5)
    expected = keras.losses.SparseCategoricalCrossentropy(from_logits=True)(labels, logits)
    assert float(MeanCrossEntropy()(labels, logits)) == pytest.approx(float(expected), abs=1e-6)
    assert float(MeanCrossEntropy()(labels, logits, np.zeros(5))) == 0


@pytest.mark.parametrize("lever", ["loss", "head"], ids=["plain", "fused"])
def test_a_tie_is_not_right(lever):
    metric = TopOneAccuracy()
    with fused.without(lever):
        metric.update_state(
            [0, 1, 2, 0], np.array([[1, 1, 0], [0, 2, 1], [0, 1, 0], [3, 1, 2]], "float32"), [1, 1, 1, 3]
        )
    assert float(metric.result()) == pytest.approx(4 / 6)


def test_dropout_keeps_its_share_draws_anew_and_agrees_with_its_gradient():
    x = tf.ones((400, 500))
    masks = []
    for key in ([1, 0], [1, 1], [2, 0], [123456789, 7]):
        with tf.GradientTape() as tape:
            tape.watch(x)
            y = dropout.dropout(x, tf.constant(key), 0.3)
        np.testing.assert_array_equal(y, tape.gradient(y, x))
        masks.append(np.asarray(y) > 0)
        assert set(np.unique(y)) == {np.float32(0), np.float32(1 / 0.7)}
        assert masks[-1].mean() == pytest.approx(0.7, abs=0.005)  # 5 standard errors
        for axis in (0, 1):  # no row, no column is left out more than chance has it
            share = masks[-1].mean(axis)
            assert share.std() == pytest.approx((0.21 / x.shape[axis]) ** 0.5, rel=0.2)
    for i, first in enumerate(masks):
        for second in masks[:i]:
            for shift in (0, 1, 7, 500):
                correlation = np.corrcoef(first.ravel(), np.roll(second.ravel(), shift))[0, 1]
                assert abs(correlation) < 0.015
    neighbours = np.corrcoef(masks[0].ravel()[1:], masks[0].ravel()[:-1])[0, 1]
    assert abs(neighbours) < 0.015


def test_dropout_in_the_block_is_scaled_and_its_gradient_is_that_of_the_same_draw():
    block = TransformerBlock(8, 2, 16, dropout=0.4, attention_dropout=0.4)
    x, mask = tf.constant(RNG.normal(size=(2, 4, 8)), "float32"), np.ones((2, 4))
    block(x, mask)
    randomise(block)
    states = [variable for variable in block.variables if "seed" in variable.path]
    assert len(states) == 3
    before = [np.array(state) for state in states]

    def loss(x):
        for state, value in zip(states, before, strict=True):
            state.assign(value)
        return tf.reduce_sum(block(x, mask, training=True) ** 2)

    assert float(loss(x)) == float(loss(x))
    with tf.GradientTape() as tape:
        tape.watch(x)
        value = loss(x)
    slope = np.asarray(tape.gradient(value, x))
    for place in ((0, 0, 0), (1, 3, 5)):
        step = np.zeros(x.shape, "float32")
        step[place] = 1e-2
        rise = (float(loss(x + step)) - float(loss(x - step))) / 2e-2
        assert rise == pytest.approx(slope[place], rel=0.05, abs=0.02)
    first = block(x, mask, training=True)
    assert np.abs(np.asarray(first) - np.asarray(block(x, mask, training=True))).max() > 0.1, "drawn anew each call"


@pytest.mark.parametrize("few", [1024, 2], ids=["dense", "rows"])
def test_adamw_moves_as_the_one_of_keras_does(few, monkeypatch):
    monkeypatch.setattr(adamw, "FEW_ROWS", few)
    config = kb.BertConfig(vocab_size=20, hidden_size=8, num_layers=1, num_heads=2, intermediate_size=16)
    models = [kb.BertEncoder(config) for _ in range(2)]
    models[1].set_weights(models[0].get_weights())
    for number, model in enumerate(models):
        variables = model.trainable_variables
        optimizer = bert_adamw(keras.optimizers.schedules.PolynomialDecay(0.1, 10), weight_decay=0.1)
        optimizer.build(variables)
        rng = np.random.default_rng(3)
        with fused.without("optimizer") if number else contextlib.nullcontext():
            for step in range(4):
                gradients = [tf.constant(rng.normal(size=v.shape) * 10.0**-step, "float32") for v in variables]
                gradients[0] = tf.IndexedSlices(gradients[0][:3], tf.constant([4, 2, 4]), gradients[0].shape)
                if number:  # Keras would count rows that come twice as two in the norm
                    gradients[0] = tf.convert_to_tensor(gradients[0])
                gradients[-1] = None  # as of a pooler that nothing reads
                optimizer.apply(gradients, variables)
        assert int(optimizer.iterations) == 4
    for variable, other in zip(*(model.trainable_variables for model in models), strict=True):
        np.testing.assert_allclose(variable, other, atol=2e-6, err_msg=variable.path)


@pytest.mark.parametrize("asked", [{"use_ema": True}, {"clipvalue": 0.01}, {"gradient_accumulation_steps": 2}])
def test_what_the_fused_step_does_not_know_is_left_to_keras(asked):
    moved = []
    for make in (BertAdamW, keras.optimizers.AdamW):
        variable = keras.Variable(np.full((2, 3), 2.0, "float32"))
        optimizer = make(0.1, weight_decay=0.1, **asked)
        for step in range(4):
            optimizer.apply([tf.fill((2, 3), 0.5 + step)], [variable])
        optimizer.finalize_variable_values([variable])
        moved.append(np.array(variable))
    np.testing.assert_array_equal(*moved)


def test_variables_spread_by_a_strategy_are_left_to_keras():
    with tf.distribute.MirroredStrategy(["CPU:0"]).scope():
        assert not fused.runs("optimizer")
    assert fused.runs("optimizer")


def test_one_training_after_another_in_one_process():
    config = kb.BertConfig(vocab_size=12, hidden_size=8, num_layers=1, num_heads=2, intermediate_size=16)
    ids = np.array([[2, 7, 9, 3]])
    inputs = {"input_word_ids": ids, "input_mask": ids > 0, "input_type_ids": 0 * ids, "masked_lm_positions": [[1]]}
    inputs = {name: np.asarray(value, "int32") for name, value in inputs.items()}
    for _ in range(3):
        keras.backend.clear_session()
        model = kb.BertPretrainer(kb.BertEncoder(config), sentence_task=None)
        compile_pretrainer(model, bert_adamw(1e-3))
        assert np.isfinite(model.train_on_batch(inputs, {"mlm_logits": np.array([[5]])})[0])
        del model
        gc.collect()


@pytest.mark.parametrize("next_sentence", [True, False])
def test_pretraining_steps_are_the_same_with_and_without(next_sentence):
    config = kb.BertConfig(
        vocab_size=40,
        hidden_size=16,
        num_layers=2,
        num_heads=2,
        intermediate_size=32,
        hidden_dropout=0.0,
        attention_dropout=0.0,
    )
    ids = RNG.integers(5, 40, (4, 10))
    inputs = {"input_word_ids": ids, "input_mask": np.ones_like(ids), "input_type_ids": ids % 2}
    inputs["masked_lm_positions"] = np.sort(RNG.integers(0, 10, (4, 3)))
    targets, weights = {"mlm_logits": RNG.integers(5, 40, (4, 3))}, {"mlm_logits": np.array([[1.0, 1, 0]] * 4)}
    if next_sentence:
        targets["nsp_logits"], weights["nsp_logits"] = np.array([0, 1, 1, 0]), np.ones(4)
    losses = []
    for levers in (fused.LEVERS, ()):
        keras.utils.set_random_seed(4)
        model = kb.BertPretrainer(kb.BertEncoder(config), sentence_task="next" if next_sentence else None)
        compile_pretrainer(model, bert_adamw(2e-3))
        with fused.without(*levers) if levers else contextlib.nullcontext():
            losses.append([model.train_on_batch(inputs, targets, weights)[0] for _ in range(5)])
    np.testing.assert_allclose(*losses, rtol=5e-4)  # AdamW makes much of a gradient near 0
    assert losses[0][-1] < losses[0][0]


@pytest.mark.parametrize(("dtype", "tolerance"), [("float32", 1e-5), ("mixed_bfloat16", 0.06)])
@pytest.mark.parametrize("activation", ["gelu_tanh", "gelu", "relu"])
@pytest.mark.parametrize("positions", [None, np.array([[0, 3], [4, 4]])], ids=["all rows", "some rows"])
def test_flat_rows(dtype, tolerance, activation, positions):
    block = TransformerBlock(16, 2, 32, activation=activation, dtype=dtype)
    x = tf.constant(RNG.normal(size=(2, 5, 16)), "float32")
    mask = np.array([[1, 1, 1, 1, 1], [1, 1, 1, 0, 0]])
    block(x, mask)
    randomise(block)
    with fused.without("flat"):
        assert fused.block(False) is None
        expected = tf.cast(block(x, mask, positions), "float32")
    found = tf.cast(block(x, mask, positions), "float32")
    np.testing.assert_allclose(found, expected, atol=tolerance)
    if dtype == "float32":
        assert (np.asarray(found) != np.asarray(expected)).any(), "two ways, so not bit for bit"


def test_flat_rows_in_training():
    block = TransformerBlock(16, 2, 32, dropout=0.0, attention_dropout=0.0)
    x, mask = tf.constant(RNG.normal(size=(2, 5, 16)), "float32"), np.array([[1, 1, 1, 1, 1], [1, 1, 1, 0, 0]])
    block(x, mask)
    randomise(block)
    with fused.without("block"):
        both(block, lambda: block(x, mask, training=True), 2e-5)
    dropping = TransformerBlock.from_config({**block.get_config(), "dropout": 0.3, "attention_dropout": 0.3})
    dropping(x, mask)
    dropping.set_weights(block.get_weights())
    with fused.without("block"):
        outputs = [np.asarray(dropping(x, mask, training=training)) for training in (False, True, True)]
    np.testing.assert_allclose(outputs[0], block(x, mask), atol=1e-5)
    assert np.abs(outputs[1] - outputs[2]).max() > 0.1, "drawn anew"


def test_some_rows_are_those_of_all_rows():
    block = TransformerBlock(16, 2, 32, dropout=0.0, attention_dropout=0.0)
    x, mask = tf.constant(RNG.normal(size=(2, 5, 16)), "float32"), np.array([[1, 1, 1, 1, 1], [1, 1, 1, 0, 0]])
    positions = np.array([[3, 0, 3], [1, 4, 2]])
    block(x, mask)
    randomise(block)
    for levers, training in ((("block", "flat"), True), (("block",), True), (("head",), True), (("head",), False)):
        with fused.without(*levers):
            rows = np.asarray(block(x, mask, positions, training=training))
            every = np.asarray(block(x, mask, training=training))
        np.testing.assert_allclose(rows, np.take_along_axis(every, positions[..., None], 1), atol=1e-5)


def test_a_lever_that_there_is_not_is_refused():
    with pytest.raises(kb.InputError, match="Received: blok"), fused.without("blok"):
        pass
    assert fused.runs("block")


def test_training_and_inference_are_told_apart():
    assert fused.runs("block") and not fused.runs("block", False) and not fused.runs("block", None)
    assert fused.block(True).__module__.endswith("compiled") and fused.block(None).__module__.endswith("flat")
