"""Pretraining, fine-tuning and exact resumption on JAX and PyTorch, each in its own process."""

import importlib.util
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.processes import LIMIT

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


# Binary and functional models, weights, and losses, metrics and optimizers of the user.
INPUTS_SCRIPT = """
import sys
sys.modules["tensorflow"] = None
import keras
import numpy as np
import keras_bert as kb
from tests.training import toys

assert keras.backend.backend() == sys.argv[1]
config = kb.BertConfig.from_dict({**toys.CONFIG.to_dict(), "hidden_size": 8, "num_layers": 1, "intermediate_size": 16})
ids, labels = toys.labeled(48, length=8)
settings = {"epochs": 2, "batch_size": 16, "verbose": 0, "validation_split": 0.25}
binary = kb.BertClassifier(kb.BertEncoder(config), 1)
metrics = [keras.metrics.AUC(name="auc"), keras.metrics.F1Score(threshold=0.5, name="f1")]
history = kb.finetune(binary, ids, labels, metrics=metrics, class_weight={1: 2.0}, **settings).history
assert {"auc", "f1", "val_auc", "val_f1", "accuracy", "val_accuracy"} <= set(history), history
assert kb.evaluate(binary, ids, labels)["examples"] == 48

# The mean over an epoch of a metric that is kept between batches is its value over the epoch.
outputs = binary.predict(ids, verbose=0)
settings = {**settings, "validation_split": None, "validation_data": (ids, labels)}
auc = keras.metrics.AUC(name="auc")
history = kb.finetune(binary, ids, labels, metrics=[auc], optimizer=keras.optimizers.SGD(0.0), **settings).history
expected = keras.metrics.AUC()
expected.update_state(labels[:, None], 1 / (1 + np.exp(-outputs)))
assert abs(history["val_auc"][0] - float(expected.result())) < 1e-4, history

encoder = kb.BertEncoder(config)
model = keras.Model(encoder.input, keras.layers.Dense(2)(encoder(encoder.input)["pooled_output"]))
loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
first = kb.finetune(model, ids, labels, loss=loss, optimizer="adam", **settings).history
assert len(first["loss"]) == 2 and "accuracy" not in first
assert kb.finetune(model, ids, labels, sample_weight=np.arange(48), **settings).history["accuracy"]

class Batches(keras.utils.PyDataset):
    def __len__(self):
        return 3

    def __getitem__(self, i):
        return {key: array[16 * i : 16 * i + 16] for key, array in ids.items()}, labels[16 * i : 16 * i + 16]

assert kb.evaluate(model, Batches()) == kb.evaluate(model, ids, labels)
"""


@pytest.mark.peers
@pytest.mark.slow
@pytest.mark.parametrize("script", [SCRIPT, INPUTS_SCRIPT], ids=["resume", "inputs"])
@pytest.mark.parametrize("backend", ["jax", "torch"])
def test_trains_and_resumes(backend, script):
    if importlib.util.find_spec(backend) is None:
        pytest.skip(f"make test-all installs {backend}")
    completed = subprocess.run(
        [sys.executable, "-c", script, backend],
        cwd=Path(__file__).resolve().parents[2],
        env={**os.environ, "KERAS_BACKEND": backend},
        capture_output=True,
        text=True,
        timeout=LIMIT,
    )
    assert completed.returncode == 0, completed.stderr[-3000:]
