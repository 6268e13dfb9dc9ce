"""XLA compiles a bounded number of programs, however many lengths the batches have."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

LENGTHS = (9, 12, 17, 20, 26, 33)
PROGRAM = """
import importlib, json, os, pathlib, sys
folder, lengths = pathlib.Path(sys.argv[1]), json.loads(sys.argv[2])
import keras, numpy as np, tensorflow as tf
import keras_bert as kb
from tests.helpers import random_inputs, tiny_config

labels, counts = np.array([0, 1, 1, 0]), {"before": 0}

def batch(length):
    return random_inputs(tiny_config(), batch=4, length=length), labels

class Batches(keras.utils.PyDataset):
    def __len__(self):
        return len(lengths)

    def __getitem__(self, i):
        return batch(lengths[i])

def classifier():
    model = kb.BertClassifier(kb.BertEncoder(tiny_config()), 2)
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(kb.training.bert_adamw(1e-3), loss, jit_compile=False)
    return model

def count(name):
    total = len(list(folder.glob("module_*.before_optimizations.txt")))
    counts[name] = total - counts["before"]
    counts["before"] = total

model = classifier()
variables = model.trainable_variables
model.optimizer.build(variables)
tf.function(lambda: model.optimizer.apply([v * 1.0 for v in variables], variables))()
count("optimizer")
classifier().fit(Batches(), epochs=2, verbose=0)
count("fit")
ids = random_inputs(tiny_config(), batch=48, length=36)
kb.finetune(classifier(), ids, np.arange(48) % 2, ids, np.arange(48) % 2, epochs=1, batch_size=4, verbose=0)
count("finetune")
importlib.import_module("keras_bert.training.finetuning").LONG_RUN = 1
kb.finetune(classifier(), ids, np.arange(48) % 2, ids, np.arange(48) % 2, epochs=1, batch_size=4, verbose=0)
count("long finetune")
model = classifier()
for _ in range(2):
    model.train_on_batch(*batch(lengths[0]))
count("first length")
for length in lengths[1:]:
    model.train_on_batch(*batch(length))
count("further lengths")
print(json.dumps(counts))
"""


@pytest.mark.slow
def test_many_lengths_compile_nothing_but_the_optimizer(tmp_path):
    environment = {**os.environ, "PYTHONPATH": ".", "XLA_FLAGS": f"--xla_dump_to={tmp_path}"}
    command = [sys.executable, "-c", PROGRAM, str(tmp_path), json.dumps(LENGTHS)]
    done = subprocess.run(command, cwd=Path(__file__).parents[2], env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-2000:]
    counts = json.loads(done.stdout.splitlines()[-1])
    optimizer = counts["optimizer"]
    assert optimizer >= 1
    assert counts["fit"] == counts["finetune"] == optimizer
    assert counts["long finetune"] >= optimizer + 5  # a few per length
    # `train_on_batch` of Keras traces the first length by itself, with compiled kernels; the others share one graph.
    assert counts["first length"] >= optimizer + 5
    assert counts["further lengths"] <= optimizer
