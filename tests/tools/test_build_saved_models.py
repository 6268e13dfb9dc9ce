"""The program behind the bundled models: search for test sentences in the corpus, and model cards from measurements."""

import lzma

import pytest

from tools import build_saved_models as build

HEADINGS = (
    "Model details",
    "Uses",
    "How to get started",
    "Evaluation",
    "Bias, risks and limitations",
    "Environmental impact",
)
MEASURED = {
    "corpus_overlap": {"sentences": 866, "found": 0, "words": 54_609_537},
    "pretraining": {
        "command": build.PRETRAIN,
        "parameters": 5_423_616,
        "vocab_size": 8192,
        "steps": 30000.0,
        "mlm_accuracy": 0.4566,
        "mlm_loss": 2.8,
        "hours": 2.0,
        "core_hours": 4.0,
    },
    "held_out": {"rows": 1000, "tokens_per_row": 120.0, "mlm_accuracy": 0.4567, "mlm_loss": 2.9},
    "check": {"passed": True, "largest_difference": 1.5e-6},
    "masked_tokens": [{"text": "the [MASK] .", "predicted": ["king", "queen"]}],
    "stereotypes": [{"text": "[MASK] was a nurse .", "predicted": ["he", "she"]}],
    "finetuning": {
        "command": build.FINETUNE,
        "runs": [{"seed": 3, "accuracy": 0.8456, "held_out_accuracy": 0.93, "epoch": 2, "core_hours": 0.5}] * 2,
        "mean": 0.8456,
        "standard_deviation": 0.001,
    },
}


def test_corpus_overlap_ignores_case_and_punctuation(tmp_path):
    (tmp_path / "SST-2").mkdir()
    (tmp_path / "corpus").mkdir()
    dev = ["sentence\tlabel", "a fine , fine film .\t1", "too short\t0", "nobody ever wrote this one\t0"]
    (tmp_path / "SST-2" / "dev.tsv").write_text("\n".join(dev) + "\n")
    text = "One line.\n\nShe called it: A fine, fine film! Too short. Nobody ever wrote this.\n"
    (tmp_path / "corpus" / "books.txt.xz").write_bytes(lzma.compress(text.encode()))
    assert build.corpus_overlap(tmp_path) == {"sentences": 2, "found": 1, "words": 15}


@pytest.fixture
def card(tmp_path, monkeypatch):
    """The card of the encoder, written from `MEASURED`."""
    monkeypatch.setattr(build, "ENCODER", tmp_path / build.ENCODER.name)
    build.ENCODER.mkdir()
    build.write_card(MEASURED)
    return (build.ENCODER / "README.md").read_text("utf-8")


def test_card_of_encoder(card):
    assert "45.7 % (loss 2.900)" in card and "5,423,616 parameters" in card and "16 g CO2e" in card
    masked_tokens, stereotypes = card.split("## Bias")
    assert "| the [MASK] . | king, queen |" in masked_tokens and "| [MASK] was a nurse . | he, she |" in stereotypes
    assert "84.6 ± 0.1 % over 2 seeds" in card and "115 million tokens, 123 million with padding" in card


def test_card_is_complete(card):
    assert "{{" not in card and max(map(len, card.splitlines())) < 250
    assert all(f"## {heading}" in card for heading in HEADINGS)


@pytest.mark.slow
def test_run_adds_up_interrupted_runs(tmp_path, monkeypatch):
    monkeypatch.setattr(build, "WORK", tmp_path)
    monkeypatch.setattr(build, "COST", tmp_path / "cost.json")
    (tmp_path / "cost.json").write_text('{"hours": 2, "core_hours": 3}')
    facts, cost = build.run("keras-bert tokenize --json word", "")
    assert facts and cost["hours"] < 1 and 0 < cost["core_hours"] < 1
    (tmp_path / "cost.json").write_text('{"hours": 2, "core_hours": 3}')
    with pytest.raises(build.subprocess.CalledProcessError):
        build.run("keras-bert no-such-command --resume", "")
    assert '"hours": 2.0' in (tmp_path / "cost.json").read_text()
