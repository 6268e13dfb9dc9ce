"""Corpora are streamed from plain and compressed files, and invalid files are rejected with their path."""

import gzip
import io
import lzma

import numpy as np
import pytest

from keras_bert import InputError, load_corpus
from keras_bert.data import split_sentences, tokenize_documents

TEXT = "One is here. Two is there!\nThree\x85still three.\n\n\nA second document.\n"
DOCUMENTS = [["One is here.", "Two is there!", "Three\x85still three."], ["A second document."]]


def test_sample():
    documents = list(load_corpus("sample"))
    assert len(documents) >= 20 and sum(len(s.encode()) for d in documents for s in d) >= 150_000
    assert np.mean([len(document) for document in documents]) > 10


@pytest.mark.parametrize(("name", "opener"), [("a.txt", open), ("a.txt.gz", gzip.open), ("a.txt.xz", lzma.open)])
def test_reads_files(tmp_path, name, opener):
    with opener(tmp_path / name, "wb") as file:
        file.write(TEXT.encode())
    corpus = load_corpus(tmp_path / name)
    assert list(corpus) == DOCUMENTS
    assert list(corpus) == DOCUMENTS  # a second iteration


def test_glob_patterns_and_lists(tmp_path):
    for name in ("b.txt", "a.txt"):
        (tmp_path / name).write_text(f"Text of {name}.", encoding="utf-8")
    expected = [["Text of a.txt."], ["Text of b.txt."]]
    assert list(load_corpus(str(tmp_path / "*.txt"))) == expected
    assert list(load_corpus([tmp_path / "a.txt", tmp_path / "b.txt"])) == expected
    (tmp_path / "[1].txt").write_text("A name that looks like a pattern.", encoding="utf-8")
    assert list(load_corpus(tmp_path / "[1].txt")) == [["A name that looks like a pattern."]]


@pytest.mark.parametrize(
    ("paragraph", "sentences"),
    [
        ("", []),
        ("  no stop at all ", ["no stop at all"]),
        ("Dr. Roe of St. Ives came. She sat.", ["Dr. Roe of St. Ives came.", "She sat."]),
        ("J. R. Smith wrote it. We read.", ["J. R. Smith wrote it.", "We read."]),
        ('"Stop!" he cried. "Why?"', ['"Stop!" he cried.', '"Why?"']),
        ("It cost 3.50 in all. Yes...", ["It cost 3.50 in all.", "Yes..."]),
        ("今天天气好。我们出去！", ["今天天气好。", "我们出去！"]),
        ("Élan vital. Über alles? Да. Нет.", ["Élan vital.", "Über alles?", "Да.", "Нет."]),
    ],
)
def test_split_sentences(paragraph, sentences):
    assert split_sentences(paragraph) == sentences


@pytest.mark.timeout(120)
@pytest.mark.parametrize("piece", ["word ", "Stop. Go! ", ".", '."', "A. ", "? ", "。", "((", ".  (("])
def test_megabyte_line(tmp_path, piece):
    line = piece * (1_000_000 // len(piece))
    (tmp_path / "long.txt").write_text(line, encoding="utf-8")
    (document,) = load_corpus(tmp_path / "long.txt")
    assert "".join("".join(document).split()) == "".join(line.split())


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "^`path`.*Received: path=.*x.txt"),
        (b"\n  \n", "^`source`.*Received: source=.*x.txt"),
        (b"fine\nna\xefve\n", r"^`path`.*Received: .*0xef .*line 2\b.*\b7\b"),
        (b"fine\n\0\n", r"^`path`.*Received: .*line 2\b.*\b5\b"),
    ],
)
def test_rejects_invalid_files(tmp_path, content, message):
    (tmp_path / "x.txt").write_bytes(content)
    with pytest.raises(InputError, match=message) as error:
        list(load_corpus(tmp_path / "x.txt"))
    assert "\n" not in str(error.value)


def test_rejects_damaged_archives(tmp_path):
    for name, opener in (("x.gz", gzip.open), ("x.xz", lzma.open)):
        (tmp_path / name).write_text("no archive", encoding="utf-8")
        with pytest.raises(InputError, match=f"^`path`.*Received: path=.*{name}"):
            list(load_corpus(tmp_path / name))
        with opener(tmp_path / name, "wb") as file:
            file.write(np.random.default_rng(0).bytes(5000).hex().encode())
        (tmp_path / name).write_bytes((tmp_path / name).read_bytes()[:-100])
        with pytest.raises(InputError, match=f"^`path`.*Received: path=.*{name}"):
            list(load_corpus(tmp_path / name))


def test_rejects_invalid_sources(tmp_path):
    for source, message in (
        (tmp_path, f"^`path`.*Received: path=.*{tmp_path.name}"),
        (tmp_path / "none.txt", "^`path`.*Received: path=.*none.txt"),
        (str(tmp_path / "*.txt"), r"^`source`.*Received: source=.*\*.txt"),
        ([], r"^`source`.*Received: source=\[\]"),
        ("tfds:no_such_data_set", "^`name`.*Received: name='no_such_data_set'"),
    ):
        with pytest.raises(InputError, match=message) as error:
            load_corpus(source)
        assert "\n" not in str(error.value)


def test_tfds(monkeypatch):
    monkeypatch.setattr("urllib.request.urlopen", lambda *args, **kwargs: io.BytesIO())
    tfds = pytest.importorskip("tensorflow_datasets")
    with tfds.testing.mock_data(num_examples=3):
        documents = list(load_corpus("tfds:imdb_reviews"))
        with pytest.raises(InputError, match="^`source`.*Received: source='tfds:mnist'"):
            load_corpus("tfds:mnist")
    assert len(documents) == 3 and isinstance(documents[0][0], str)


def test_tokenize_documents():
    tf = pytest.importorskip("tensorflow")

    class Letters:
        """Stub of a vectorizer: the letters of a sentence are its ids."""

        def tokenize(self, texts):
            return tf.ragged.constant([[ord(c) for c in text if c.isalpha()] for text in texts], dtype=tf.int32)

    documents = [["ab", "c"], ["!", "d"], ["?"], ["efg"]]
    expected = [[[97, 98], [99]], [[100]], [[101, 102, 103]]]  # sentences without tokens are dropped
    for batch_size in (1, 2, 100):
        out = tokenize_documents(documents, Letters(), batch_size)
        sentences = [out.ids[a:b].tolist() for a, b in zip(out.sentence_starts, out.sentence_starts[1:], strict=False)]
        starts = out.document_starts
        assert [sentences[a:b] for a, b in zip(starts, starts[1:], strict=False)] == expected
    with pytest.raises(InputError, match=r"^`documents`.*Received: 0\b"):
        tokenize_documents([["!"]], Letters())
