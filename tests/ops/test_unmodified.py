"""A modified sublayer takes effect: in outputs, in gradients, in training and in exports."""

import json
import os
import subprocess
import sys
from pathlib import Path

import keras
import numpy as np
import pytest

from keras_bert import ops
from keras_bert.layers import TransformerBlock
from keras_bert.ops.unmodified import is_unmodified
from tests.ops.modified_blocks import MODIFICATIONS, H, inputs, make_block

tf = pytest.importorskip("tensorflow")
X, MASK = inputs()


def run(block, training=None):
    """The output and the gradients, in a graph: compiled kernels in training, plain TensorFlow kernels otherwise."""

    @tf.function(autograph=False)
    def graph():
        with tf.GradientTape() as tape:
            output = block(X, MASK, training=training)
            loss = tf.reduce_sum(output * tf.constant(np.random.default_rng(2).normal(size=X.shape), tf.float32))
        variables = block.attention.value_dense.kernel, block.intermediate.kernel, block.attention_layer_norm.gamma
        return output, tape.gradient(loss, [variable.value for variable in variables])

    return [np.asarray(x) for x in tf.nest.flatten(graph())]


@pytest.mark.parametrize("training", [None, True])
@pytest.mark.parametrize("name", MODIFICATIONS)
def test_modification_takes_effect(name, training):
    plain, modified = run(make_block(None), training), run(make_block(name), training)
    assert np.abs(modified[0] - plain[0]).max() > 1e-3
    with ops.disable_kernels():
        expected = run(make_block(name), training)
    for actual, value in zip(modified, expected, strict=True):
        np.testing.assert_allclose(actual, value, atol=2e-5 * max(1, np.abs(value).max()))
    assert max(np.abs(a - b).max() for a, b in zip(modified[1:], plain[1:], strict=True)) > 1e-3


@pytest.mark.parametrize("name", MODIFICATIONS)
def test_modification_takes_effect_in_an_export(name, tmp_path):
    outputs = []
    for made in (None, name):
        block = make_block(made)
        states, mask = keras.Input((None, H)), keras.Input((None,), dtype="int32")
        model = keras.Model([states, mask], block(states, mask))
        model.export(str(tmp_path / str(made)), verbose=False)
        exported = tf.saved_model.load(str(tmp_path / str(made)))
        served = exported.serve([X, MASK])
        np.testing.assert_allclose(served, block(X, MASK), atol=1e-5)
        outputs.append(np.asarray(served))
    assert np.abs(outputs[0] - outputs[1]).max() > 1e-3


def test_modification_takes_effect_in_a_training_step():
    trained = {}
    for name in (None, *MODIFICATIONS):
        block = make_block(name)
        states, mask = keras.Input((None, H)), keras.Input((None,), dtype="int32")
        model = keras.Model([states, mask], block(states, mask))
        model.compile(keras.optimizers.SGD(0.1), "mse", jit_compile=False)
        model.train_on_batch([X, MASK], np.roll(X, 1, -1))
        trained[name] = np.asarray(block.output_dense.bias)
    for name in MODIFICATIONS:
        assert np.abs(trained[name] - trained[None]).max() > 1e-5, name


def test_activity_regularizer_is_kept():
    block = make_block(None)
    block.intermediate.activity_regularizer = keras.regularizers.L2(0.1)
    assert not is_unmodified(block.intermediate, "float32")
    block(X, MASK, training=True)
    (loss,) = block.losses
    assert float(loss) > 0


def test_lora_and_quantization_are_modifications():
    block = make_block(None)
    block.intermediate.enable_lora(2)
    block.attention.query_dense.enable_lora(2)
    assert not is_unmodified(block.intermediate, "float32") and not is_unmodified(block.attention, "float32")
    assert is_unmodified(block.output_dense, "float32")
    block.output_dense.quantize("int8")
    assert not is_unmodified(block.output_dense, "float32")


def test_dtype_of_one_sublayer_takes_effect():
    block, mixed = make_block(None), make_block(None)
    mixed.intermediate.dtype_policy = "mixed_bfloat16"
    for training in (None, True):
        difference = np.abs(run(mixed, training)[0] - run(block, training)[0]).max()
        assert 1e-4 < difference < 0.1


