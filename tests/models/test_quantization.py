"""Quantized models: close to the float model, equal to plain Keras layers, trained, and loaded in a new process."""

import dataclasses
import os
import subprocess
import sys
from pathlib import Path

import keras
import numpy as np
import pytest

import keras_bert as kb
from keras_bert import ops
from keras_bert.export import export_onnx
from tests.helpers import assert_close, random_inputs, tiny_config, to_numpy

ROOT = Path(__file__).resolve().parents[2]
CONFIG = tiny_config(vocab_size=30, hidden_size=16, intermediate_size=32, max_position_embeddings=16)
MODES = {"int8": 0.06, "int4": 1.0, "float8": 0.5}  # the largest difference, in standard deviations of an output
MODELS = {
    "encoder": kb.BertEncoder,
    "albert": lambda config: kb.BertEncoder(dataclasses.replace(config, embedding_size=8, share_blocks=True)),
    "pretrainer": lambda config: kb.BertPretrainer(kb.BertEncoder(config)),
    "classifier": lambda config: kb.BertClassifier(kb.BertEncoder(config), 3),
    "feature_classifier": lambda config: kb.BertFeatureClassifier(kb.BertEncoder(config), 3),
    "span_labeler": lambda config: kb.BertSpanLabeler(kb.BertEncoder(config)),
    "token_classifier": lambda config: kb.BertTokenClassifier(kb.BertEncoder(config), 3),
}


def make(name):
    """Kernels of BERT's distribution, but five times as large, so that outputs depend on the tokens."""
    keras.utils.set_random_seed(1)
    model = MODELS[name](CONFIG)
    for weight in model.weights:
        weight.assign(weight * 5 if len(weight.shape) > 1 else weight)
    return model, random_inputs(CONFIG, positions=3 if name == "pretrainer" else 0)


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("name", MODELS)
def test_quantized_outputs(name, mode):
    model, inputs = make(name)
    exact = keras.tree.flatten(to_numpy(model(inputs)))
    model.quantize(mode)
    outputs = keras.tree.flatten(to_numpy(model(inputs)))
    for found, expected in zip(outputs, exact, strict=True):
        assert 0 < np.abs(found - expected).max() < MODES[mode] * expected.std()
    assert_close(keras.tree.flatten(model.predict(inputs, verbose=0)), outputs, 1e-5)
    with ops.disable_kernels():
        assert_close(keras.tree.flatten(to_numpy(model(inputs))), outputs, 2e-5)
    embeddings = getattr(model, "encoder", model).embeddings
    # Keras has no tables in float8.
    assert embeddings.word_embeddings.quantization_mode == (None if mode == "float8" else mode)


@pytest.mark.slow
def test_quantized_model_is_trained():
    model, inputs = make("classifier")
    model.quantize("float8")
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(keras.optimizers.Adam(1e-2), loss, jit_compile=False)
    losses = [model.train_on_batch(inputs, np.array([0, 1, 2])) for _ in range(12)]
    assert losses[-1] < 0.5 * losses[0]


def test_rejects_other_modes():
    model, _ = make("classifier")
    for arguments in ({"mode": "gptq"}, {"mode": "awq"}, {"mode": "int2"}, {}):
        with pytest.raises(kb.InputError, match="^`mode` must be one of 'int8', 'int4', 'float8'"):
            model.quantize(**arguments)
    model.quantize("int8")
    with pytest.raises(kb.InputError, match="^`mode` must be given once.*quantized to int8"):
        model.quantize("int8")


def test_block_size_and_filters():
    model, inputs = make("encoder")
    exact = to_numpy(model(inputs))["sequence_output"]
    model.quantize(config=keras.quantizers.Int4QuantizationConfig(block_size=8), filters="intermediate|output_dense")
    assert model.blocks[0].intermediate.quantization_mode == "int4"
    assert model.embeddings.word_embeddings.quantization_mode is None
    outputs = to_numpy(model(inputs))
    assert 0 < np.abs(outputs["sequence_output"] - exact).max() < MODES["int4"]
    assert_close(model.copy()(inputs), outputs, 1e-6)


@pytest.mark.slow
def test_exports(tmp_path):
    tf = pytest.importorskip("tensorflow")
    model, inputs = make("classifier")
    model.quantize("int8")
    with pytest.raises(kb.InputError, match="^`model` must have standard layers.*quantized to int8"):
        export_onnx(model, tmp_path / "onnx")
    with pytest.raises(kb.InputError, match="^`model` must be neither quantized nor"):
        kb.export_saved_model(model.encoder, tmp_path / "tfhub")
    vocabulary = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *map(str, range(25))]
    vectorizer = kb.BertTextVectorization(vocabulary, sequence_length=8)
    path = kb.export_saved_model(model, tmp_path / "text", vectorizer)
    serve = tf.saved_model.load(str(path)).signatures["serving_default"]
    found = serve(text=tf.constant(["1 2 3", "4"]))["logits"]
    np.testing.assert_allclose(found, model(vectorizer(["1 2 3", "4"]), training=False), atol=1e-5)
    model.save_pretrained(tmp_path / "folder", vectorizer)
    assert_close(kb.load_pretrained(tmp_path / "folder").model(inputs), model(inputs), 1e-6)


PROGRAM = """
import sys, keras, numpy as np, keras_bert as kb
from tests.models.test_quantization import MODELS, make
folder = sys.argv[1]
for name in ("pretrainer", "classifier"):
    for mode in ("int8", "int4"):
        if sys.argv[2] == "save":
            model, inputs = make(name)
            exact = keras.tree.flatten(model(inputs))
            model.quantize(mode)
            model.save(f"{folder}/{name}_{mode}.keras")
            np.savez(f"{folder}/{name}_{mode}.npz", *map(keras.ops.convert_to_numpy, keras.tree.flatten(model(inputs))))
        else:
            model, (_, inputs) = keras.saving.load_model(f"{folder}/{name}_{mode}.keras"), make(name)
            expected = np.load(f"{folder}/{name}_{mode}.npz").values()
            for value, output in zip(expected, keras.tree.flatten(model(inputs)), strict=True):
                np.testing.assert_allclose(keras.ops.convert_to_numpy(output), value, atol=0.01)
"""


def run(backend, *arguments):
    environment = {**os.environ, "KERAS_BACKEND": backend, "PYTHONPATH": "."}
    command = [sys.executable, "-c", PROGRAM, *arguments]
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-2000:]


@pytest.mark.slow
def test_saved_file_in_a_new_process(tmp_path):
    run("tensorflow", str(tmp_path), "save")
    run("tensorflow", str(tmp_path), "load")


@pytest.mark.peers
@pytest.mark.parametrize("backend", ["jax", "torch"])
def test_other_backends_have_the_same_outputs(backend, tmp_path):
    """Close, not equal: a value between two steps of 8 bits may be rounded up by one backend and down by the other."""
    pytest.importorskip(backend, reason="make test-all installs it")
    run("tensorflow", str(tmp_path), "save")
    run(backend, str(tmp_path), "load")
