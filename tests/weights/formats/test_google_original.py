"""Checkpoints are exchanged with google-research's original code: both compute the same outputs."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from keras_bert.weights.formats.google_research import save_google_research
from keras_bert.weights.load import load_weights
from tests.processes import LIMIT
from tests.weights.formats.test_google_research import IDS, TYPES, make, outputs

pytestmark = pytest.mark.peers
CASES = [("BERT", "pretrainer"), ("BERT", "classifier"), ("BERT", "spans"), ("ALBERT", "pretrainer")]


def original(variant, kind, mode, folder) -> dict:
    """Return the outputs of the original code; skip the test if its package is not installed."""
    pytest.importorskip(variant.lower(), reason=f"{variant.lower()}-tensorflow is not installed")
    np.savez(folder / "rows.npz", ids=IDS, types=TYPES)
    program = Path(__file__).parent / "original" / "compute.py"
    done = subprocess.run(
        [sys.executable, program, variant.lower(), kind, mode, folder], capture_output=True, text=True, timeout=LIMIT
    )
    assert done.returncode == 0, done.stderr[-2000:]
    with np.load(folder / "outputs.npz") as found:
        return dict(found)


def assert_same_outputs(outputs: dict, expected: dict) -> None:
    for name, value in expected.items():
        received = outputs[name]
        if name in ("mlm_logits", "nsp_logits", "sop_logits"):  # the original returns log-probabilities
            received = received - np.log(np.exp(received).sum(-1, keepdims=True))
        np.testing.assert_allclose(received.reshape(value.shape), value, atol=5e-5, rtol=0, err_msg=name)
        assert value.std() > 0.01, name


@pytest.mark.parametrize(("variant", "kind"), CASES)
def test_original_code_reads_our_checkpoint(variant, kind, tmp_path):
    model = make(variant, kind)
    folder = save_google_research(model, tmp_path / "out")
    assert_same_outputs(outputs(model), original(variant, kind, "read", folder))


@pytest.mark.parametrize(("variant", "kind"), CASES)
def test_reads_checkpoint_of_original_code(variant, kind, tmp_path):
    settings = {
        **dict(vocab_size=60, hidden_size=16, num_hidden_layers=3, num_attention_heads=2, intermediate_size=32),
        **dict(max_position_embeddings=20, type_vocab_size=2, hidden_act="gelu"),
        **(dict(embedding_size=8) if variant == "ALBERT" else {}),
    }
    (tmp_path / f"{variant.lower()}_config.json").write_text(json.dumps(settings))
    expected = original(variant, kind, "write", tmp_path)
    model = make(variant, kind)
    report = load_weights(model, tmp_path)
    assert report.untouched == [] and report.skipped == [] and report.parameters == model.count_params()
    assert_same_outputs(outputs(model), expected)
