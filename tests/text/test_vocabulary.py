"""Vocabularies: read exactly, written whole, refused in one line, learned the same way each time."""

import pytest

from keras_bert import InputError
from keras_bert.text import BertTextVectorization, learn_vocabulary, load_vocabulary, save_vocabulary

SPECIALS = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
TEXTS = ["A fine film, finely filmed.", "No finer films: Crème brûlée!", "film film fine fine"] * 3


def test_published_vocabularies_load_line_for_line(shared_data):
    for path in sorted((shared_data / "vocab").glob("*.txt")):
        vocabulary = load_vocabulary(path)
        assert len(vocabulary) == path.read_bytes().count(b"\n")
        assert vocabulary[0] == "[PAD]" and vocabulary[100:104] == SPECIALS[1:]


def test_saved_is_loaded(tmp_path):
    vocabulary = [*SPECIALS, "", "é", "##中", "\x85x".strip(), "##"]  # "" is a line of the Chinese vocabulary
    save_vocabulary(vocabulary, tmp_path / "vocab.txt")
    assert load_vocabulary(tmp_path / "vocab.txt") == vocabulary
    assert [path.name for path in tmp_path.iterdir()] == ["vocab.txt"]


def test_windows_line_ends_do_no_harm(tmp_path):
    (tmp_path / "vocab.txt").write_bytes("\r\n".join([*SPECIALS, "film"]).encode())
    assert load_vocabulary(tmp_path / "vocab.txt") == [*SPECIALS, "film"]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "is empty"),
        ("\n".join(SPECIALS + ["film"]).encode("utf-16"), "is UTF-8 text. Received: .* with byte 0xff at 0"),
        ("\n".join(SPECIALS + ["é"]).encode("latin-1"), "is UTF-8 text. Received: .* with byte 0xe9 at"),
        ("\n".join(SPECIALS + ["fi\0lm"]).encode(), "with a NUL byte in line 6"),
        (b"[PAD]\n[UNK]\n[SEP]\nfilm", r"without \[CLS\], \[MASK\]"),
        ("\n".join(SPECIALS + ["film", "a", "film"]).encode(), "with 'film' in lines 6, 8"),
        (("\ufeff" + "\n".join(SPECIALS)).encode(), "byte order mark"),
    ],
)
def test_unusable_files_are_refused_in_one_line(tmp_path, content, message):
    path = tmp_path / "vocab.txt"
    path.write_bytes(content)
    with pytest.raises(InputError, match=message) as refusal:
        load_vocabulary(path)
    assert str(path) in str(refusal.value) and "\n" not in str(refusal.value)


def test_no_file_or_a_folder(tmp_path):
    with pytest.raises(InputError, match="does not exist"):
        load_vocabulary(tmp_path / "nothing.txt")
    with pytest.raises(InputError, match="is a folder"):
        load_vocabulary(tmp_path)


def test_what_could_not_be_loaded_is_not_saved(tmp_path):
    for bad in ([], SPECIALS[1:], [*SPECIALS, "a", "a"], [*SPECIALS, " a"], [*SPECIALS, "a\nb"], [*SPECIALS, 3]):
        with pytest.raises(InputError):
            save_vocabulary(bad, tmp_path / "vocab.txt")
    assert list(tmp_path.iterdir()) == []


def test_learning_gives_the_same_list_each_time_and_words_of_the_corpus():
    learned = [learn_vocabulary(TEXTS, 60) for _ in range(3)]
    assert learned[0] == learned[1] == learned[2]
    assert learned[0][:5] == SPECIALS and len(learned[0]) <= 60 and len(set(learned[0])) == len(learned[0])
    assert {"film", "fine"} <= set(learned[0])


def test_learned_vocabularies_read_their_corpus_without_unknowns():
    for lowercase in (True, False):
        vocabulary = learn_vocabulary(TEXTS, 120, lowercase=lowercase)
        assert ("é" in "".join(vocabulary)) != lowercase
        vectorizer = BertTextVectorization(vocabulary, lowercase=lowercase)
        ids = vectorizer.tokenize(TEXTS).values.numpy()
        assert vectorizer.unk_id not in ids


@pytest.mark.parametrize("size", [6, 0, -1, 2.5, True, "many"])
def test_sizes_without_room_are_refused(size):
    with pytest.raises(InputError, match="vocab_size must be an integer above 6. Received"):
        learn_vocabulary(TEXTS, size)


@pytest.mark.parametrize("texts", [[], ["", "  "], "one string", [None], [["a", "b"]]])
def test_texts_without_words_are_refused(texts):
    with pytest.raises(InputError, match="Received"):
        learn_vocabulary(texts, 50)
