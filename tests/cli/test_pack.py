"""`pack`: the folder that `pretrain --data` reads, with the rows that `pretrain` would pack itself."""

import json

import pytest

from keras_bert.data import load_packed
from keras_bert.weights import load_pretrained
from tests.cli.command_line import assert_error, results_of

SMALL = ["--layers", 1, "--hidden", 16, "--heads", 2, "--batch-size", 4, "--steps", 3]
WORDS = ("the cat sat on mat", "a dog ran to it", "birds flew")


def write_text(path, documents=40):
    lines = (f"{WORDS[n % 3]}. {WORDS[(n + 1) % 3]} {WORDS[n % 2]}." for n in range(documents))
    path.write_text("\n\n".join(f"{line}\n{line}" for line in lines), encoding="utf-8")
    return path


@pytest.mark.slow
def test_pretrain_on_packed_text_equals_pretrain_on_text(call, models, tmp_path):
    text = write_text(tmp_path / "text.txt")
    source = ["--data", text, "--vocab", models.vocab, "--sequence-length", 16, "--sentence-order"]
    packed = results_of(call("pack", *source, "--out", tmp_path / "packed", "--json"))
    train, held_out = load_packed(tmp_path / "packed")
    assert packed["files"] == 1 and packed["rows"] == {"train": len(train), "held_out": len(held_out)}
    one = results_of(call("pretrain", *source, *SMALL, "--out", tmp_path / "one", "--json"))
    other = results_of(call("pretrain", "--data", tmp_path / "packed", *SMALL, "--out", tmp_path / "other", "--json"))
    assert one["history"] == other["history"] and other["step"] == 3
    assert load_pretrained(tmp_path / "other").vocabulary == load_pretrained(tmp_path / "one").vocabulary
    assert {path.name for path in tmp_path.iterdir()} == {"text.txt", "packed", "one", "other"}


@pytest.mark.slow
def test_continues_pretraining_of_an_encoder(call, models, tmp_path):
    """The rows have the tokenizer of the encoder; another encoder is rejected."""
    text, steps = write_text(tmp_path / "text.txt"), ["--steps", 1, "--batch-size", 4]
    pack = ["pack", "--data", text, "--sequence-length", 16]
    results_of(call(*pack, "--encoder", models.encoder, "--out", tmp_path / "packed", "--json"))
    pretrain = ["pretrain", "--data", tmp_path / "packed", *steps, "--out", tmp_path / "out"]
    result = call(*pretrain, "--encoder", "bert_en_uncased_mini")
    assert_error(result, "`--encoder`", str(tmp_path / "packed"))
    assert not (tmp_path / "out").exists()
    assert results_of(call(*pretrain, "--encoder", models.encoder, "--json"))["step"] == 1


def test_options_of_packed_rows_are_left_out(call, models, tmp_path):
    text = write_text(tmp_path / "text.txt", 20)
    assert call("pack", "--data", text, "--vocab", models.vocab, "--out", tmp_path / "packed").status == 0
    pretrain = ["pretrain", "--data", tmp_path / "packed", *SMALL, "--out", tmp_path / "out"]
    for option in (["--sequence-length", 16], ["--cased"], ["--vocab", models.vocab], ["--held-out", 0.1]):
        assert_error(call(*pretrain, *option), option[0], str(tmp_path / "packed"))
    assert_error(call(*pretrain, "--data", text), "`--data`", str(tmp_path / "packed"))
    (tmp_path / "packed" / "manifest.json").unlink()
    assert_error(call(*pretrain), "`folder`", str(tmp_path / "packed"), "keras-bert pack")
    assert {path.name for path in tmp_path.iterdir()} == {"text.txt", "packed"}


def test_default_vocabulary_and_repeated_call(call, tmp_path):
    text = write_text(tmp_path / "text.txt", 20)
    command = ["pack", "--data", text, "--data", "sample", "--out", tmp_path / "packed", "--json"]
    first, second = (results_of(call(*command)) for _ in range(2))
    assert first == second and first["files"] == 2 and first["rows"]["train"] > 100
    assert json.loads((tmp_path / "packed" / "manifest.json").read_text(encoding="utf-8"))["rows"] == first["rows"]
    assert {path.name for path in tmp_path.iterdir()} == {"text.txt", "packed"}


@pytest.mark.parametrize(
    "options, words",
    [
        (["--cased"], ["--vocab"]),
        (["--encoder", "bert_en_uncased_mini", "--vocab", "TEXT"], ["--vocab", "--encoder"]),
        (["--no-next-sentence", "--sentence-order"], ["--sentence-order"]),
        (["--data", "none.txt"], ["`path`", "none.txt"]),
        (["--data", "tfds:lm1b"], ["`files`", "tfds:lm1b"]),
        (["--vocab", "TEXT"], ["`vocabulary`", "[CLS]"]),
        (["--workers", "0"], ["--workers"]),
        (["--held-out", "0.9"], ["--held-out"]),
        (["--no-next-sentence", "--dupe-factor", "2"], ["`dupe_factor`"]),
    ],
)
def test_rejects_invalid_calls(call, tmp_path, options, words):
    text = write_text(tmp_path / "text.txt", 5)
    options = [text if option == "TEXT" else option for option in options]
    assert_error(call("pack", "--data", text, "--out", tmp_path / "packed", *options), *words)
    assert list(tmp_path.iterdir()) == [text]


def test_one_document_is_not_enough_for_next_sentences(call, tmp_path):
    (tmp_path / "one.txt").write_text("a dog ran.\n", encoding="utf-8")
    result = call("pack", "--data", tmp_path / "one.txt", "--out", tmp_path / "packed")
    assert_error(result, "`documents`", "2 documents", str(tmp_path / "one.txt"))
    assert [path.name for path in tmp_path.iterdir()] == ["one.txt"]