def options():
    """Layers with options that no kernel has."""
    layers = keras.layers
    yield "no bias", layers.Dense(H, use_bias=False)
    yield "activation", layers.Dense(H, "tanh")
    yield "axis", layers.LayerNormalization(axis=1)
    yield "no gamma", layers.LayerNormalization(scale=False)
    yield "no beta", layers.LayerNormalization(center=False)
    yield "noise shape", layers.Dropout(0.1, noise_shape=(None, 1, H))
    yield "rate 1", layers.Dropout(1.0)
    yield "mask", layers.Embedding(4, H, mask_zero=True)
    yield "gate", layers.MultiHeadAttention(2, H // 2, use_gate=True)
    yield "window", layers.MultiHeadAttention(2, H // 2, sliding_window=2)
    yield "value size", layers.MultiHeadAttention(2, H // 2, value_dim=3)
    yield "attention without bias", layers.MultiHeadAttention(2, H // 2, use_bias=False)
    yield "flash", layers.MultiHeadAttention(2, H // 2, flash_attention=True)
    yield "einsum", layers.EinsumDense("abc,cd->abd", (None, H))
    yield "other class", layers.GroupNormalization(2)
    with keras.RematScope(mode="full"):
        yield "rematerialized", layers.Dense(H)


@pytest.mark.parametrize(("name", "layer"), options(), ids=lambda value: value if isinstance(value, str) else "")
def test_options_without_kernel(name, layer):
    shape = (None, 5, H)
    layer.build(*[shape] * (2 if isinstance(layer, keras.layers.MultiHeadAttention) else 1))
    assert not is_unmodified(layer, "float32")


def test_standard_layers_are_unmodified():
    block = make_block(None)
    for layer in (block.attention, block.attention_dropout, block.attention_layer_norm, block.intermediate):
        assert is_unmodified(layer, "float32") and not is_unmodified(layer, "bfloat16")
    loaded = TransformerBlock.from_config(block.get_config())
    loaded.build((None, None, H))
    assert is_unmodified(loaded.attention, "float32") and is_unmodified(loaded.output_layer_norm, "float32")


PROGRAM = """
import json
import keras, numpy as np
from tests.ops.modified_blocks import MODIFICATIONS, H, inputs, make_block
x, mask = inputs()
found = {}
for name in (None, *MODIFICATIONS):
    block = make_block(name)
    outputs = [keras.ops.convert_to_numpy(block(x, mask, training=training)) for training in (None, True)]
    states, masks = keras.Input((None, H)), keras.Input((None,), dtype="int32")
    model = keras.Model([states, masks], block(states, masks))
    model.compile(keras.optimizers.SGD(0.1), "mse", jit_compile=False)
    model.train_on_batch([x, mask], np.roll(x, 1, -1))
    outputs.append(keras.ops.convert_to_numpy(block.output_dense.bias))
    found[str(name)] = [output.tolist() for output in outputs]
print(json.dumps(found))
"""


@pytest.mark.peers
@pytest.mark.parametrize("backend", ["jax", "torch"])
def test_modifications_have_one_effect_on_all_backends(backend):
    pytest.importorskip(backend, reason="make test-all installs it")
    results = []
    for each in ("tensorflow", backend):
        environment = {**os.environ, "KERAS_BACKEND": each, "PYTHONPATH": "."}
        root = Path(__file__).parents[2]
        done = subprocess.run(
            [sys.executable, "-c", PROGRAM], cwd=root, env=environment, capture_output=True, text=True
        )
        assert done.returncode == 0, done.stderr[-2000:]
        results.append(json.loads(done.stdout.splitlines()[-1]))
    for name in ("None", *MODIFICATIONS):
        for expected, actual in zip(results[0][name], results[1][name], strict=True):
            np.testing.assert_allclose(actual, expected, atol=2e-5, err_msg=name)
    for name in MODIFICATIONS:
        assert np.abs(np.subtract(results[1][name][0], results[1]["None"][0])).max() > 1e-3, name
