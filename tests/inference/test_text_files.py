"""Files of texts: plain text, TSV, CSV and JSON Lines."""

import gzip
import io
import re

import pytest

import keras_bert as kb
from keras_bert.inference.text_files import read_texts


@pytest.fixture
def write(tmp_path):
    def run(name, text):
        path = tmp_path / name
        path.write_bytes(text.encode() if isinstance(text, str) else text)
        return path

    return run


@pytest.mark.parametrize(
    ("name", "text", "expected"),
    [
        ("a.txt", "one\ntwo\n", ["one", "two"]),
        ("a", "a\tb\nc\td\n", [("a", "b"), ("c", "d")]),
        ("a.tsv", 'id\tsentence\n1\tsay "no\n2\tso, so\n', ['say "no', "so, so"]),
        ("a.tsv", "sentence1\tsentence2\na\tb\n", [("a", "b")]),
        ("a.tsv", "question\tcontext\nwho?\tAnna\n", [("who?", "Anna")]),
        ("a.tsv", "text\tlabel\na\t1\n", ["a"]),
        ("a.csv", 'id,text\n1,"a, ""b"""\n2,"two\nlines"\n3,c\n', ['a, "b"', "two\nlines", "c"]),
        ("a.csv", "text,text_pair\r\na,b\r\n", [("a", "b")]),
        ("a.csv", "\ufefftext\na\n", ["a"]),
        ("a.csv", "\ntext,id\na,1\n\nb,2\n  \n", ["a", "b"]),
        ("a.tsv", "text\tid\n\na\t1\n\t\n", ["a"]),
        ("a.jsonl", '{"text": "a"}\n\n{"text": "b"}\n\n', ["a", "b"]),
        ("a.jsonl", '{"id": 1, "text": "a\\tb"}\n{"text": "\\u00e9", "id": 2}\n', ["a\tb", "é"]),
        ("a.json", '{"premise": "a", "hypothesis": "b"}\n', [("a", "b")]),
        ("a.csv.gz", gzip.compress(b"text\na\n", mtime=0), ["a"]),
    ],
)
def test_formats(write, name, text, expected):
    assert list(read_texts(write(name, text))) == expected


def test_columns_and_format_by_option(write):
    path = write("a.data", "review,reply,text\na,b,c\n")
    assert list(read_texts(path, "csv")) == ["c"]
    assert list(read_texts(path, "csv", "review")) == ["a"]
    assert list(read_texts(path, "csv", "review", "reply")) == [("a", "b")]
    assert list(read_texts(path)) == ["review,reply,text", "a,b,c"]


def test_round_trip_with_the_csv_module(write):
    import csv

    texts = ["plain", "a, b", 'say "no"', "two\nlines", "'single'", "日本語", "tab\tstop", '"', ",,", "a\n\nb"]
    file = io.StringIO()
    csv.writer(file).writerows([["text"], *([text] for text in texts)])
    assert list(read_texts(write("a.csv", file.getvalue()))) == texts


def test_long_field(write):
    text = "word " * 100_000  # more than the limit of Python's csv module
    assert list(read_texts(write("a.csv", f"text\n{text}\n"))) == [text]


def test_standard_input(monkeypatch):
    monkeypatch.setattr("sys.stdin", type("Stdin", (), {"buffer": io.BytesIO(b'text\n"a, b"\n')}))
    assert list(read_texts("-", "csv")) == ["a, b"]


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("a.txt", "a\n\nb\n", "Received: an empty one .*line 2"),
        ("a.txt", "a\tb\tc\n", "Received: 2 tabs .*line 1"),
        ("a.txt", b"a\n\xff\n", "0xff in line 2"),
        ("a.tsv", "text\tid\na\n", "columns=1 in line 2"),
        ("a.tsv", "text\tid\na\t1\n \t2\n", "Received: an empty one .*line 3"),
        ("a.csv", 'text,id\n"two\nlines",1\nb\n', "columns=1 in line 4"),
        ("a.csv", 'text,id\na,1\n"open,2\nb,3\n', r"line 3 \(unexpected end of data"),
        ("a.csv", 'text,id\n"a"b,1\n', "well-formed CSV file.*line 2 .* expected after "),
        ("a.csv", "text,text\na,b\n", "^`text`.*Received: text . text"),
        ("a.csv", "text\n", "Received: only a header line"),
        ("a.csv", "", "empty"),
        ("a.csv", "review,id\na,1\n", "`--text-column`.*Received: the columns review . id "),
        ("a.jsonl", '{"text": "a"}\n{"text": \n', "Received: .*line 2"),
        ("a.jsonl", '{"text": "a"}\n["b"]\n', "list in line 2"),
        ("a.jsonl", '{"text": "a"}\n{"id": 1}\n', "Received: none .*line 2"),
        ("a.jsonl", '{"text": "a"}\n{"text": null}\n', "Received: NoneType .*line 2"),
        ("a.jsonl", '{"text": "\\ud800"}\n', "surrogate .*line 1"),
    ],
)
def test_rejects_malformed_lines(write, name, text, message):
    path = write(name, text)
    with pytest.raises(kb.InputError, match=message) as caught:
        list(read_texts(path))
    assert "\n" not in str(caught.value) and re.search(re.escape(str(path)), str(caught.value))


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        (("other",), "^`--input` must have the column other"),
        (("text", "other"), "^`--input` must have the column other"),
        ((None, "text"), "^`--text-column` must be given"),
    ],
)
def test_rejects_columns(write, columns, message):
    with pytest.raises(kb.InputError, match=message):
        list(read_texts(write("a.csv", "text,id\na,1\n"), None, *columns))


def test_good_rows_before_a_bad_one_are_read(write):
    """The reader is lazy: it does not look at the whole file first."""
    rows = read_texts(write("a.csv", "text,id\na,1\nb\n"))
    assert next(rows) == "a"
    with pytest.raises(kb.InputError, match="line 3"):
        next(rows)
