"""CoNLL files are read, and invalid files are rejected."""

import pytest

import keras_bert as kb
from keras_bert.data.conll import load_conll


def test_reads_columns(tmp_path):
    text = "-DOCSTART- -X- O O\n\nEU NNP B-NP B-ORG\nrejects VBZ B-VP O\n\n\nPeter NNP B-NP B-PER\n"
    text += "Blackburn\tNNP I-NP I-PER"
    (tmp_path / "a.txt").write_text(text, encoding="utf-8")
    found = load_conll(tmp_path / "a.txt")
    assert [sentence.words for sentence in found] == [("EU", "rejects"), ("Peter", "Blackburn")]
    assert [sentence.tags for sentence in found] == [("B-ORG", "O"), ("B-PER", "I-PER")]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("EU B-ORG\nrejects\n", r"^`path`.*\b2\b.*Received: .*columns=1 in line 2\b"),
        ("EU B-ORG\nrejects V O\n", r"^`path`.*\b2\b.*Received: .*columns=3 in line 2\b"),
        ("EU\n", r"^`path`.*Received: .*columns=1 in line 1$"),
        ("\n\n", r"^`path`.*Received: .*a.txt .*\b0\b"),
        ("", "^`path`.*Received: path=.*a.txt"),
    ],
)
def test_rejects_invalid_files(text, message, tmp_path):
    (tmp_path / "a.txt").write_text(text, encoding="utf-8")
    with pytest.raises(kb.InputError, match=message):
        load_conll(tmp_path / "a.txt")


def test_splits_at_spaces_and_tabs_only(tmp_path):
    """Other white space belongs to the word."""
    words = ("10\xa0000", "Zürich", "日本", "a\u3000b", "x\u2028y", "\u200b")
    text = "\ufeff" + "".join(f"{word} \t O \r\n" for word in words)
    (tmp_path / "a.txt").write_bytes(text.encode())
    assert load_conll(tmp_path / "a.txt")[0].words == words
