"""AdamW in one program against `keras.optimizers.AdamW`."""

import keras
import numpy as np
import pytest
import tensorflow as tf

import keras_bert as kb
from keras_bert import ops
from keras_bert.ops.kernels import adamw
from keras_bert.training.optimizer import BertAdamW, bert_adamw
from tests.helpers import tiny_config


@pytest.fixture
def kernel_steps(monkeypatch):
    """Counts the steps that the kernel applies."""
    calls = []
    kernel = adamw.adamw_step
    monkeypatch.setattr(adamw, "adamw_step", lambda *args: calls.append(1) or kernel(*args))
    return calls


@pytest.mark.slow
@pytest.mark.parametrize("few_rows", [1024, 2], ids=["dense", "rows"])
def test_same_steps_as_keras(few_rows, monkeypatch, kernel_steps):
    monkeypatch.setattr(adamw, "FEW_ROWS", few_rows)
    models = [kb.BertEncoder(tiny_config(vocab_size=20, num_layers=1)) for _ in range(2)]
    models[1].set_weights(models[0].get_weights())
    for is_keras, model in enumerate(models):
        variables = model.trainable_variables
        optimizer = bert_adamw(keras.optimizers.schedules.PolynomialDecay(0.1, 10), weight_decay=0.1)
        optimizer.build(variables)
        rng = np.random.default_rng(3)
        with ops.disable_kernels(*(["adamw"] if is_keras else ["dense"])):
            for step in range(4):
                gradients = [tf.constant(rng.normal(size=v.shape) * 10.0**-step, "float32") for v in variables]
                gradients[0] = tf.IndexedSlices(gradients[0][:3], tf.constant([4, 2, 4]), gradients[0].shape)
                if is_keras:  # Keras would count a row that occurs twice as two rows in the norm
                    gradients[0] = tf.convert_to_tensor(gradients[0])
                gradients[-1] = None  # as of a pooler that no head reads
                optimizer.apply(gradients, variables)
        assert int(optimizer.iterations) == 4
    assert len(kernel_steps) == 4
    for variable, other in zip(*(model.trainable_variables for model in models), strict=True):
        np.testing.assert_allclose(variable, other, atol=2e-6, err_msg=variable.path)


def steps_of(optimizer, variable, count=4):
    for step in range(count):
        optimizer.apply([tf.fill(variable.shape, 0.5 + step)], [variable])
    optimizer.finalize_variable_values([variable])
    return np.array(variable)


@pytest.mark.parametrize("settings", [{"use_ema": True}, {"clipvalue": 0.01}, {"gradient_accumulation_steps": 2}])
def test_other_settings_are_left_to_keras(settings, kernel_steps):
    values = [
        steps_of(cls(0.1, weight_decay=0.1, **settings), keras.Variable(np.full((2, 3), 2.0, "float32")))
        for cls in (BertAdamW, keras.optimizers.AdamW)
    ]
    np.testing.assert_array_equal(*values)
    assert not kernel_steps


def test_constraints_are_applied(kernel_steps):
    dense = keras.layers.Dense(3, kernel_constraint=keras.constraints.MaxNorm(0.1))
    dense.build((None, 2))
    assert np.linalg.norm(steps_of(bert_adamw(0.1), dense.kernel), axis=0).max() <= 0.1 + 1e-6
    assert not kernel_steps


def test_subclass_takes_effect(kernel_steps):
    class Still(BertAdamW):
        def update_step(self, gradient, variable, learning_rate):
            pass

    variable = keras.Variable(np.ones((2, 3), "float32"))
    np.testing.assert_array_equal(steps_of(Still(0.1, weight_decay=0.0), variable), np.ones((2, 3)))
    assert not kernel_steps


def test_strategies_are_left_to_keras(kernel_steps):
    with tf.distribute.MirroredStrategy(["CPU:0"]).scope():
        assert not ops.adamw_step(None, [])
    assert not kernel_steps
