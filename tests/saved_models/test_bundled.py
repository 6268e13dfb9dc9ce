"""The bundled models, without a network: equal to the numbers recorded when they were built, and sensible."""

import json
import os
import re
import socket
import zlib
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf

import keras_bert as kb
from keras_bert.catalog.bundled import ENCODER, SAVED_MODELS, SENTIMENT, SMALL
from keras_bert.cli.main import main
from keras_bert.models.pooling import has_trained_pooler
from keras_bert.weights.formats.tfhub import read_tensors, read_tfhub
from tools import build_saved_models as build
from tools.small_model import measuring as small

MEASURED = json.loads(build.MEASURED.read_text(encoding="utf-8"))
SMALL_MEASURED = json.loads(small.MEASURED.read_text(encoding="utf-8"))
# Texts, and the tokens that a reader could expect at their mask.
EXPECTED = {
    "she opened the [MASK] and went into the house .": {"door", "gate", "window"},
    "the ship sailed across the atlantic [MASK] .": {"ocean", "sea"},
    "they were married in 1910 and had three [MASK] .": {"children", "sons", "daughters", "kids"},
    "he died of a heart [MASK] .": {"attack", "failure", "disease", "condition"},
    "he went to school and studied [MASK] at the university .": {"medicine", "law", "mathematics", "music", "history"},
}


@pytest.fixture
def offline(monkeypatch, tmp_path, capfd):
    """Return a function that runs a command without a network, in an empty folder, and returns its JSON."""

    def refuse(*_):
        raise OSError("no network here")

    for owner, name in ((socket.socket, "connect"), (socket, "create_connection"), (socket, "getaddrinfo")):
        monkeypatch.setattr(owner, name, refuse)
    monkeypatch.chdir(tmp_path)

    def run(*arguments) -> dict:
        status = main([*map(str, arguments), "--json"])
        printed = capfd.readouterr()
        assert status == 0, printed.err[-2000:]
        return json.loads(printed.out.splitlines()[-1])

    return run


@pytest.mark.slow
@pytest.mark.parametrize("name, measured", [(ENCODER, MEASURED), (SMALL, SMALL_MEASURED)])
def test_encoder_gives_recorded_vector(name, measured, offline):
    sample = measured["sample"]
    found = offline("embed", "--model", name, sample["text"])
    np.testing.assert_allclose(found["embeddings"][0], sample["vector"], atol=1e-4)


@pytest.mark.slow
def test_classifier_gives_recorded_probabilities(offline):
    rows = SMALL_MEASURED["clear"] + SMALL_MEASURED["probes"]
    found = offline("predict", *(row["text"] for row in rows))["predictions"]
    assert [row["label"] for row in found] == [row["predicted"] for row in rows]
    probabilities = [row["probability"] for row in rows]
    assert [row["probability"] for row in found] == pytest.approx(probabilities, abs=1e-4)
    expected = [row["expected"] for row in SMALL_MEASURED["clear"]]
    assert [row["label"] for row in found[: len(expected)]] == expected


@pytest.mark.slow
@pytest.mark.parametrize("name, parameters", [(ENCODER, 5_454_080), (SMALL, 14_138_496)])
def test_encoder_passes_check(name, parameters, offline):
    found = offline("check", SAVED_MODELS / name)
    assert found["passed"] and found["parameters"] == parameters


@pytest.mark.slow
@pytest.mark.skipif("KERAS_BERT_DATA" not in os.environ, reason="KERAS_BERT_DATA must name a folder with SST-2")
def test_classifier_has_recorded_accuracy(offline):
    dev = Path(os.environ["KERAS_BERT_DATA"]) / "data" / "SST-2" / "dev.tsv"
    found, recorded = offline("evaluate", "--data", dev), SMALL_MEASURED["bundled"]
    assert found["examples"] == recorded["examples"] == 872
    assert found["accuracy"] == pytest.approx(recorded["accuracy"], abs=2 / 872)  # rounding differs between CPUs


@pytest.mark.slow
def test_masked_tokens(offline):
    found = offline("fill-mask", "--top-k", 3, *EXPECTED)["texts"]
    recorded = {row["text"]: row["predicted"] for row in MEASURED["masked_tokens"]}
    for row in found:
        predicted = [each["token"] for each in row["masks"][0]["predictions"]]
        assert predicted[0] in EXPECTED[row["text"]], (row["text"], predicted)
        assert predicted == recorded[row["text"]]


@pytest.mark.slow
def test_masked_tokens_of_the_small_encoder(offline):
    rows = SMALL_MEASURED["masked_tokens"]
    found = offline("fill-mask", "--model", SMALL, "--top-k", 3, *(row["text"] for row in rows))
    predicted = [[each["token"] for each in row["masks"][0]["predictions"]] for row in found["texts"]]
    assert predicted == [row["predicted"] for row in rows]
    assert [tokens[0] in EXPECTED.get(row["text"], ()) for tokens, row in zip(predicted, rows, strict=True)][:3] == [
        True
    ] * 3


def test_weights_of_the_small_models_have_half_precision():
    variables = [*read_tensors(read_tfhub(SAVED_MODELS / SMALL)).values()]
    reader = tf.train.load_checkpoint(str(SAVED_MODELS / SENTIMENT / "variables" / "variables"))
    names = [name for name, shape in reader.get_variable_to_shape_map().items() if shape]
    variables += [value for name in names if (value := reader.get_tensor(name)).dtype == np.float32]
    assert sum(map(np.size, variables)) > 28_000_000
    for weight in variables:
        assert not (weight.view(np.uint32) & 0xFFFF).any()  # so that archives need half of the space


def compressed_megabytes(folder: Path) -> float:
    """Return what the files need in an archive, at most: the low level takes a tenth of the time of the default."""
    return sum(len(zlib.compress(file.read_bytes(), 3)) for file in folder.rglob("*") if file.is_file()) / 1e6


def test_size():
    assert sum(file.stat().st_size for file in (SAVED_MODELS / ENCODER).rglob("*")) < 30 * 2**20
    for name in (SMALL, SENTIMENT):
        assert compressed_megabytes(SAVED_MODELS / name) < 30
    assert MEASURED["pretraining"]["parameters"] <= 12_000_000 and SMALL_MEASURED["parameters"] <= 14_200_000


@pytest.mark.parametrize("name", [ENCODER, SMALL, SENTIMENT])
def test_card_is_generated(name, tmp_path, monkeypatch):
    (tmp_path / name).mkdir()
    if name == ENCODER:
        monkeypatch.setattr(build, "ENCODER", tmp_path / name)
        build.write_card(MEASURED)
    else:
        small.write_card(SMALL_MEASURED, tmp_path / name)
    card = Path(name) / "README.md"
    assert (tmp_path / card).read_text(encoding="utf-8") == (SAVED_MODELS / card).read_text(encoding="utf-8")


def test_card_states_that_the_pooler_was_never_trained():
    card = (SAVED_MODELS / "bert_en_uncased_mini" / "README.md").read_text(encoding="utf-8")
    template = (SAVED_MODELS.parent / "tools" / "bert_en_uncased_mini.md.jinja").read_text(encoding="utf-8")
    for text in (card, template):
        text = " ".join(text.split())
        assert re.search(r"\*\*Pooler\*\*: never trained\..* its bias is exactly 0", text)
    encoder = kb.load_pretrained("bert_en_uncased_mini").encoder
    assert not np.any(encoder.pooler.dense.bias) and not has_trained_pooler(encoder)
