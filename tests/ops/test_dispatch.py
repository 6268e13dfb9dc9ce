"""Selection of kernels: by name, by graph and length, by dtype and device."""

import keras
import numpy as np
import pytest
import tensorflow as tf

import keras_bert as kb
from keras_bert import ops
from keras_bert.layers import TransformerBlock
from keras_bert.ops import dispatch, functions, loss
from tests.helpers import random_inputs, randomize, tiny_config

H = 16
RNG = np.random.default_rng(0)


def test_disable_kernels_rejects_unknown_names():
    with pytest.raises(kb.InputError, match="`names`.*names=blok"), ops.disable_kernels("attention", "blok"):
        pass
    assert dispatch.is_enabled("attention")


def test_disable_kernels_nests_and_ends():
    with ops.disable_kernels("dense"):
        with ops.disable_kernels("attention"):
            assert not dispatch.is_enabled("attention") and not dispatch.is_enabled("dense")
        assert dispatch.is_enabled("attention") and not dispatch.is_enabled("dense")
        with ops.disable_kernels():
            assert not any(map(dispatch.is_enabled, ops.KERNELS))
    assert all(map(dispatch.is_enabled, ops.KERNELS))


def kernel_module(x, training):
    found = ops.find_kernel("dropout_add_norm", inputs=(x, x), training=training)
    return found and found.__module__.rpartition(".")[2]


def test_compiled_kernels_need_a_graph_training_and_known_lengths():
    modules = {}

    def record(key, training):
        def run(x):
            modules[key] = kernel_module(x, training)
            return x

        return run

    for key, shape, training in (
        ("training", (None, 16, 8), True),
        ("inference", (None, 16, 8), False),
        ("default", (None, 16, 8), None),
        ("unknown length", (None, None, 8), True),
        ("one position", (None, 1, 8), True),
        ("no positions", (None, 8), True),
    ):
        signature = [tf.TensorSpec(shape, tf.float32)]
        tf.function(record(key, training), input_signature=signature, autograph=False).get_concrete_function()
    assert modules.pop("training") == "compiled"
    assert set(modules.values()) == {"flat"}
    assert kernel_module(tf.ones((2, 16, 8)), True) == "flat"  # eager


def test_functions_that_xla_compiles_have_no_kernels():
    modules = {}

    def outer(x):
        def inner(y):
            modules["inside a function of it"] = kernel_module(y, True)
            return y

        modules["compiled as a whole"] = kernel_module(x, True)
        return tf.function(inner, autograph=False)(x)

    signature = [tf.TensorSpec((None, 16, 8), tf.float32)]
    tf.function(outer, input_signature=signature, autograph=False, jit_compile=True).get_concrete_function()
    assert modules == {"compiled as a whole": None, "inside a function of it": None}


def test_layers_are_compiled_for_few_lengths():
    """As in a training loop whose `tf.function` is traced for each length."""
    norm, modules = keras.layers.LayerNormalization(), []
    norm.build((None, None, 8))

    @tf.function(autograph=False)
    def step(x):
        kernel = ops.find_kernel("layer_norm", layers=(norm,), inputs=(x,), training=True)
        modules.append((x.shape[1], kernel.__module__.rpartition(".")[2]))
        return x

    for length in (16, 24, 32, 40, 16, 24):
        for rows in (2, 3):  # a new number of rows is a new graph for a known length
            step(tf.ones((rows, length, 8)))
    assert len(modules) == 8
    assert {length for length, module in modules if module == "compiled"} == {16, 24}
    assert {length for length, module in modules if module == "flat"} == {32, 40}


@pytest.mark.parametrize("form", ["PyDataset", "tf.data", "padded_batch", "generator"])
def test_fit_with_many_lengths_has_no_compiled_kernels(form, monkeypatch):
    def batch(length, rows=2):
        return random_inputs(tiny_config(), batch=rows, length=length), np.arange(rows) % 2

    class Batches(keras.utils.PyDataset):
        def __len__(self):
            return len(lengths)

        def __getitem__(self, i):
            return batch(lengths[i])

    def spy(name, *args, **kwargs):
        kernel = find_kernel(name, *args, **kwargs)
        found.append((name, kernel and kernel.__module__.rpartition(".")[2]))
        return kernel

    lengths, found, find_kernel = (9, 12, 17, 20), [], dispatch.find_kernel
    for module in (functions, loss):
        monkeypatch.setattr(module, "find_kernel", spy)
    names = batch(9)[0]
    spec = {name: tf.TensorSpec((None, None), tf.int32) for name in names}, tf.TensorSpec((None,), tf.int64)
    rows = {name: tf.TensorSpec((None,), tf.int32) for name in names}, tf.TensorSpec((), tf.int64)
    data = {
        "PyDataset": Batches,
        "tf.data": lambda: tf.data.Dataset.from_generator(lambda: map(batch, lengths), output_signature=spec),
        "padded_batch": lambda: tf.data.Dataset.from_generator(
            lambda: (({name: x[0] for name, x in batch(n, 1)[0].items()}, 0) for n in lengths), output_signature=rows
        ).padded_batch(2),
        "generator": lambda: (batch(length) for length in lengths),
    }[form]()
    model = kb.BertClassifier(kb.BertEncoder(tiny_config(num_layers=1)), 2)
    model.compile("sgd", keras.losses.SparseCategoricalCrossentropy(from_logits=True))
    model.fit(data, epochs=1, verbose=0)
    assert ("attention", "flat") in found and "compiled" not in {module for _, module in found}


def test_kernels_leave_float64_to_keras():
    x = tf.ones((2, 16, 8), "float64")
    assert kernel_module(x, False) is None and kernel_module(tf.cast(x, "float32"), False) == "flat"
    layer = TransformerBlock(H, 2, 32, dropout=0.0, attention_dropout=0.0, dtype="float64")
    layer.build((None, None, H))
    randomize(layer)
    inputs, mask = RNG.normal(size=(2, 9, H)), np.ones((2, 9), "int32")
    outputs = tf.function(lambda: layer(inputs, mask), autograph=False)()
    with ops.disable_kernels():
        np.testing.assert_allclose(outputs, layer(inputs, mask), atol=1e-12)  # kernels would have errors of 1e-7


def test_strategies_have_no_compiled_kernels():
    with tf.distribute.MirroredStrategy(["CPU:0"]).scope():
        assert not dispatch.runs_on_cpu()
    assert dispatch.runs_on_cpu()
