"""The models that ship: without a network they give the numbers recorded when they were made, and right answers."""

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from keras_bert.catalog.bundled import ENCODER, SAVED_MODELS, SENTIMENT

MEASURED = json.loads((SAVED_MODELS / "measured.json").read_text(encoding="utf-8"))
OFFLINE = """
import socket, sys
def refuse(*_): raise OSError("no network here")
socket.socket.connect = socket.create_connection = socket.getaddrinfo = refuse
from keras_bert.cli.main import main
sys.exit(main(sys.argv[1:]))
"""
# A gap and what a reader could put there.
SENSIBLE = {
    "she opened the [MASK] and went into the house .": {"door", "gate", "window"},
    "the ship sailed across the atlantic [MASK] .": {"ocean", "sea"},
    "they were married in 1910 and had three [MASK] .": {"children", "sons", "daughters", "kids"},
    "he died of a heart [MASK] .": {"attack", "failure", "disease", "condition"},
    "he went to school and studied [MASK] at the university .": {"medicine", "law", "mathematics", "music", "history"},
}


def said(*arguments, folder) -> dict:
    """The JSON of a command that has no network and stands elsewhere than in the repository."""
    words = [sys.executable, "-c", OFFLINE, *map(str, arguments), "--json"]
    path = {"PYTHONPATH": str(SAVED_MODELS.parent)}
    done = subprocess.run(words, cwd=folder, env={**os.environ, **path}, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-2000:]
    return json.loads(done.stdout.splitlines()[-1])


def test_the_encoder_gives_the_recorded_vector(tmp_path):
    sample = MEASURED["sample"]
    found = said("embed", sample["text"], folder=tmp_path)
    np.testing.assert_allclose(found["embeddings"][0], sample["vector"], atol=1e-4)


def test_the_classifier_gives_the_recorded_probabilities_and_plain_sentences_are_right(tmp_path):
    rows = MEASURED["plain"] + MEASURED["probes"]
    found = said("predict", *(row["text"] for row in rows), folder=tmp_path)["predictions"]
    assert [row["label"] for row in found] == [row["label"] for row in rows]
    probabilities = [row["probability"] for row in rows]
    assert [row["probability"] for row in found] == pytest.approx(probabilities, abs=1e-4)
    assert [row["label"] for row in found[: len(MEASURED["plain"])]] == [row["truth"] for row in MEASURED["plain"]]


def test_the_encoder_is_bert_by_its_own_graph(tmp_path):
    found = said("check", SAVED_MODELS / ENCODER, folder=tmp_path)
    assert found["passed"] and found["parameters"] == 5_454_080


@pytest.mark.skipif("KERAS_BERT_DATA" not in os.environ, reason="SST-2 is where KERAS_BERT_DATA says")
def test_the_classifier_has_the_accuracy_of_its_card(tmp_path):
    dev = Path(os.environ["KERAS_BERT_DATA"]) / "data" / "SST-2" / "dev.tsv"
    found, recorded = said("evaluate", "--data", dev, folder=tmp_path), MEASURED["shipped"]
    assert found["examples"] == recorded["examples"] == 872
    assert found["accuracy"] == pytest.approx(recorded["accuracy"], abs=2 / 872)  # another CPU may tip a sentence


def test_gaps_are_filled_sensibly(tmp_path):
    found = said("fill-mask", "--top-k", 3, *SENSIBLE, folder=tmp_path)["texts"]
    for row in found:
        first = row["masks"][0]["predictions"][0]["token"]
        assert first in SENSIBLE[row["text"]], (row["text"], first)
    recorded = {row["text"]: row["guesses"] for row in MEASURED["gaps"]}
    assert all([g["token"] for g in row["masks"][0]["predictions"]] == recorded[row["text"]] for row in found)


def test_they_are_small_enough_to_clone():
    for name, most in ((ENCODER, 30), (SENTIMENT, 30)):
        assert sum(file.stat().st_size for file in (SAVED_MODELS / name).rglob("*")) < most * 2**20
    assert MEASURED["pretraining"]["parameters"] <= 12_000_000


@pytest.mark.parametrize("name", [ENCODER, SENTIMENT])
def test_the_card_is_what_was_measured(name, tmp_path, monkeypatch):
    import importlib.util

    spec = importlib.util.spec_from_file_location("ship", SAVED_MODELS / "ship.py")
    ship = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(ship)
    for constant in ("ENCODER", "SENTIMENT"):
        monkeypatch.setattr(ship, constant, tmp_path / getattr(ship, constant).name)
        getattr(ship, constant).mkdir()
    ship.write_cards(MEASURED)
    card = Path(name) / "README.md"
    assert (tmp_path / card).read_text(encoding="utf-8") == (SAVED_MODELS / card).read_text(encoding="utf-8")
