"""A training step whose batch is divided in two, against Keras's own `train_on_batch`."""

import dataclasses
import json
import subprocess
import sys
from pathlib import Path

import keras
import numpy as np
import pytest

import keras_bert as kb
from keras_bert import ops
from keras_bert.ops.kernels.cpu_data_parallel import cpu_threads_are_partitioned, training_step
from keras_bert.tasks.classification import CLASSIFICATION
from keras_bert.tasks.losses import PER_EXAMPLE_FNS, MeanCrossEntropy, TopOneAccuracy
from keras_bert.training import bert_adamw
from keras_bert.training.distillation_loss import distillation_targets, distillation_task
from keras_bert.training.pretraining_metrics import compile_pretrainer
from tests.training import toys

NO_DROPOUT = dataclasses.replace(toys.CONFIG, hidden_dropout=0.0, attention_dropout=0.0)


def pretrainers(next_sentence):
    for _ in range(2):
        model = toys.make_pretrainer(sentence_task="next" if next_sentence else None, config=NO_DROPOUT)
        compile_pretrainer(model, bert_adamw(1e-2))
        yield model


def classifiers():
    for _ in range(2):
        keras.utils.set_random_seed(1)
        model = kb.BertClassifier(kb.BertEncoder(NO_DROPOUT), 2, dropout=0.0)
        model.compile(bert_adamw(1e-2), loss=MeanCrossEntropy(), metrics=[TopOneAccuracy()])
        yield model


def assert_same_steps(keras_model, model, batches, per_example_fns=PER_EXAMPLE_FNS, parts=2, **settings):
    """Compare logs and weights after each step; weights relative to their change, so that it must not be 0."""
    step = training_step(model, per_example_fns, parts, **settings)
    initial = [np.array(weight) for weight in keras_model.get_weights()]
    for batch in batches:
        expected = keras_model.train_on_batch(*batch, return_dict=True)
        logs = {name: float(value) for name, value in step(*batch).items()}
        assert logs == pytest.approx({name: float(value) for name, value in expected.items()}, abs=2e-5)
    change = max(np.abs(a - b).max() for a, b in zip(keras_model.get_weights(), initial, strict=True))
    difference = max(np.abs(a - b).max() for a, b in zip(keras_model.get_weights(), model.get_weights(), strict=True))
    assert change > 0.01 and difference < 1e-3 * change


@pytest.mark.slow
@pytest.mark.parametrize(("rows", "next_sentence", "parts"), [(8, False, 1), (7, True, 2), (1, True, 2)])
def test_pretraining_with_uneven_halves(rows, next_sentence, parts):
    rng = np.random.default_rng(0)
    ids = rng.integers(5, 50, (rows, 12))
    inputs = {"input_word_ids": ids, "input_mask": 1 + 0 * ids, "input_type_ids": 0 * ids}
    inputs["masked_lm_positions"] = np.tile([1, 4, 6], (rows, 1))
    targets = {"mlm_logits": rng.integers(5, 50, (rows, 3))}
    weights = {"mlm_logits": (rng.random((rows, 3)) < 0.6).astype("float32")}
    weights["mlm_logits"][0] = 1  # so that the first half counts more
    if next_sentence:
        targets["nsp_logits"], weights["nsp_logits"] = rng.integers(0, 2, rows), np.ones(rows, "float32")
    assert_same_steps(*pretrainers(next_sentence), [(inputs, targets, weights)] * 3, parts=parts)


@pytest.mark.slow
@pytest.mark.parametrize("settings", [{"varying_lengths": True}, {"varying_lengths": True, "few": True}, {}])
def test_finetuning_with_batches_of_many_shapes(settings):
    batches = []
    for rows, length in ((8, 9), (6, 14), (1, 5), (3, 16)):
        ids, labels = toys.labeled(rows, seed=rows, length=length)
        batches.append((ids, labels.astype("int32")))
    assert_same_steps(*classifiers(), batches, parts=2, **settings)


@pytest.mark.slow
def test_distillation_by_logits():
    models = []
    task = distillation_task(CLASSIFICATION, 2.0, 0.7)
    for _ in range(2):
        keras.utils.set_random_seed(1)
        models.append(kb.BertClassifier(kb.BertEncoder(NO_DROPOUT), 2, dropout=0.0))
        task.compile(models[-1], bert_adamw(1e-2), False)
    ids, labels = toys.labeled(7, seed=3)
    targets = distillation_targets(labels, np.random.default_rng(0).normal(size=(7, 2)), 2)
    assert_same_steps(*models, [(ids, targets)] * 3, task.per_example_fns)


