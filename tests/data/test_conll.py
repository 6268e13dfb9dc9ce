"""Column files that are read, and files that are rejected with one line."""

import pytest

import keras_bert as kb
from keras_bert.data.conll import load_conll


def test_columns(tmp_path):
    text = "-DOCSTART- -X- O O\n\nEU NNP B-NP B-ORG\nrejects VBZ B-VP O\n\n\nPeter NNP B-NP B-PER\n"
    text += "Blackburn\tNNP I-NP I-PER"
    (tmp_path / "a.txt").write_text(text)
    found = load_conll(tmp_path / "a.txt")
    assert [sentence.words for sentence in found] == [("EU", "rejects"), ("Peter", "Blackburn")]
    assert [sentence.tags for sentence in found] == [("B-ORG", "O"), ("B-PER", "I-PER")]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("EU B-ORG\nrejects\n", "line 2: 2 columns, as in the first line, are expected. Received: 1"),
        ("EU B-ORG\nrejects V O\n", "line 2: 2 columns, as in the first line, are expected. Received: 3"),
        ("EU\n", "line 1: a word and its tag are expected. Received: 1"),
        ("\n\n", "sentences are expected. Received: none"),
        ("", "a file with text is expected"),
    ],
)
def test_no_such_columns(text, words, tmp_path):
    (tmp_path / "a.txt").write_text(text)
    with pytest.raises(kb.InputError, match=words):
        load_conll(tmp_path / "a.txt")


def test_words_of_any_script(tmp_path):
    """Columns are parted by spaces and tabs alone: other white space is of the word."""
    words = ("10\xa0000", "Zürich", "日本", "a\u3000b", "x\u2028y", "\u200b")
    text = "\ufeff" + "".join(f"{word} \t O \r\n" for word in words)
    (tmp_path / "a.txt").write_bytes(text.encode())
    assert load_conll(tmp_path / "a.txt")[0].words == words
