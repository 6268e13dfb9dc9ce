"""A step in two halves of the batch against Keras's own `train_on_batch`."""

import dataclasses
import json
import subprocess
import sys
from pathlib import Path

import keras
import numpy as np
import pytest

import keras_bert as kb
from keras_bert import ops as fused
from keras_bert.ops import halves
from keras_bert.tasks.classification import CLASSIFICATION
from keras_bert.tasks.losses import PER_EXAMPLE_FNS, MeanCrossEntropy, TopOneAccuracy
from keras_bert.training import bert_adamw
from keras_bert.training.distillation_loss import distillation_targets, distillation_task
from keras_bert.training.pretraining_metrics import compile_pretrainer
from tests.training import toys

STILL = dataclasses.replace(toys.CONFIG, hidden_dropout=0.0, attention_dropout=0.0)


def pretrainers(next_sentence):
    for _ in range(2):
        model = toys.make_pretrainer(sentence_task="next" if next_sentence else None, config=STILL)
        compile_pretrainer(model, bert_adamw(1e-2))
        yield model


def classifiers():
    for _ in range(2):
        keras.utils.set_random_seed(1)
        model = kb.BertClassifier(kb.BertEncoder(STILL), 2, dropout=0.0)
        model.compile(bert_adamw(1e-2), loss=MeanCrossEntropy(), metrics=[TopOneAccuracy()])
        yield model


def same_steps(whole, halved, batches, counted=PER_EXAMPLE_FNS):
    """Logs and weights after each step; the weights by how far they moved, so that standing still would show."""
    step = halves.step_in_halves(halved, counted)
    begun = [np.array(weight) for weight in whole.get_weights()]
    for batch in batches:
        expected = whole.train_on_batch(*batch, return_dict=True)
        whole.reset_metrics()
        found = {name: float(value) for name, value in step(*batch).items()}
        assert found == pytest.approx({name: float(value) for name, value in expected.items()}, abs=2e-5)
    moved = max(np.abs(a - b).max() for a, b in zip(whole.get_weights(), begun, strict=True))
    apart = max(np.abs(a - b).max() for a, b in zip(whole.get_weights(), halved.get_weights(), strict=True))
    assert moved > 0.01 and apart < 1e-3 * moved


@pytest.mark.parametrize("next_sentence", [True, False])
@pytest.mark.parametrize("rows", [8, 7, 2, 1])
def test_pretraining_where_halves_hold_different_numbers_of_predictions(next_sentence, rows):
    rng = np.random.default_rng(0)
    ids = rng.integers(5, 50, (rows, 12))
    inputs = {"input_word_ids": ids, "input_mask": 1 + 0 * ids, "input_type_ids": 0 * ids}
    inputs["masked_lm_positions"] = np.tile([1, 4, 6], (rows, 1))
    targets = {"mlm_logits": rng.integers(5, 50, (rows, 3))}
    weights = {"mlm_logits": (rng.random((rows, 3)) < 0.6).astype("float32")}
    weights["mlm_logits"][0] = 1  # so that the first half counts more
    if next_sentence:
        targets["nsp_logits"], weights["nsp_logits"] = rng.integers(0, 2, rows), np.ones(rows, "float32")
    same_steps(*pretrainers(next_sentence), [(inputs, targets, weights)] * 3)


def test_finetuning_with_batches_of_many_shapes():
    batches = []
    for rows, length in ((8, 9), (6, 14), (1, 5), (3, 16)):
        ids, labels = toys.labeled(rows, seed=rows, length=length)
        batches.append((ids, labels.astype("int32")))
    same_steps(*classifiers(), batches)


def test_finetuning_by_a_teachers_logits():
    models = []
    task = distillation_task(CLASSIFICATION, 2.0, 0.7)
    for _ in range(2):
        keras.utils.set_random_seed(1)
        models.append(kb.BertClassifier(kb.BertEncoder(STILL), 2, dropout=0.0))
        task.compile(models[-1], bert_adamw(1e-2), False)
    ids, labels = toys.labeled(7, seed=3)
    targets = distillation_targets(labels, np.random.default_rng(0).normal(size=(7, 2)), 2)
    same_steps(*models, [(ids, targets)] * 3, task.per_example_fns)


def test_it_goes_on_from_a_step_of_several_batches():
    rng = np.random.default_rng(1)
    models = []
    for _ in range(2):
        keras.utils.set_random_seed(1)
        models.append(kb.BertClassifier(kb.BertEncoder(STILL), 2, dropout=0.0))
        models[-1].compile(bert_adamw(1e-2, accumulate=2), loss=MeanCrossEntropy(), metrics=[TopOneAccuracy()])
    ids, labels = toys.labeled(4, seed=2)
    same_steps(*models, [(ids, rng.permutation(labels).astype("int32")) for _ in range(4)])


def test_cores_are_not_split_once_tensorflow_has_begun():
    keras.ops.ones(1)
    assert not fused.partition_cpu_threads() and not halves.cpu_threads_are_partitioned()


SCRIPT = """
import json, sys
from keras_bert import ops as fused
if sys.argv[1] == "split":
    assert fused.partition_cpu_threads() and fused.partition_cpu_threads()
import numpy as np
import keras_bert as kb
from keras_bert.ops import halves
from tests.training import toys
from tests.fused.test_halves import STILL
called = []
real = halves.step_in_halves
halves.step_in_halves = lambda *args: called.append(1) or real(*args)
import keras
keras.utils.set_random_seed(1)
model = kb.BertClassifier(kb.BertEncoder(STILL), 2, dropout=0.0)
ids, labels = toys.labeled(33)
history = kb.finetune(model, ids, labels, ids, labels, epochs=2, batch_size=8, learning_rate=1e-3, verbose=0).history
print(json.dumps([len(called), history]))
"""


def test_finetune_runs_in_halves_where_cores_are_split_and_says_the_same():
    found = {}
    for how in ("split", "whole"):
        done = subprocess.run(
            [sys.executable, "-c", SCRIPT, how], cwd=Path(__file__).parents[2], capture_output=True, text=True
        )
        assert done.returncode == 0, done.stderr[-2000:]
        found[how] = json.loads(done.stdout.splitlines()[-1])
    assert (found["split"][0], found["whole"][0]) == (1, 0)
    for name, values in found["whole"][1].items():
        assert found["split"][1][name] == pytest.approx(values, abs=1e-4), name