@pytest.mark.slow
def test_gradient_accumulation():
    rng = np.random.default_rng(1)
    models = []
    for _ in range(2):
        keras.utils.set_random_seed(1)
        models.append(kb.BertClassifier(kb.BertEncoder(NO_DROPOUT), 2, dropout=0.0))
        models[-1].compile(bert_adamw(1e-2, accumulate=2), loss=MeanCrossEntropy(), metrics=[TopOneAccuracy()])
    ids, labels = toys.labeled(4, seed=2)
    assert_same_steps(*models, [(ids, rng.permutation(labels).astype("int32")) for _ in range(4)])


@pytest.mark.slow
def test_regularizers_are_part_of_the_loss():
    models = []
    for _ in range(2):
        keras.utils.set_random_seed(1)
        encoder = kb.BertEncoder(NO_DROPOUT)
        encoder.blocks[0].intermediate.activity_regularizer = keras.regularizers.L2(0.5)
        encoder.blocks[1].output_dense.kernel.regularizer = keras.regularizers.L2(0.5)
        models.append(kb.BertClassifier(encoder, 2, dropout=0.0))
        models[-1].compile(bert_adamw(1e-2), loss=MeanCrossEntropy(), metrics=[TopOneAccuracy()])
    ids, labels = toys.labeled(7, seed=3)
    assert_same_steps(*models, [(ids, labels.astype("int32"))] * 3)
    models[0].test_on_batch(ids, labels)
    assert len(models[0].losses) == 2


def test_overridden_train_step_takes_effect():
    class Logged(kb.BertClassifier):
        def train_step(self, data):
            return {"loss": keras.ops.convert_to_tensor(7.0)}

    model = Logged(kb.BertEncoder(NO_DROPOUT), 2)
    model.compile(bert_adamw(1e-2), loss=MeanCrossEntropy(), jit_compile=False)
    ids, labels = toys.labeled(4)
    assert float(ops.train_on_batch(model, PER_EXAMPLE_FNS)(ids, labels)["loss"]) == 7.0


def test_threads_cannot_be_partitioned_after_the_first_operation():
    keras.ops.ones(1)
    assert not ops.partition_cpu_threads() and not cpu_threads_are_partitioned()


def test_threads_are_not_partitioned_on_one_cpu(monkeypatch):
    monkeypatch.setattr("keras_bert.ops.kernels.cpu_data_parallel.available_cpus", lambda: 1)
    assert not ops.partition_cpu_threads()


SCRIPT = """
import json, sys
from keras_bert import ops
if sys.argv[1] == "partitioned":
    assert ops.partition_cpu_threads() and ops.partition_cpu_threads()
import numpy as np
import keras_bert as kb
from keras_bert.ops.kernels import cpu_data_parallel
from tests.training import toys
from tests.ops.test_cpu_data_parallel import NO_DROPOUT
parts = []
real = cpu_data_parallel.training_step
cpu_data_parallel.training_step = lambda *args: parts.append(args[2]) or real(*args)
import keras
keras.utils.set_random_seed(1)
model = kb.BertClassifier(kb.BertEncoder(NO_DROPOUT), 2, dropout=0.0)
ids, labels = toys.labeled(33)
history = kb.finetune(model, ids, labels, ids, labels, epochs=2, batch_size=8, learning_rate=1e-3, verbose=0).history
print(json.dumps([parts, history]))
"""


@pytest.mark.slow
def test_finetune_on_partitioned_threads():
    found = {}
    for mode in ("partitioned", "whole"):
        command = [sys.executable, "-c", SCRIPT, mode]
        done = subprocess.run(command, cwd=Path(__file__).parents[2], capture_output=True, text=True)
        assert done.returncode == 0, done.stderr[-2000:]
        found[mode] = json.loads(done.stdout.splitlines()[-1])
    assert (found["partitioned"][0], found["whole"][0]) == ([2], [1])
    for name, values in found["whole"][1].items():
        assert found["partitioned"][1][name] == pytest.approx(values, abs=1e-4), name
