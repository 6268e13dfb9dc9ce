"""Commands without --model take what ships; where nothing does, one line says what to do."""

import json
import shutil

import pytest

import keras_bert as kb
from keras_bert.catalog.bundled import ENCODER, SENTIMENT
from keras_bert.weights import load_pretrained


@pytest.fixture
def shipped(models, tmp_path, monkeypatch):
    monkeypatch.setattr("keras_bert.catalog.bundled.SAVED_MODELS", tmp_path)
    shutil.copytree(models.served, tmp_path / SENTIMENT)
    trained = load_pretrained(models.encoder)
    kb.export_saved_model(trained.model, tmp_path / ENCODER, trained.vectorizer, interface="tfhub")


def facts_of(said) -> dict:
    assert said.status == 0, said.err
    return json.loads(said.out.splitlines()[-1])


def assert_near(one, other) -> None:
    """The same JSON, numbers within 1e-5."""
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
def test_without_a_model_as_with_the_one_that_ships(call, models, shipped, command, folder):
    command = [models.data if word == "DATA" else word for word in command]
    without = facts_of(call(*command, "--json"))
    assert_near(without, facts_of(call(*command, "--model", getattr(models, folder), "--json")))


def test_finetune_from_the_encoder_that_ships(call, models, shipped, tmp_path):
    out = tmp_path / "fine"
    said = call(
        *("finetune", "--encoder", ENCODER, "--dataset", models.dataset, "--epochs", 1, "--held-out", 0.2),
        *("--dropout", 0.3, "--sequence-length", 16, "--out", out),
    )
    assert said.status == 0, said.err
    trained = load_pretrained(out)
    assert trained.vocabulary == load_pretrained(models.encoder).vocabulary
    assert trained.encoder.config.hidden_dropout == trained.encoder.config.attention_dropout == 0.3


def test_tokenize_uses_the_bundled_vocabulary(call, models, shipped):
    facts = facts_of(call("tokenize", "a fine [MASK]", "--json"))
    assert facts == facts_of(call("tokenize", "--vocab", models.vocab, "a fine [MASK]", "--json"))


@pytest.mark.parametrize(
    "command", [["predict", "x"], ["fill-mask", "[MASK]"], ["embed", "x"], ["tokenize", "x"]], ids=lambda c: c[0]
)
def test_an_installation_without_them(call, tmp_path, monkeypatch, command):
    monkeypatch.setattr("keras_bert.catalog.bundled.SAVED_MODELS", tmp_path)
    said = call(*command)
    assert said.status == 2 and "give the folder of another model" in said.err and len(said.err.splitlines()) == 1
