"""Tables as CSV, JSON Lines and Parquet: the same contents as tab-separated, and one line for each error."""

import gzip
import json
import sys

import numpy as np
import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet
import pytest

from keras_bert.data import load_labeled, read_table
from keras_bert.data.table_rows import open_rows
from keras_bert.errors import InputError

TEXTS = ["a film, really", 'he said "no"', "two\nlines", "naïve 映画", "2020-01-01", "null"]
LABELS = ["good", "bad", "good", "2020-01-01", "null", "01"]


def table(names=("sentence", "label"), texts=TEXTS, labels=LABELS) -> pa.Table:
    return pa.table({"idx": list(range(len(texts))), names[0]: texts, names[1]: labels})


def write(path, content: pa.Table):
    """Write a table with pyarrow, or as JSON Lines."""
    if path.suffix == ".csv":
        pyarrow.csv.write_csv(content, path)
    elif path.suffix == ".parquet":
        pyarrow.parquet.write_table(content, path, row_group_size=2)
    else:
        path.write_text("".join(json.dumps(row) + "\n" for row in content.to_pylist()), encoding="utf-8")
    return path


@pytest.mark.parametrize("suffix", [".csv", ".jsonl", ".parquet"])
@pytest.mark.parametrize("names", [("sentence", "label"), ("text", "labels")])
def test_same_as_written(tmp_path, suffix, names):
    found = read_table(write(tmp_path / f"data{suffix}", table(names)))
    assert found.texts == TEXTS and found.labels == LABELS


def test_same_as_tab_separated(tmp_path):
    rows = {"sentence1": ["a", "b", "c"], "sentence2": ["d", "e", "f"], "gold_label": ["yes", "-", "no"]}
    lines = ["\t".join(rows), *map("\t".join, zip(*rows.values(), strict=True))]
    (tmp_path / "x.tsv").write_text("\n".join(lines))
    expected = read_table(tmp_path / "x.tsv")
    assert expected.labels == ["yes", "no"]
    for suffix in (".csv", ".jsonl", ".parquet"):
        found = read_table(write(tmp_path / f"x{suffix}", pa.table(rows)))
        assert (found.texts, found.labels) == (expected.texts, expected.labels)


@pytest.mark.parametrize("suffix", [".jsonl", ".parquet"])
def test_labels_of_other_types(tmp_path, suffix):
    kinds = {"ints": [1, 0], "numbers": [1.5, -2.0], "flags": [True, False], "lists": [["b", "a"], []]}
    found = {
        name: read_table(write(tmp_path / f"{name}{suffix}", table(texts=["x", "y"], labels=labels)))
        for name, labels in kinds.items()
    }
    assert found["ints"].class_labels()[0].tolist() == found["flags"].class_labels()[0].tolist() == [1, 0]
    np.testing.assert_array_equal(found["numbers"].float_labels(), [1.5, -2.0])
    labels, names = found["lists"].multi_hot_labels()
    assert names == ("a", "b") and labels.tolist() == [[1, 1], [0, 0]]


@pytest.mark.parametrize("suffix", [".csv", ".jsonl", ".parquet"])
def test_load_labeled(tmp_path, suffix):
    rows = table(texts=[f"text {i}" for i in range(40)], labels=["good" if i % 3 else "bad" for i in range(40)])
    data = load_labeled(write(tmp_path / f"all{suffix}", rows))
    assert (len(data.train_texts), len(data.dev_texts), data.label_names) == (36, 4, ("bad", "good"))
    for part in ("train", "dev"):
        write(tmp_path / f"{part}{suffix}", rows)
    assert load_labeled(tmp_path).dev_texts == [f"text {i}" for i in range(40)]


def test_compressed(tmp_path):
    plain = write(tmp_path / "x.csv", table())
    (tmp_path / "x.csv.gz").write_bytes(gzip.compress(plain.read_bytes()))
    assert read_table(tmp_path / "x.csv.gz").texts == TEXTS


def test_line_numbers(tmp_path):
    """The number is that of the line in which the row begins, also after a cell with a line break."""
    path = tmp_path / "x.csv"
    path.write_text('sentence,label\n"a\nb",1\n\nc,0\n')
    assert list(open_rows(path)[1]) == [(2, ["a\nb", "1"]), (5, ["c", "0"])]


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("x.csv", "sentence,label\na,0\nb,0,1\n", r"^`path` must have 2 columns.*columns=3 in line 3\b"),
        ("x.csv", 'sentence,label\na,0\n"b,0\n', r"^`path` must be a .*CSV file.*line 3 \(unexpected end"),
        ("x.csv", "sentence,label\na,0\n,0\n", r"^`path` must have a text.*line 3 with"),
        ("x.csv", "\n\n", r"^`path` must be a file with text.*only blank lines"),
        ("x.csv", "sentence,target\na,0\n", r"^`path`.*no label in 'sentence \| target'"),
        ("x.jsonl", '{"sentence": "a", "label": 0}\n{"sentence": "b", "label": 0\n', r"JSON object.*line 2 \("),
        ("x.jsonl", '{"sentence": "a", "label": 0}\n["b"]\n', r"JSON object per line.*list in line 2\b"),
        ("x.jsonl", '{"sentence": "a", "label": 0}\n{"sentence": "b"}\n', r"fields of the first.*no label in line 2\b"),
        ("x.jsonl", '{"sentence": "a", "label": 0}\n\n{"sentence": null, "label": 0}\n', r"text.*line 3 with"),
        ("x.jsonl", '{"sentence": "\\ud800", "label": 0}\n', r"valid Unicode.*lone surrogate in line 1\b"),
        ("x.jsonl", "\n", r"only blank lines"),
        ("x.parquet", "sentence\tlabel\na\t0\n", r"^`path` must be a Parquet file"),
        ("x.parquet", "", r"^`path` must be a file with text.*empty"),
    ],
)
def test_rejects(tmp_path, name, content, message):
    path = tmp_path / name
    path.write_text(content, encoding="utf-8")
    with pytest.raises(InputError, match=message) as error:
        read_table(path).class_labels()
    assert "\n" not in str(error.value) and str(path) in str(error.value)


def test_rejects_parquet_rows(tmp_path):
    path = write(tmp_path / "x.parquet", table(texts=["a", None], labels=[0, 1]))
    with pytest.raises(InputError, match="text in every row.*row 2 with an empty one"):
        read_table(path)
    path = write(tmp_path / "x.parquet", table(texts=["a", "b"], labels=[0, 5]))
    with pytest.raises(InputError, match="^`label`.*x.parquet, row 2"):
        read_table(path).class_labels(["bad", "good", "other"])
    path.write_bytes(path.read_bytes()[:-50])
    with pytest.raises(InputError, match="^`path` must be a Parquet file") as error:
        read_table(path)
    assert "\n" not in str(error.value)


def test_parquet_names_the_package(tmp_path, monkeypatch):
    path = write(tmp_path / "x.parquet", table())
    monkeypatch.setitem(sys.modules, "pyarrow.parquet", None)
    with pytest.raises(InputError, match="^`pyarrow` must be installed for Parquet files. Run: pip install pyarrow$"):
        read_table(path)
