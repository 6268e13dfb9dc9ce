"""Each private name of Keras that the package uses still does what it is used for."""

import keras
import numpy as np
import pytest

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


def test_schedule_of():
    optimizer, _ = built_optimizer()
    assert isinstance(keras_internals.schedule_of(optimizer), keras.optimizers.schedules.ExponentialDecay)
    assert keras_internals.schedule_of(keras.optimizers.AdamW(0.1)) is None


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


def test_layers_in():
    inner, outer = keras.Sequential([keras.layers.Dense(2)]), keras.Sequential([keras.layers.Dropout(0.1)])
    outer.add(inner)
    assert keras_internals.layers_in(outer, recursive=False) == [outer.layers[0], inner]
    assert {*keras_internals.layers_in(outer)} == {outer.layers[0], inner, inner.layers[0]}


def test_own_variables_and_stored_kernel():
    dense, table = keras.layers.Dense(2), keras.layers.Embedding(3, 2)
    dense.build((None, 4))
    table.build()
    dense.enable_lora(1)
    names = [variable.name for variable in keras_internals.own_variables(dense)]
    assert names == ["kernel", "bias", "lora_kernel_a", "lora_kernel_b"]
    assert isinstance(keras_internals.stored_kernel(dense), keras.Variable)  # with LoRA, `dense.kernel` is a tensor
    assert keras_internals.stored_kernel(table) is table.embeddings
    dense.quantize("int8")
    names = {variable.name for variable in keras_internals.own_variables(dense, trainable_only=False)}
    assert names == {"kernel", "kernel_scale", "bias", "lora_kernel_a", "lora_kernel_b"}


def test_replace_layer_and_order_layers():
    class Pair(keras.layers.Layer):
        def __init__(self):
            super().__init__()
            self.first, self.second = keras.layers.Dense(2), keras.layers.Dense(3)

        def build(self, shape):
            self.first.build(shape)
            self.second.build(shape)

    pair, new = Pair(), keras.layers.Dense(5)
    pair.build((None, 4))
    new.build((None, 4))
    keras_internals.replace_layer(pair, pair.first, new)
    pair.first = new
    assert [tuple(weight.shape) for weight in pair.weights] == [(4, 3), (3,), (4, 5), (5,)]
    keras_internals.order_layers(pair, [new])
    assert [tuple(weight.shape) for weight in pair.weights] == [(4, 5), (5,), (4, 3), (3,)]


def test_unwrap_quantize():
    class Probe(keras.layers.Dense):
        def quantize(self, mode=None, **kwargs):
            return mode

    probe = Probe(2)
    with pytest.raises(ValueError, match="GPTQConfig"):
        probe.quantize("gptq")
    keras_internals.unwrap_quantize(probe)
    assert probe.quantize("gptq") == "gptq"


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
