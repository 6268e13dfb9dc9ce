"""What makes the models that ship: the search for test sentences in the corpus, and cards from measured values."""

import importlib.util
import lzma
from pathlib import Path

import pytest

SHIP = Path(__file__).resolve().parents[2] / "tools" / "build_saved_models.py"


@pytest.fixture(scope="module")
def ship():
    spec = importlib.util.spec_from_file_location("ship", SHIP)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_a_dev_sentence_is_found_whatever_its_case_and_punctuation(ship, tmp_path):
    (tmp_path / "SST-2").mkdir()
    (tmp_path / "corpus").mkdir()
    dev = ["sentence\tlabel", "a fine , fine film .\t1", "too short\t0", "nobody ever wrote this one\t0"]
    (tmp_path / "SST-2" / "dev.tsv").write_text("\n".join(dev) + "\n")
    text = "One line.\n\nShe called it: A fine, fine film! Too short. Nobody ever wrote this.\n"
    (tmp_path / "corpus" / "books.txt.xz").write_bytes(lzma.compress(text.encode()))
    assert ship.overlap(tmp_path) == {"sentences": 2, "found": 1, "words": 15}


def test_cards_say_what_was_measured(ship, tmp_path, monkeypatch):
    measured = {
        "overlap": {"sentences": 866, "found": 0, "words": 54_609_537},
        "pretraining": {
            "command": ship.PRETRAIN,
            "parameters": 5_423_616,
            "vocab_size": 8192,
            "steps": 30000.0,
            "mlm_accuracy": 0.4566,
            "mlm_loss": 2.8,
            "hours": 2.0,
            "core_hours": 4.0,
        },
        "held_out": {"rows": 1000, "tokens_a_row": 120.0, "mlm_accuracy": 0.4567, "mlm_loss": 2.9},
        "check": {"passed": True, "largest": 1.5e-6},
        "gaps": [
            {"text": "the [MASK] .", "guesses": ["king", "queen"]},
            {"text": "[MASK] was a nurse .", "guesses": ["he", "she"]},
        ],
        "roles": 1,
        "finetuning": {
            "command": ship.FINETUNE,
            "runs": [{"seed": 3, "accuracy": 0.8456, "held_out_accuracy": 0.93, "epoch": 2, "core_hours": 0.5}] * 2,
            "mean": 0.8456,
            "deviation": 0.001,
            "shipped_seed": 3,
        },
        "shipped": {"command": "keras-bert evaluate", "accuracy": 0.8456, "majority": 0.509},
        "probes": [{"text": "far from dull .", "truth": "positive", "label": "negative", "probability": 0.91}],
        "neutral": [{"text": "a french film .", "label": "positive", "probability": 0.99}],
    }
    for name in ("ENCODER", "SENTIMENT"):
        monkeypatch.setattr(ship, name, tmp_path / getattr(ship, name).name)
        getattr(ship, name).mkdir()
    ship.write_cards(measured)
    encoder, sentiment = (
        (tmp_path / name / "README.md").read_text() for name in ("bert_en_uncased_mini", "sst2_sentiment")
    )
    assert "45.7 % (loss 2.900)" in encoder and "5,423,616 parameters" in encoder and "16 g CO2e" in encoder
    gaps, taken_for_granted = encoder.split("## Bias")
    assert "| the [MASK] . | king, queen |" in gaps and "| [MASK] was a nurse . | he, she |" in taken_for_granted
    assert "84.6 ± 0.1 % over 2 seeds" in encoder and "115 million tokens, 123 with padding" in encoder
    assert (
        "| 3 | 84.56 % | 93.00 % | 2 |" in sentiment
        and "| far from dull . | positive | negative (0.91) | wrong |" in sentiment
    )
    assert "| a french film . | positive (0.99) |" in sentiment
    for card in (encoder, sentiment):
        assert "{{" not in card and max(map(len, card.splitlines())) < 250
        for heading in (
            "Model details",
            "Uses",
            "How to get started",
            "Evaluation",
            "Bias, risks and limitations",
            "Environmental impact",
        ):
            assert f"## {heading}" in card
