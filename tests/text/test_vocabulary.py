"""Vocabularies are read exactly, written completely, validated, and learned deterministically."""

import pytest

from keras_bert import InputError
from keras_bert.constants import SPECIAL_TOKENS
from keras_bert.text import BertTextVectorization, learn_vocabulary, load_vocabulary, save_vocabulary

SPECIALS = list(SPECIAL_TOKENS)
TEXTS = ["A fine film, finely filmed.", "No finer films: Crème brûlée!", "film film fine fine"] * 3


def test_loads_published_vocabularies(shared_data):
    for path in sorted((shared_data / "vocab").glob("*.txt")):
        vocabulary = load_vocabulary(path)
        assert len(vocabulary) == path.read_bytes().count(b"\n")
        assert vocabulary[0] == "[PAD]" and vocabulary[100:104] == SPECIALS[1:]


def test_save_and_load(tmp_path):
    vocabulary = [*SPECIALS, "", "é", "##中", "\x85x".strip(), "##"]  # "" is a line of the Chinese vocabulary
    save_vocabulary(vocabulary, tmp_path / "vocab.txt")
    assert load_vocabulary(tmp_path / "vocab.txt") == vocabulary
    assert [path.name for path in tmp_path.iterdir()] == ["vocab.txt"]


def test_windows_line_ends(tmp_path):
    (tmp_path / "vocab.txt").write_bytes("\r\n".join([*SPECIALS, "film"]).encode())
    assert load_vocabulary(tmp_path / "vocab.txt") == [*SPECIALS, "film"]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "^`vocabulary`.*Received: path=.*vocab.txt"),
        ("\n".join(SPECIALS + ["film"]).encode("utf-16"), "^`path`.*Received: .*0xff"),
        ("\n".join(SPECIALS + ["é"]).encode("latin-1"), "^`path`.*Received: .*0xe9"),
        ("\n".join(SPECIALS + ["fi\0lm"]).encode(), "^`vocabulary`.*Received: .*line 6"),
        (b"[PAD]\n[UNK]\n[SEP]\nfilm", r"^`vocabulary`.*Received: .*\[CLS\], \[MASK\]"),
        ("\n".join(SPECIALS + ["film", "a", "film"]).encode(), "^`vocabulary`.*Received: .*'film' .*6, 8"),
        (("\ufeff" + "\n".join(SPECIALS)).encode(), "^`path`.*Received: path=.*vocab.txt"),
    ],
)
def test_rejects_invalid_files(tmp_path, content, message):
    path = tmp_path / "vocab.txt"
    path.write_bytes(content)
    with pytest.raises(InputError, match=message) as caught:
        load_vocabulary(path)
    assert str(path) in str(caught.value) and "\n" not in str(caught.value)


def test_rejects_missing_file_and_directory(tmp_path):
    with pytest.raises(InputError, match="^`path`.*Received: path=.*nothing.txt"):
        load_vocabulary(tmp_path / "nothing.txt")
    with pytest.raises(InputError, match=f"^`path`.*Received: path=.*{tmp_path.name}"):
        load_vocabulary(tmp_path)


def test_rejects_saving_invalid_vocabulary(tmp_path):
    for bad in ([], SPECIALS[1:], [*SPECIALS, "a", "a"], [*SPECIALS, " a"], [*SPECIALS, "a\nb"], [*SPECIALS, 3]):
        with pytest.raises(InputError):
            save_vocabulary(bad, tmp_path / "vocab.txt")
    assert list(tmp_path.iterdir()) == []


def test_learning_is_deterministic():
    learned = [learn_vocabulary(TEXTS, 60) for _ in range(3)]
    assert learned[0] == learned[1] == learned[2]
    assert learned[0][:5] == SPECIALS and len(learned[0]) <= 60 and len(set(learned[0])) == len(learned[0])
    assert {"film", "fine"} <= set(learned[0])


def test_learned_vocabulary_has_no_unknown_words():
    for lowercase in (True, False):
        vocabulary = learn_vocabulary(TEXTS, 120, lowercase=lowercase)
        assert ("é" in "".join(vocabulary)) != lowercase
        vectorizer = BertTextVectorization(vocabulary, lowercase=lowercase)
        ids = vectorizer.tokenize(TEXTS).values.numpy()
        assert vectorizer.unk_id not in ids


@pytest.mark.parametrize("size", [6, 0, -1, 2.5, True, "many"])
def test_rejects_invalid_vocab_size(size):
    with pytest.raises(InputError, match=f"^`vocab_size`.*Received: vocab_size={size!r}"):
        learn_vocabulary(TEXTS, size)


@pytest.mark.parametrize("texts", [[], ["", "  "], "one string", [None], [["a", "b"]]])
def test_rejects_texts_without_words(texts):
    with pytest.raises(InputError, match="`texts`.*Received"):
        learn_vocabulary(texts, 50)
