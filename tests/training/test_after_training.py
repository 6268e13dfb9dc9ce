"""After every kind of training, a model can be saved, loaded in a fresh process, fitted, and trained again."""

import dataclasses
import importlib.util
import os
import subprocess
import sys
from pathlib import Path

import keras
import numpy as np
import pytest

import keras_bert as kb
from keras_bert.tasks import task_for
from keras_bert.training import MaskedBatches, init_student
from tests.processes import LIMIT
from tests.training import toys

CONFIG = kb.BertConfig(len(toys.VOCABULARY), 8, 1, 2, 16, max_position_embeddings=32)
ROOT = Path(__file__).resolve().parents[2]
SETTINGS = {"batch_size": 4, "learning_rate": 1e-3, "verbose": 0}


def encoder():
    return kb.BertEncoder(CONFIG)


def finetuned(model, labels, **settings):
    ids, _ = toys.labeled(8)
    return model, lambda: kb.finetune(model, ids, labels, ids, labels, **{"epochs": 1, **SETTINGS, **settings}), labels


def classifier(**settings):
    return finetuned(kb.BertClassifier(encoder(), 2), np.arange(8) % 2, **settings)


def pretrained(sentence_task, **settings):
    model = kb.BertPretrainer(encoder(), sentence_task=sentence_task)
    examples = toys.examples(4, sentence_task=sentence_task)
    data = (examples, toys.masking())
    return model, lambda: kb.pretrain(model, *data, validation=examples, steps=2, **SETTINGS, **settings), data


def distilled(**settings):
    teacher = kb.BertPretrainer(kb.BertEncoder(dataclasses.replace(CONFIG, num_layers=2)), sentence_task=None)
    student, data = init_student(teacher, 1), (toys.examples(4, sentence_task=None), toys.masking())
    return student, lambda: kb.distill(teacher, student, *data, steps=2, **SETTINGS, **settings), data


def fitted_head(**settings):
    model, (ids, labels) = kb.BertFeatureClassifier(encoder(), 2), toys.labeled(8)
    features = kb.embed(model.encoder, ids, model.pool)
    return model, lambda: kb.fit_features(model, features, labels, features, labels, epochs=1), labels


# Name to a function that returns a model, a function that trains it, and labels, or examples and a masking.
CASES = {
    "classifier": classifier,
    "classifier, partly frozen": lambda **s: classifier(freeze=1, layer_decay=0.5, **s),
    "classifier, gradually unfrozen": lambda **s: classifier(freeze="gradual", **s),
    "classifier, accumulated": lambda **s: classifier(accumulate=2, schedule="constant", **s),
    "classifier with a teacher": lambda **s: classifier(teacher_logits=np.ones((8, 2)), **s),
    "classifier of labels": lambda **s: finetuned(
        kb.BertClassifier(encoder(), 3, problem_type="multi_label"), np.arange(24).reshape(8, 3) % 2, **s
    ),
    "regressor": lambda **s: finetuned(
        kb.BertClassifier(encoder(), 1, problem_type="regression"), np.linspace(0, 1, 8), **s
    ),
    "token classifier": lambda **s: finetuned(
        kb.BertTokenClassifier(encoder(), 3), np.arange(128).reshape(8, 16) % 3, **s
    ),
    "span labeler": lambda **s: finetuned(
        kb.BertSpanLabeler(encoder()), {"start_logits": np.ones(8, int), "end_logits": 1 + np.arange(8) % 2}, **s
    ),
    "feature classifier": lambda **s: finetuned(kb.BertFeatureClassifier(encoder(), 2), np.arange(8) % 2, **s),
    "pretrainer": lambda **s: pretrained("next", **s),
    "pretrainer without sentence task": lambda **s: pretrained(None, **s),
    "distilled pretrainer": distilled,
    "fitted head": fitted_head,  # `fit_features` compiles only the head
}  # fmt: skip


def batch_of(model, data):
    """Return a batch for `fit`: inputs, targets and, for a pretrainer, weights."""
    if isinstance(model, kb.BertPretrainer):
        inputs, targets, weights = MaskedBatches(*data, batch_size=4)[0]
        single = len(targets) == 1
        return (inputs, targets["mlm_logits"], weights["mlm_logits"]) if single else (inputs, targets, weights)
    ids, _ = toys.labeled(8)
    return ids, task_for(model).targets(model, ids, data)[0]


def fit(model, batch):
    """Fit a model for one step, and return the history."""
    inputs, targets, *weights = batch
    settings = {"sample_weight": weights[0]} if weights else {}
    return model.fit(inputs, targets, batch_size=8, epochs=1, shuffle=False, verbose=0, **settings).history


def outputs_of(model, inputs):
    return [keras.ops.convert_to_numpy(x) for x in keras.tree.flatten(model(inputs))]


def distance(model, weights):
    return max(np.abs(np.array(a) - b).max() for a, b in zip(model.get_weights(), weights, strict=True))


