"""Each private name of Keras that the package uses still does what it is used for."""

import keras
import numpy as np

from keras_bert import keras_internals


def built_optimizer():
    variables = [keras.Variable(np.ones(2, "float32"), name=name) for name in ("kernel", "bias")]
    optimizer = keras.optimizers.AdamW(keras.optimizers.schedules.ExponentialDecay(0.1, 1, 0.5))
    optimizer.exclude_from_weight_decay(var_names=["bias"])
    optimizer.build(variables)
    return optimizer, variables


def built_attention(**settings):
    attention = keras.layers.MultiHeadAttention(2, 4, dropout=0.3, **settings)
    attention.build((None, None, 8), (None, None, 8))
    return attention


def test_momentums_and_velocities():
    optimizer, variables = built_optimizer()
    optimizer.apply([keras.ops.ones(2), keras.ops.ones(2)], variables)
    for variable in keras_internals.momentums(optimizer):
        np.testing.assert_allclose(variable, 0.1, rtol=1e-5)
    for variable in keras_internals.velocities(optimizer):
        np.testing.assert_allclose(variable, 0.001, rtol=1e-4)


def test_variable_index_and_optimized_variables():
    optimizer, variables = built_optimizer()
    assert [keras_internals.variable_index(optimizer, variable) for variable in variables] == [0, 1]
    assert keras_internals.variable_index(optimizer, variables[1].value) == 1
    assert [id(variable) for variable in keras_internals.optimized_variables(optimizer)] == list(map(id, variables))


def test_uses_weight_decay():
    optimizer, variables = built_optimizer()
    assert [keras_internals.uses_weight_decay(optimizer, variable) for variable in variables] == [True, False]


def test_clipped():
    gradients = [keras.ops.convert_to_tensor([3.0, 4.0]), None]
    first, second = keras_internals.clipped(keras.optimizers.AdamW(0.1, global_clipnorm=1.0), gradients)
    np.testing.assert_allclose(first, [0.6, 0.8], rtol=1e-5)
    assert second is None
    first, _ = keras_internals.clipped(keras.optimizers.AdamW(0.1), gradients)
    np.testing.assert_allclose(first, [3.0, 4.0])


def test_schedule_of():
    optimizer, _ = built_optimizer()
    assert isinstance(keras_internals.schedule_of(optimizer), keras.optimizers.schedules.ExponentialDecay)
    assert keras_internals.schedule_of(keras.optimizers.AdamW(0.1)) is None


def test_initial_epoch(tmp_path):
    class Record(keras.callbacks.Callback):
        def on_epoch_begin(self, epoch, logs=None):
            epochs.append(epoch)

    epochs, model = [], keras.Sequential([keras.Input((1,)), keras.layers.Dense(1)])
    model.compile("sgd", "mse", jit_compile=False)
    assert keras_internals.initial_epoch(model) is None
    keras_internals.set_initial_epoch(model, 2)
    backup = keras.callbacks.BackupAndRestore(tmp_path, delete_checkpoint=False)
    model.fit(np.ones((2, 1)), np.ones(2), epochs=4, callbacks=[backup, Record()], verbose=0)
    assert epochs == [2, 3]
    keras_internals.set_initial_epoch(model, None)
    backup.set_model(model)
    backup.on_train_begin()
    assert keras_internals.initial_epoch(model) == 4


def test_is_rematerialized():
    assert not keras_internals.is_rematerialized(keras.layers.Dense(2))
    with keras.RematScope(mode="full"):
        assert keras_internals.is_rematerialized(keras.layers.Dense(2))


def test_attention_softmax():
    softmax = keras_internals.attention_softmax(built_attention())
    assert type(softmax) is keras.layers.Softmax
    np.testing.assert_allclose(softmax(np.zeros((1, 1, 1, 4), "float32")), 0.25)


def test_attention_dropout():
    dropout = keras_internals.attention_dropout(built_attention())
    assert type(dropout) is keras.layers.Dropout and dropout.rate == 0.3


def test_has_attention_options():
    assert not keras_internals.has_attention_options(built_attention())
    assert keras_internals.has_attention_options(built_attention(use_gate=True))
    assert keras_internals.has_attention_options(built_attention(sliding_window=2))
    assert keras_internals.has_attention_options(keras.layers.MultiHeadAttention(2, 4, flash_attention=True))


def test_keras_mask():
    masked = keras.layers.Masking()(np.array([[[0.0], [1.0]]], "float32"))
    np.testing.assert_array_equal(keras_internals.keras_mask(masked), [[False, True]])
    assert keras_internals.keras_mask(keras.ops.ones(2)) is None


def test_uncast_value_is_not_cast_in_a_mixed_layer():
    seen = {}

    class Reader(keras.layers.Layer):
        def build(self, shape):
            self.table = self.add_weight(shape=(2,), name="table")

        def call(self, x):
            seen["uncast"] = keras.backend.standardize_dtype(keras_internals.uncast_value(self.table).dtype)
            seen["value"] = keras.backend.standardize_dtype(self.table.value.dtype)
            return x

    Reader(dtype="mixed_bfloat16")(np.ones((1, 2), "float32"))
    assert seen == {"uncast": "float32", "value": "bfloat16"}


def test_set_untracked():
    layer, other = keras.layers.Dense(2), keras.layers.Dense(3)
    layer.build((None, 2))
    other.build((None, 2))
    keras_internals.set_untracked(layer, "other", other)
    assert layer.other is other and len(layer.weights) == 2


def test_optimizer_hooks_are_called_by_keras():
    """`BertAdamW` overrides two private methods of Keras's optimizers."""
    called = set()

    class Probe(keras.optimizers.AdamW):
        def _apply_weight_decay(self, variables):
            called.add("decay")
            super()._apply_weight_decay(variables)

        def _get_current_learning_rate(self):
            called.add("rate")
            return super()._get_current_learning_rate()

    variable = keras.Variable(np.ones(2, "float32"))
    Probe(0.1).apply([keras.ops.ones(2)], [variable])
    assert called == {"decay", "rate"}
