"""Files of texts to files of predictions, by the command line, in bounded memory."""

import json
import re

import keras
import numpy as np
import pytest

import keras_bert as kb
from keras_bert.cli.main import main
from keras_bert.inference.prediction_files import read_texts
from tests.helpers import randomize

VOCABULARY = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "a", "fine", "film", "no", "fun"]
LINES = 5000


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    keras.utils.set_random_seed(1)
    config = kb.BertConfig(len(VOCABULARY), 8, 1, 2, 16, max_position_embeddings=16)
    model = randomize(kb.BertClassifier(kb.BertEncoder(config)))
    vectorizer = kb.BertTextVectorization(VOCABULARY, sequence_length=12)
    return kb.save_pretrained(model, tmp_path_factory.mktemp("m") / "model", vectorizer, ["bad", "good"])


@pytest.fixture
def lines(tmp_path):
    rng = np.random.default_rng(0)
    texts = [" ".join(rng.choice(VOCABULARY[5:], rng.integers(1, 9))) for _ in range(LINES)]
    (tmp_path / "texts.txt").write_text("\n".join(texts) + "\n")
    return texts


@pytest.mark.parametrize("suffix", ["tsv", "jsonl"])
def test_file_in_small_chunks(folder, lines, tmp_path, monkeypatch, capfd, suffix):
    monkeypatch.setattr(kb.Predictor, "chunk_size", 64)
    sizes, real = [], type(kb.Predictor(folder)._backend).predict

    def watched(self, texts, *arguments):
        sizes.append(len(texts))
        return real(self, texts, *arguments)

    monkeypatch.setattr(type(kb.Predictor(folder)._backend), "predict", watched)
    out = tmp_path / f"out.{suffix}"
    arguments = ["predict", "--model", str(folder), "--input", str(tmp_path / "texts.txt"), "--output", str(out)]
    assert main([*arguments, "--json"]) == 0
    assert json.loads(capfd.readouterr().out.splitlines()[-1]) == {"output": str(out), "examples": LINES}
    assert max(sizes) == 64 and sum(sizes) == LINES
    rows = out.read_text().splitlines()
    expected = kb.Predictor(folder)(lines[:100])
    if suffix == "jsonl":
        rows = [json.loads(row) for row in rows]
        assert [row["text"] for row in rows] == lines
        for row, other in zip(rows, expected, strict=False):
            assert row["label"] == other["label"] and row["probability"] == pytest.approx(other["probability"])
    else:
        assert rows[0] == "label\tprobability\ttext"
        cells = [row.split("\t") for row in rows[1:]]
        assert [text for _, _, text in cells] == lines
        assert [(label, p) for label, p, _ in cells[:100]] == [
            (each["label"], f"{each['probability']:.3f}") for each in expected
        ]
    assert {path.name for path in tmp_path.iterdir()} == {"texts.txt", out.name}


def test_bad_line_leaves_nothing(folder, tmp_path, capfd):
    (tmp_path / "texts.txt").write_text("a fine film\n\nno fun\n")
    out = tmp_path / "out.tsv"
    arguments = ["predict", "--model", str(folder), "--input", str(tmp_path / "texts.txt"), "--output", str(out)]
    assert main(arguments) == 2
    error = capfd.readouterr().err
    assert "texts.txt" in error and "number 2" in error and error.count("\n") == 1
    assert {path.name for path in tmp_path.iterdir()} == {"texts.txt"}


def test_interrupted_output_keeps_old_file(folder, lines, tmp_path, monkeypatch):
    out = tmp_path / "out.tsv"
    out.write_text("old")
    monkeypatch.setattr(kb.Predictor, "chunk_size", 1000)
    monkeypatch.setattr(kb.Predictor, "cells", lambda self, prediction: 1 / 0)
    arguments = ["predict", "--model", str(folder), "--input", str(tmp_path / "texts.txt"), "--output", str(out)]
    with pytest.raises(ZeroDivisionError):
        main(arguments)
    assert out.read_text() == "old" and {path.name for path in tmp_path.iterdir()} == {"texts.txt", "out.tsv"}


def test_texts_and_files_on_the_command_line(folder, tmp_path, capfd):
    (tmp_path / "texts.txt").write_text("a fine film\nno fun\n")
    both = []
    for arguments in (["a fine film", "no fun"], ["--input", str(tmp_path / "texts.txt")]):
        assert main(["predict", "--model", str(folder), *arguments, "--top-k", "2", "--batch-size", "1", "--json"]) == 0
        both.append(json.loads(capfd.readouterr().out.splitlines()[-1])["predictions"])
    assert both[0] == both[1] and [len(row["top_k"]) for row in both[0]] == [2, 2]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "`--input`.*Received: neither"),
        (["a film", "--input", "FILE"], "`--input`.*Received: both"),
        (["a film", "--output", "out.csv"], "`--output`"),
        (["--input", "nothing.txt"], "nothing.txt"),
        (["a film", "--top-k", "0"], "--top-k"),
    ],
)
def test_rejects_options(folder, tmp_path, monkeypatch, capfd, arguments, message):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "FILE").write_text("a film\n")
    assert main(["predict", "--model", str(folder), *arguments]) == 2
    error = capfd.readouterr().err
    assert re.search(message, error) and error.count("\n") == 1


def test_read_texts(tmp_path):
    (tmp_path / "pairs.txt").write_text("a\tb\nc\td\n")
    assert list(read_texts(tmp_path / "pairs.txt")) == [("a", "b"), ("c", "d")]
    (tmp_path / "tabs.txt").write_text("a\tb\tc\n")
    with pytest.raises(kb.InputError, match=r"tabs.txt: `texts`.*Received: 2\b.*number 1"):
        list(read_texts(tmp_path / "tabs.txt"))
