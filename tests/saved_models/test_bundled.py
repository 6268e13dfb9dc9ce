"""The bundled models: without a network they give the recorded numbers, and correct predictions."""

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from keras_bert.catalog.bundled import ENCODER, SAVED_MODELS, SENTIMENT

TOOLS = Path(__file__).resolve().parents[2] / "tools"
MEASURED = json.loads((TOOLS / "measured.json").read_text(encoding="utf-8"))
OFFLINE = """
import socket, sys
def refuse(*_): raise OSError("no network here")
socket.socket.connect = socket.create_connection = socket.getaddrinfo = refuse
from keras_bert.cli.main import main
sys.exit(main(sys.argv[1:]))
"""
# A text with [MASK]: tokens that are correct there.
CORRECT_TOKENS = {
    "she opened the [MASK] and went into the house .": {"door", "gate", "window"},
    "the ship sailed across the atlantic [MASK] .": {"ocean", "sea"},
    "they were married in 1910 and had three [MASK] .": {"children", "sons", "daughters", "kids"},
    "he died of a heart [MASK] .": {"attack", "failure", "disease", "condition"},
    "he went to school and studied [MASK] at the university .": {"medicine", "law", "mathematics", "music", "history"},
}


def run_offline(*arguments, folder) -> dict:
    """Run a command without network, outside the repository, and return its JSON object."""
    command = [sys.executable, "-c", OFFLINE, *map(str, arguments), "--json"]
    environment = {**os.environ, "PYTHONPATH": str(SAVED_MODELS.parent)}
    result = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True)
    assert result.returncode == 0, result.stderr[-2000:]
    return json.loads(result.stdout.splitlines()[-1])


def test_encoder_vector(tmp_path):
    sample = MEASURED["sample"]
    found = run_offline("embed", sample["text"], folder=tmp_path)
    np.testing.assert_allclose(found["embeddings"][0], sample["vector"], atol=1e-4)


def test_classifier_predictions(tmp_path):
    rows = MEASURED["plain"] + MEASURED["probes"]
    found = run_offline("predict", *(row["text"] for row in rows), folder=tmp_path)["predictions"]
    assert [row["label"] for row in found] == [row["label"] for row in rows]
    probabilities = [row["probability"] for row in rows]
    assert [row["probability"] for row in found] == pytest.approx(probabilities, abs=1e-4)
    assert [row["label"] for row in found[: len(MEASURED["plain"])]] == [row["truth"] for row in MEASURED["plain"]]


def test_encoder_passes_check(tmp_path):
    found = run_offline("check", SAVED_MODELS / ENCODER, folder=tmp_path)
    assert found["passed"] and found["parameters"] == 5_454_080


@pytest.mark.skipif("KERAS_BERT_DATA" not in os.environ, reason="KERAS_BERT_DATA must be a folder with data/SST-2")
def test_classifier_accuracy(tmp_path):
    dev = Path(os.environ["KERAS_BERT_DATA"]) / "data" / "SST-2" / "dev.tsv"
    found, recorded = run_offline("evaluate", "--data", dev, folder=tmp_path), MEASURED["bundled"]
    assert found["examples"] == recorded["examples"] == 872
    # Another CPU may change the prediction of a sentence.
    assert found["accuracy"] == pytest.approx(recorded["accuracy"], abs=2 / 872)


def test_fill_mask_predictions(tmp_path):
    found = run_offline("fill-mask", "--top-k", 3, *CORRECT_TOKENS, folder=tmp_path)["texts"]
    for row in found:
        first = row["masks"][0]["predictions"][0]["token"]
        assert first in CORRECT_TOKENS[row["text"]], (row["text"], first)
    recorded = {row["text"]: row["guesses"] for row in MEASURED["gaps"]}
    assert all([each["token"] for each in row["masks"][0]["predictions"]] == recorded[row["text"]] for row in found)


def test_size_on_disk():
    for name, max_mib in ((ENCODER, 30), (SENTIMENT, 30)):
        assert sum(file.stat().st_size for file in (SAVED_MODELS / name).rglob("*")) < max_mib * 2**20
    assert MEASURED["pretraining"]["parameters"] <= 12_000_000


@pytest.mark.parametrize("name", [ENCODER, SENTIMENT])
def test_card_has_measured_numbers(name, tmp_path, monkeypatch):
    from tools import build_saved_models

    for constant in ("ENCODER", "SENTIMENT"):
        folder = tmp_path / getattr(build_saved_models, constant).name
        folder.mkdir()
        monkeypatch.setattr(build_saved_models, constant, folder)
    build_saved_models.write_cards(MEASURED)
    card = Path(name) / "README.md"
    assert (tmp_path / card).read_text(encoding="utf-8") == (SAVED_MODELS / card).read_text(encoding="utf-8")
