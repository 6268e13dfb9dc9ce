"""Saved `.keras` files: loading in a clean process, and continuing to train."""

import subprocess
import sys

import keras
import numpy as np
import pytest

import keras_bert as kb
from tests.helpers import random_inputs, randomize, tiny_config

PROGRAM = """
import sys, numpy as np, keras, keras_bert
for kind in ("encoder", "pretrainer", "classifier"):
    model = keras.saving.load_model(f"{sys.argv[1]}/{kind}.keras", safe_mode=True)
    encoder = getattr(model, "encoder", model)
    assert type(encoder) is keras_bert.BertEncoder and len(encoder.blocks) == 2 and encoder.config.vocab_size == 100
    assert encoder.embeddings.built and encoder.pooler.dense.built
    outputs = keras.tree.flatten(model(dict(np.load(f"{sys.argv[1]}/{kind}_inputs.npz"))))
    np.savez(f"{sys.argv[1]}/{kind}_outputs.npz", *outputs)
"""


@pytest.mark.slow
def test_clean_process_loads_after_import(tmp_path):
    config = tiny_config()
    encoder = kb.BertEncoder(config)
    models = {
        "encoder": encoder,
        "pretrainer": randomize(kb.BertPretrainer(encoder)),
        "classifier": kb.BertClassifier(encoder, 3),
    }
    expected = {}
    for kind, model in models.items():
        inputs = random_inputs(config, positions=3 if kind == "pretrainer" else 0)
        model.save(tmp_path / f"{kind}.keras")
        np.savez(tmp_path / f"{kind}_inputs.npz", **inputs)
        expected[kind] = keras.tree.flatten(model(inputs))
    run = subprocess.run([sys.executable, "-c", PROGRAM, str(tmp_path)], capture_output=True, text=True)
    assert run.returncode == 0, run.stderr
    for kind, values in expected.items():
        outputs = np.load(tmp_path / f"{kind}_outputs.npz")
        for i, value in enumerate(values):
            np.testing.assert_allclose(outputs[f"arr_{i}"], value, atol=1e-6)


@pytest.mark.slow
def test_partly_frozen_model_continues_training(tmp_path):
    config = tiny_config()
    inputs, labels = random_inputs(config, batch=8), np.arange(8) % 2
    keras.utils.set_random_seed(0)
    encoder = kb.BertEncoder(config)
    encoder.embeddings.trainable = encoder.blocks[0].trainable = False
    model = kb.BertClassifier(encoder, dropout=0.0)
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(keras.optimizers.Adam(3e-3), loss, jit_compile=False)
    model.train_on_batch(inputs, labels)
    model.save(tmp_path / "c.keras")
    loaded = keras.saving.load_model(tmp_path / "c.keras")
    assert isinstance(loaded, kb.BertClassifier) and loaded.num_classes == 2
    assert [loaded.train_on_batch(inputs, labels) for _ in range(3)] == pytest.approx(
        [model.train_on_batch(inputs, labels) for _ in range(3)], abs=1e-5
    )
