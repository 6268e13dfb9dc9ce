"""Pretraining, fine-tuning and exact resumption on JAX and PyTorch, each in a process of its own."""

import importlib.util
import os
import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = """
import sys, tempfile
sys.modules["tensorflow"] = None  # as on a machine that has none: importing it fails
import keras
from tests.training import toys
from tests.training.test_resume import CONFIG, Stop, assert_same, pretrain_toy
from keras_bert.training import finetune

assert keras.backend.backend() == sys.argv[1]
straight = pretrain_toy()
folder = tempfile.mkdtemp()
try:
    pretrain_toy(folder, [Stop(7)])
except KeyboardInterrupt:
    pass
assert_same(straight, pretrain_toy(folder))

model = toys.make_classifier(config=CONFIG)
train, dev = toys.labelled(300), toys.labelled(40, seed=3)
history = finetune(model, *train, *dev, epochs=5, batch_size=16, learning_rate=3e-3, verbose=0).history
assert max(history["val_accuracy"]) > 0.9, history
"""


@pytest.mark.peers
@pytest.mark.parametrize("backend", ["jax", "torch"])
def test_training_runs_on_the_backend(backend):
    if importlib.util.find_spec(backend) is None:
        pytest.skip(f"make test-all installs {backend}")
    ran = subprocess.run(
        [sys.executable, "-c", SCRIPT, backend],
        cwd=Path(__file__).resolve().parents[2],
        env={**os.environ, "KERAS_BACKEND": backend},
        capture_output=True,
        text=True,
        timeout=500,
    )
    assert ran.returncode == 0, ran.stderr[-3000:]
