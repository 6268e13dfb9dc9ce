"""XLA compiles a bounded number of programs, however many lengths the batches have."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

PROGRAM = """
import sys
import keras, numpy as np
import keras_bert as kb
from keras_bert import ops
from tests.helpers import random_inputs, tiny_config

def classifier():
    keras.utils.set_random_seed(1)
    return kb.BertClassifier(kb.BertEncoder(tiny_config()), 2)

LENGTHS = (9, 12, 17, 20, 26, 33)

class Batches(keras.utils.PyDataset):
    def __len__(self):
        return len(LENGTHS)
    def __getitem__(self, i):
        return random_inputs(tiny_config(), batch=4, length=LENGTHS[i], seed=i), np.array([0, 1, 1, 0])

model = classifier()
kind = sys.argv[1]
if kind == "optimizer":  # the programs of the optimizer alone
    optimizer = kb.training.bert_adamw(1e-3)
    optimizer.build(model.trainable_variables)
    step = keras.src.backend.tensorflow.trainer.tf.function(
        lambda: optimizer.apply([v * 1.0 for v in model.trainable_variables], model.trainable_variables))
    step()
elif kind == "finetune":
    ids = random_inputs(tiny_config(), batch=48, length=36)
    kb.finetune(model, ids, np.arange(48) % 2, ids, np.arange(48) % 2, epochs=2, batch_size=4, verbose=0)
else:
    model.compile(kb.training.bert_adamw(1e-3), keras.losses.SparseCategoricalCrossentropy(from_logits=True),
                  jit_compile=False)
    if kind == "fit":
        model.fit(Batches(), epochs=2, verbose=0)
    elif kind == "train_on_batch":
        for i in range(len(LENGTHS)):
            model.train_on_batch(*Batches()[i])
    elif kind == "one_length":
        for i in range(3):
            model.train_on_batch(*Batches()[0])
"""


@pytest.fixture
def count_compilations(tmp_path):
    def count(kind: str) -> int:
        environment = {**os.environ, "PYTHONPATH": ".", "XLA_FLAGS": f"--xla_dump_to={tmp_path / kind}"}
        command = [sys.executable, "-c", PROGRAM, kind]
        done = subprocess.run(command, cwd=Path(__file__).parents[2], env=environment, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr[-2000:]
        return len(list((tmp_path / kind).glob("module_*.before_optimizations.txt")))

    return count


@pytest.mark.slow
def test_many_lengths_compile_nothing_but_the_optimizer(count_compilations):
    optimizer = count_compilations("optimizer")
    assert optimizer >= 1
    assert count_compilations("fit") == optimizer
    assert count_compilations("finetune") == optimizer
    one_length = count_compilations("one_length")
    assert one_length >= optimizer + 5, "a fixed length compiles the kernels"
    # Keras traces the first length by itself; all further lengths share a graph without compiled kernels.
    assert count_compilations("train_on_batch") <= one_length
