"""Attributions are equal on the TensorFlow, JAX and PyTorch backends."""

import importlib.util
import os
import subprocess
import sys

import numpy as np
import pytest

import keras_bert as kb
from tests.helpers import randomize, tiny_config

VOCABULARY = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *"abcdefgh", "##b"]
# Loads the folder, and writes the scores of all methods. KERAS_BACKEND selects the backend.
PROGRAM = """
import sys, numpy as np, keras, keras_bert as kb
from keras_bert import explain
folder = sys.argv[1]
loaded = kb.load_pretrained(folder + "/model")
methods = ("gradient", "gradient_x_input", "integrated_gradients", "occlusion", "layer_conductance")
scores = {name: getattr(explain, name)(loaded, "a b cb g", "x").scores for name in methods}
scores["layer 2"] = explain.layer_integrated_gradients(loaded, "a b cb g", "x", layer=2).scores
np.savez(f"{folder}/{keras.config.backend()}.npz", **scores)
"""


@pytest.mark.peers
@pytest.mark.slow
def test_scores_equal_on_every_backend(tmp_path):
    config = tiny_config(vocab_size=len(VOCABULARY), hidden_dropout=0.1, attention_dropout=0.1)
    model = randomize(kb.BertClassifier(kb.BertEncoder(config), 2))
    kb.save_pretrained(model, tmp_path / "model", kb.BertTextVectorization(VOCABULARY), labels=["x", "y"])
    found = {}
    for backend in ("tensorflow", "jax", "torch"):
        if importlib.util.find_spec(backend) is None:
            pytest.skip(f"{backend} is not installed")
        environment = {**os.environ, "KERAS_BACKEND": backend, "JAX_PLATFORMS": "cpu"}
        command = [sys.executable, "-c", PROGRAM, str(tmp_path)]
        done = subprocess.run(command, env=environment, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        found[backend] = dict(np.load(tmp_path / f"{backend}.npz"))
    for backend in ("jax", "torch"):
        for name, expected in found["tensorflow"].items():
            np.testing.assert_allclose(found[backend][name], expected, atol=1e-4, err_msg=f"{backend} {name}")
