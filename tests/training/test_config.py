"""TrainingConfig: validation, the fields of each trainer, and both ways to give settings."""

import dataclasses
import json
import subprocess
import sys

import keras
import numpy as np
import pytest

import keras_bert as kb
from keras_bert.training.config import TRAINER_DEFAULTS, TrainingConfig
from keras_bert.training.resolve_config import default_of, fields_of, resolve_config
from tests.training import toys


@pytest.mark.parametrize(
    "field, value",
    [
        ("epochs", 0),
        ("epochs", 1.5),
        ("steps", -1),
        ("batch_size", 0),
        ("batch_size", True),
        ("accumulate", 0),
        ("learning_rate", 0.0),
        ("learning_rate", float("nan")),
        ("learning_rate", "fast"),
        ("warmup", 1.0),
        ("warmup", -0.1),
        ("weight_decay", -0.1),
        ("layer_decay", 0.0),
        ("layer_decay", 1.1),
        ("temperature", 0),
        ("alpha", 1.1),
        ("loss_weights", (1.0, 1.0)),
        ("embedding_init", "glove"),
        ("seed", -1),
        ("validate_every", 0),
        ("checkpoint_every", 0),
    ],
)
def test_rejects_invalid_value(field, value):
    with pytest.raises(kb.InputError, match=f"^`{field}`.*Received: {field}="):
        TrainingConfig(**{field: value})


def test_defaults_of_trainers():
    rates = {trainer: resolve_config(trainer, None, {}).learning_rate for trainer in TRAINER_DEFAULTS}
    assert rates == {"pretrain": 1e-4, "finetune": 5e-5, "distill": 5e-4}
    assert [resolve_config(trainer, None, {}).warmup for trainer in rates] == [0.1, 0.1, 0.05]
    assert resolve_config("finetune", None, {}).epochs == default_of("finetune", "epochs") == 3
    assert default_of("pretrain", "batch_size") == 32


def test_fields_override_config():
    config = TrainingConfig(epochs=5, batch_size=8)
    resolved = resolve_config("finetune", config, {"batch_size": 4})
    assert (resolved.epochs, resolved.batch_size) == (5, 4)
    assert config.batch_size == 8
    with pytest.raises(dataclasses.FrozenInstanceError):
        config.batch_size = 4


def test_rejects_unknown_field():
    with pytest.raises(kb.InputError, match="^`lr`.*finetune.*Received: lr=0.1.*learning_rate"):
        resolve_config("finetune", None, {"lr": 0.1})
    with pytest.raises(kb.InputError, match="^`config`.*TrainingConfig.*Received: config="):
        resolve_config("finetune", {"epochs": 3}, {})


@pytest.mark.parametrize(
    "trainer, field, value",
    [
        ("pretrain", "freeze", "all"),
        ("pretrain", "temperature", 3.0),
        ("finetune", "steps", 10),
        ("finetune", "validate_every", 10),
        ("finetune", "embedding_init", "ppmi"),
        ("distill", "alpha", 0.1),
        ("distill", "layer_decay", 0.9),
    ],
)
def test_rejects_field_of_other_trainer(trainer, field, value):
    assert field not in fields_of(trainer)
    for config, fields in ((None, {field: value}), (TrainingConfig(**{field: value}), {})):
        with pytest.raises(kb.InputError, match=f"^`{field}`.*{trainer}.*Received: {field}="):
            resolve_config(trainer, config, fields)


def test_to_dict_is_json_without_outputs():
    settings = {"callbacks": [keras.callbacks.Callback()], "checkpoint_dir": "x"}
    config = TrainingConfig(steps=np.int64(3), learning_rate=np.float32(0.5), **settings)
    values = json.loads(json.dumps(config.to_dict()))
    assert values["steps"] == 3 and values["learning_rate"] == 0.5 and values["loss_weights"] == [5.0, 2.0, 1.0]
    assert not {"checkpoint_dir", "checkpoint_every", "log_dir", "callbacks", "verbose"} & set(values)


@pytest.mark.slow
def test_config_equals_keywords():
    ids, labels = toys.labeled(24)
    settings = {"epochs": 2, "batch_size": 8, "learning_rate": 1e-3, "verbose": 0}
    histories = []
    for arguments, fields in (((), settings), ((kb.TrainingConfig(**settings),), {})):
        model = toys.make_classifier()
        histories.append(kb.finetune(model, ids, labels, ids, labels, *arguments, **fields).history)
    assert histories[0] == histories[1]


def test_config_imports_without_keras():
    program = (
        "import sys; sys.modules['keras'] = None;"
        "from keras_bert.training.resolve_config import default_of; print(default_of('pretrain', 'learning_rate'))"
    )
    # The command line imports the package without Keras, so it must find the defaults without it too.
    completed = subprocess.run(
        [sys.executable, "-c", f"import sys; sys.argv = ['keras-bert']; {program}"], capture_output=True, text=True
    )
    assert completed.returncode == 0, completed.stderr[-2000:]
    assert completed.stdout.strip() == "0.0001"