# What differs between backends: the optimizer's state, the accumulation, several outputs, several losses, `compile`.
PEER_CASES = ("classifier, gradually unfrozen", "classifier, accumulated", "span labeler", "pretrainer", "fitted head")
SAVE = """
import sys, keras, numpy as np
from keras_bert import ops
from tests.training.test_after_training import CASES, batch_of, outputs_of
folder, *names = sys.argv[1:]
ops.disable_kernels("xla").__enter__()  # compiling takes longer than these steps
for number, name in enumerate(names):
    make = CASES[name]
    keras.utils.set_random_seed(number)
    checkpoint = keras.callbacks.ModelCheckpoint(f"{folder}/{number}_checkpoint.keras")
    model, train, data = make(callbacks=[checkpoint])
    train()
    model.save(f"{folder}/{number}.keras")
    inputs = batch_of(model, data)[0]
    np.savez(f"{folder}/{number}.npz", *outputs_of(model, inputs))
"""
LOAD = """
import sys, warnings
import keras_bert, keras
warnings.filterwarnings("error", message=".*optimizer.*")
from keras_bert import ops
ops.disable_kernels("xla").__enter__()
folder, *names = sys.argv[1:]
models = {number: keras.saving.load_model(f"{folder}/{number}.keras") for number in range(len(names))}
import numpy as np, os
from tests.training.test_after_training import CASES, batch_of, distance, fit, outputs_of
for number, name in enumerate(names):
    make = CASES[name]
    made, _, data = make()
    model, batch = models[number], batch_of(made, data)
    with np.load(f"{folder}/{number}.npz") as file:
        expected = [file[key] for key in file.files]

    def check(model):
        assert type(model) is type(made), name
        for a, b in zip(outputs_of(model, batch[0]), expected, strict=True):
            np.testing.assert_allclose(a, b, atol=1e-6, err_msg=name)

    check(model)
    if name == "fitted head":
        assert not model.compiled
        continue
    biases = [v for v in model.trainable_variables if v.name in ("bias", "gamma", "beta")]
    assert biases and not any(model.optimizer._use_weight_decay(v) for v in biases), name
    before = [np.array(weight) for weight in model.get_weights()]
    history = fit(model, batch)
    assert len(history) > 1 and distance(model, before) > 0, (name, history)
    saved_by_callback = keras.saving.load_model(f"{folder}/{number}_checkpoint.keras")
    check(saved_by_callback)
    optimizer = saved_by_callback.optimizer
    assert int(optimizer.iterations) > 0 and len(optimizer.variables) > 8, name
    if "accumulated" not in name:
        assert optimizer.get_config()["learning_rate"]["class_name"] == "WarmupLinearDecay", name
print("loaded", len(models))
"""


def run(program: str, backend: str, *arguments: str) -> str:
    done = subprocess.run(
        [sys.executable, "-c", program, *arguments],
        cwd=ROOT,
        env={**os.environ, "KERAS_BACKEND": backend, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=LIMIT,
    )
    assert done.returncode == 0, done.stderr[-4000:]
    return done.stdout


@pytest.mark.slow
@pytest.mark.parametrize(
    "backend", ["tensorflow", *(pytest.param(name, marks=pytest.mark.peers) for name in ("jax", "torch"))]
)
def test_saved_models_load_in_a_fresh_process(backend, tmp_path):
    if importlib.util.find_spec(backend) is None:
        pytest.skip(f"make test-all installs {backend}")
    names = CASES if backend == "tensorflow" else PEER_CASES
    run(SAVE, backend, str(tmp_path), *names)
    assert f"loaded {len(names)}" in run(LOAD, backend, str(tmp_path), *names)


@pytest.mark.parametrize(
    "name", ["classifier, gradually unfrozen", "classifier with a teacher", "distilled pretrainer"]
)
def test_fit_after_training(name):
    model, train, data = CASES[name]()
    train()
    assert model.optimizer.get_config()["learning_rate"] == pytest.approx(1e-3)
    before = [np.array(weight) for weight in model.get_weights()]
    fit(model, batch_of(model, data))
    changed = [v.path for v, b in zip(model.weights, before, strict=True) if np.abs(np.array(v) - b).max() > 1e-5]
    assert len(changed) >= 0.8 * len(model.weights)  # also the layers that the schedule unfroze late


def test_model_is_usable_after_an_interruption():
    class Stop(keras.callbacks.Callback):
        def on_train_batch_end(self, batch, logs=None):
            raise KeyboardInterrupt

    model, train, data = classifier(callbacks=[Stop()], freeze="all")
    with pytest.raises(KeyboardInterrupt):
        train()
    before = [np.array(weight) for weight in model.encoder.get_weights()]
    fit(model, batch_of(model, data))
    assert distance(model.encoder, before) > 1e-5


@pytest.mark.slow
def test_second_run_is_that_of_a_fresh_copy():
    model, train, _ = classifier(epochs=2)
    train()
    copy, train_copy, _ = classifier(epochs=2)
    copy.set_weights(model.get_weights())
    first, second = train().history, train_copy().history
    assert first == second
    assert distance(model, copy.get_weights()) == 0
