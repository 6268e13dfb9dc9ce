"""Commands without `--model` use a bundled model; without one, an error says what to do."""

import shutil

import pytest

import keras_bert as kb
from keras_bert.catalog.bundled import ENCODER, SENTIMENT
from keras_bert.weights import load_pretrained
from tests.cli.command_line import assert_error, results_of


@pytest.fixture
def bundled(models, tmp_path, monkeypatch):
    monkeypatch.setattr("keras_bert.catalog.bundled.SAVED_MODELS", tmp_path)
    shutil.copytree(models.served, tmp_path / SENTIMENT)
    trained = load_pretrained(models.encoder)
    kb.export_saved_model(trained.model, tmp_path / ENCODER, trained.vectorizer, interface="tfhub")


def assert_near(one, other) -> None:
    """Compare two JSON values; numbers may differ by 1e-5."""
    if isinstance(one, (dict, list)):
        assert type(one) is type(other) and len(one) == len(other)
        for key in one if isinstance(one, dict) else range(len(one)):
            assert_near(one[key], other[key])
    else:
        assert one == (pytest.approx(other, abs=1e-5) if isinstance(one, float) else other)


@pytest.mark.parametrize(
    ("command", "folder"),
    [
        (["predict", "a fine film"], "served"),
        (["evaluate", "--data", "DATA"], "served"),
        (["fill-mask", "a [MASK] film"], "encoder"),
        (["embed", "a fine film", "no"], "encoder"),
    ],
    ids=lambda value: value[0] if isinstance(value, list) else value,
)
def test_default_model_is_bundled(call, models, bundled, command, folder):
    command = [models.data if word == "DATA" else word for word in command]
    default = results_of(call(*command, "--json"))
    assert_near(default, results_of(call(*command, "--model", getattr(models, folder), "--json")))


@pytest.mark.slow
def test_finetune_from_bundled_encoder(call, models, bundled, tmp_path):
    out = tmp_path / "fine"
    result = call(
        *("finetune", "--encoder", ENCODER, "--dataset", models.dataset, "--epochs", 1, "--held-out", 0.2),
        *("--dropout", 0.3, "--sequence-length", 16, "--out", out),
    )
    assert result.status == 0, result.err
    trained = load_pretrained(out)
    assert trained.vocabulary == load_pretrained(models.encoder).vocabulary
    assert trained.encoder.config.hidden_dropout == trained.encoder.config.attention_dropout == 0.3


@pytest.mark.parametrize("command", [["predict", "x"], ["fill-mask", "[MASK]"], ["embed", "x"]], ids=lambda c: c[0])
def test_rejects_missing_bundled_models(call, tmp_path, monkeypatch, command):
    monkeypatch.setattr("keras_bert.catalog.bundled.SAVED_MODELS", tmp_path)
    name = SENTIMENT if command[0] == "predict" else ENCODER
    assert_error(call(*command), str(tmp_path / name))
