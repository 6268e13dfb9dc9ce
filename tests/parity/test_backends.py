"""JAX and PyTorch compute the same from the same file, and train."""

import importlib.util
import os
import subprocess
import sys

import keras
import numpy as np
import pytest

import keras_bert as kb
from tests.helpers import random_inputs, randomize, tiny_config

# Loads the .keras file and the inputs, runs the model, trains it, and writes the outputs. KERAS_BACKEND selects the
# backend.
PROGRAM = """
import sys, numpy as np, keras, keras_bert as kb
from keras_bert.explain import attention_maps
folder = sys.argv[1]
model = keras.saving.load_model(f"{folder}/pretrainer.keras", safe_mode=True)
inputs = dict(np.load(f"{folder}/inputs.npz"))
encoder_inputs = {key: value for key, value in inputs.items() if key.startswith("input_")}
outputs = {**model(inputs), **model.encoder(encoder_inputs)}
outputs = {key: keras.ops.convert_to_numpy(value) for key, value in outputs.items()}
outputs["attention"] = attention_maps(model.encoder, encoder_inputs)[-1]

labels = {"mlm_logits": inputs["masked_lm_positions"], "nsp_logits": np.array([0, 1, 1])}
loss = {key: keras.losses.SparseCategoricalCrossentropy(from_logits=True) for key in labels}
model.compile(keras.optimizers.SGD(0.01), loss)
table = keras.ops.convert_to_numpy(model.encoder.embeddings.word_embeddings.embeddings)
before, after = (float(np.ravel(model.train_on_batch(inputs, labels))[0]) for _ in range(2))
assert np.isfinite(after) and after < before, (before, after)
outputs["loss"] = np.array([before, after])
outputs["table"] = keras.ops.convert_to_numpy(model.encoder.embeddings.word_embeddings.embeddings)
assert np.abs(outputs["table"] - table).max() > 0

try:
    kb.BertEncoder(model.encoder.config)({key: np.zeros((1, 41), "int32") for key in encoder_inputs})
except kb.InputError as error:
    assert "max_position_embeddings=40" in str(error) and "41" in str(error), error
else:
    raise AssertionError("41 tokens on 40 positions")

kb.BertClassifier(kb.BertEncoder(model.encoder.config, dtype="mixed_bfloat16"))(encoder_inputs)
if keras.config.backend() != "tensorflow":
    assert "tensorflow" not in sys.modules
np.savez(f"{folder}/{keras.config.backend()}.npz", **outputs)
"""


def run(backend, folder):
    environment = {**os.environ, "KERAS_BACKEND": backend, "JAX_PLATFORMS": "cpu"}
    done = subprocess.run([sys.executable, "-c", PROGRAM, str(folder)], env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return dict(np.load(folder / f"{backend}.npz"))


@pytest.fixture(
    scope="module", params=[0.0, 0.1], ids=["no dropout", "dropout"]
)  # Keras has two code paths for attention
def saved_model(request, tmp_path_factory):
    """A folder with a pretrainer and inputs, and the outputs of this process."""
    folder = tmp_path_factory.mktemp("backends")
    config = tiny_config(attention_dropout=request.param)
    model = randomize(kb.BertPretrainer(kb.BertEncoder(config)))
    inputs = random_inputs(config, positions=4)
    model.save(folder / "pretrainer.keras")
    np.savez(folder / "inputs.npz", **inputs)
    outputs = {**model(inputs), **model.encoder({key: inputs[key] for key in list(inputs)[:3]})}
    return folder, {key: keras.ops.convert_to_numpy(value) for key, value in outputs.items()}


@pytest.mark.peers
@pytest.mark.slow
@pytest.mark.parametrize("backend", ["jax", "torch"])
def test_outputs_match_on_every_backend(backend, saved_model):
    if importlib.util.find_spec(backend) is None:
        pytest.skip(f"{backend} is not installed")
    folder, expected = saved_model
    out = run(backend, folder)
    for key, value in expected.items():
        np.testing.assert_allclose(out[key], value, atol=1e-4, err_msg=key)
