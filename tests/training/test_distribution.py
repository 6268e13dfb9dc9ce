"""Training and evaluation on two devices give the numbers of one device, for any number of rows."""

import importlib.util
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from keras import tree

from tests.processes import LIMIT

ROOT = Path(__file__).resolve().parents[2]
PROGRAM = """
import contextlib, json, sys
import keras, numpy as np
import keras_bert as kb
from keras_bert import ops
from keras_bert.ops.data_parallel import on_devices
from tests.training import toys

two = sys.argv[1] == "two"
scope = contextlib.nullcontext
if keras.backend.backend() == "tensorflow":
    import tensorflow as tf
    cpu = tf.config.list_physical_devices("CPU")[0]
    tf.config.set_logical_device_configuration(cpu, [tf.config.LogicalDeviceConfiguration()] * 2)
    if two:
        scope = tf.distribute.MirroredStrategy(["CPU:0", "CPU:1"]).scope
elif two:
    keras.distribution.set_distribution(keras.distribution.DataParallel(devices=keras.distribution.list_devices("cpu")))
    shard = on_devices({"x": np.ones((4, 3))})["x"].addressable_shards[0]
    assert shard.data.shape == (2, 3)
config = kb.BertConfig(
    len(toys.VOCABULARY), 8, 1, 2, 16, max_position_embeddings=32, hidden_dropout=0.0, attention_dropout=0.0
)
settings = {"batch_size": 8, "learning_rate": 1e-2, "verbose": 0}
ids, labels = toys.labeled(33)  # the last batch has one row
held_out = toys.labeled(7, seed=3)
tags = np.where(np.arange(33 * 16).reshape(33, 16) % 5 < 4, np.arange(33 * 16).reshape(33, 16) % 3, -1)

def made(build):
    keras.utils.set_random_seed(3)
    with scope():
        return build(kb.BertEncoder(config))

found = {}
with ops.disable_kernels("xla"):
    model = made(lambda encoder: kb.BertClassifier(encoder, 2, dropout=0.0))
    found["classifier"] = kb.finetune(model, ids, labels, *held_out, epochs=2, **settings).history
    found["evaluate"] = kb.evaluate(model, ids, labels, batch_size=5)
    found["embed"] = kb.embed(model.encoder, ids, batch_size=5).tolist()
    model.fit({name: array[:32] for name, array in ids.items()}, labels[:32], batch_size=8, epochs=1, verbose=0)
    model = made(lambda encoder: kb.BertTokenClassifier(encoder, 3, dropout=0.0))
    found["tokens"] = kb.finetune(model, ids, tags, ids, tags, epochs=1, **settings).history
    model = made(lambda encoder: kb.BertSpanLabeler(encoder))
    spans = {"start_logits": labels, "end_logits": labels + 1}
    found["spans"] = kb.finetune(model, ids, spans, ids, spans, epochs=1, **{**settings, "learning_rate": 1e-3}).history
    model = made(lambda encoder: kb.BertPretrainer(encoder))
    examples = toys.examples(8)
    found["pretrainer"] = kb.pretrain(
        model, examples[:17], toys.masking(), validation=examples[:5], steps=2, **{**settings, "batch_size": 7}
    ).history
    student = made(lambda encoder: kb.BertPretrainer(encoder))
    found["distill"] = kb.distill(
        model, student, examples[:17], toys.masking(), steps=2, **{**settings, "batch_size": 7}
    ).history
print(json.dumps(found))
"""


@pytest.mark.slow
@pytest.mark.parametrize("backend", ["tensorflow", pytest.param("jax", marks=pytest.mark.peers)])
def test_two_devices_give_the_numbers_of_one(backend):
    if importlib.util.find_spec(backend) is None:
        pytest.skip(f"make test-all installs {backend}")
    environment = {**os.environ, "KERAS_BACKEND": backend, "XLA_FLAGS": "--xla_force_host_platform_device_count=2"}
    found = {}
    for devices in ("one", "two"):
        command = [sys.executable, "-c", PROGRAM, devices]
        done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=LIMIT)
        assert done.returncode == 0, done.stderr[-4000:]
        found[devices] = json.loads(done.stdout.splitlines()[-1])
    for name, expected in found["one"].items():
        values = found["two"][name]
        if name == "embed":
            for row, other in zip(values, expected, strict=True):
                assert row == pytest.approx(other, abs=1e-3)
        elif isinstance(expected, dict):
            assert values.keys() == expected.keys()
            for key, value in expected.items():
                if key != "confusion":
                    found_values, numbers = (tree.flatten(each) for each in (values[key], value))  # `classes` is nested
                    for one, other in zip(found_values, numbers, strict=True):
                        close = other if isinstance(other, str) else pytest.approx(other, rel=1e-3, abs=1e-3)
                        assert one == close, (name, key)


DROPOUT = """
import keras, numpy as np, tensorflow as tf
import keras_bert as kb
from keras_bert import ops
from keras_bert.tasks import task_for
from tests.training import toys

cpu = tf.config.list_physical_devices("CPU")[0]
tf.config.set_logical_device_configuration(cpu, [tf.config.LogicalDeviceConfiguration()] * 2)
with tf.distribute.MirroredStrategy(["CPU:0", "CPU:1"]).scope():
    model = toys.make_classifier()
    task_for(model).compile(model, "sgd", False)
    functions = dict(task_for(model).per_example_fns)
    functions |= {"first": lambda targets, logits: logits[:, 0], "square": lambda targets, logits: logits[:, 0] ** 2}
    ids = {name: np.repeat(rows, 2, axis=0) for name, rows in toys.labeled(1)[0].items()}
    logs = ops.train_on_batch(model, functions)(ids, np.zeros(2, np.int32))
print(float(logs["square"] - logs["first"] ** 2))  # the variance over the two rows
"""


@pytest.mark.slow
def test_replicas_have_different_dropout():
    """Each replica has one of two equal rows, so the outputs differ only by the dropout."""
    environment = {**os.environ, "KERAS_BACKEND": "tensorflow"}
    command = [sys.executable, "-c", DROPOUT]
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=LIMIT)
    assert done.returncode == 0, done.stderr[-4000:]
    assert float(done.stdout.splitlines()[-1]) > 1e-8
