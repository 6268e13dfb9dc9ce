"""Checkpoints that google-research's own code reads, and ones that it wrote, compute as they do there."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from keras_bert.weights.formats.google_research import save_google
from keras_bert.weights.source import load_weights
from tests.weights.formats.test_google_research import IDS, TYPES, make, outputs

pytestmark = pytest.mark.peers
CASES = [("BERT", "pretrainer"), ("BERT", "classifier"), ("BERT", "spans"), ("ALBERT", "pretrainer")]


def original(variant, kind, mode, folder) -> dict:
    """What the original computes; the package, or the test is skipped and says so."""
    pytest.importorskip(variant.lower(), reason=f"{variant.lower()}-tensorflow is not installed")
    np.savez(folder / "rows.npz", ids=IDS, types=TYPES)
    program = Path(__file__).parent / "original" / "compute.py"
    done = subprocess.run(
        [sys.executable, program, variant.lower(), kind, mode, folder], capture_output=True, text=True, timeout=300
    )
    assert done.returncode == 0, done.stderr[-2000:]
    with np.load(folder / "outputs.npz") as found:
        return dict(found)


def compare(ours: dict, theirs: dict) -> None:
    for name, value in theirs.items():
        mine = ours[name]
        if name in ("mlm_logits", "nsp_logits", "sop_logits"):  # theirs are log-probabilities
            mine = mine - np.log(np.exp(mine).sum(-1, keepdims=True))
        np.testing.assert_allclose(mine.reshape(value.shape), value, atol=5e-5, rtol=0, err_msg=name)
        assert value.std() > 0.01, name


@pytest.mark.parametrize(("variant", "kind"), CASES)
def test_the_original_reads_ours(variant, kind, tmp_path):
    model = make(variant, kind)
    folder = save_google(model, tmp_path / "out")
    compare(outputs(model), original(variant, kind, "read", folder))


@pytest.mark.parametrize(("variant", "kind"), CASES)
def test_ours_reads_the_original(variant, kind, tmp_path):
    settings = {
        **dict(vocab_size=60, hidden_size=16, num_hidden_layers=3, num_attention_heads=2, intermediate_size=32),
        **dict(max_position_embeddings=20, type_vocab_size=2, hidden_act="gelu"),
        **(dict(embedding_size=8) if variant == "ALBERT" else {}),
    }
    (tmp_path / f"{variant.lower()}_config.json").write_text(json.dumps(settings))
    theirs = original(variant, kind, "write", tmp_path)
    model = make(variant, kind)
    report = load_weights(model, tmp_path)
    assert report.untouched == [] and report.left == [] and report.parameters == model.count_params()
    compare(outputs(model), theirs)
