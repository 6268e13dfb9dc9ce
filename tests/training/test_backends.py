"""Pretraining, fine-tuning and exact resumption on JAX and PyTorch, each in its own process."""

import importlib.util
import os
import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = """
import sys, tempfile
sys.modules["tensorflow"] = None  # importing TensorFlow fails, as on a machine without it
import keras
from tests.training import toys
from tests.training.test_resume import CONFIG, Stop, assert_same, pretrain_toy
from keras_bert.training import finetune

assert keras.backend.backend() == sys.argv[1]
uninterrupted = pretrain_toy()
folder = tempfile.mkdtemp()
try:
    pretrain_toy(folder, [Stop(7)])
except KeyboardInterrupt:
    pass
assert_same(uninterrupted, pretrain_toy(folder))

model = toys.make_classifier(config=CONFIG)
train, dev = toys.labeled(300), toys.labeled(40, seed=3)
history = finetune(model, *train, *dev, epochs=5, batch_size=16, learning_rate=3e-3, verbose=0).history
assert max(history["val_accuracy"]) > 0.9, history
"""


@pytest.mark.peers
@pytest.mark.slow
@pytest.mark.parametrize("backend", ["jax", "torch"])
def test_trains_and_resumes(backend):
    if importlib.util.find_spec(backend) is None:
        pytest.skip(f"make test-peers installs {backend}")
    completed = subprocess.run(
        [sys.executable, "-c", SCRIPT, backend],
        cwd=Path(__file__).resolve().parents[2],
        env={**os.environ, "KERAS_BACKEND": backend},
        capture_output=True,
        text=True,
        timeout=500,
    )
    assert completed.returncode == 0, completed.stderr[-3000:]
