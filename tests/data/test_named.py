"""Labeled datasets by name: `hf://` and `tfds:`."""

import json
import sys
import types

import numpy as np
import pytest

import keras_bert as kb
from keras_bert.data import load_labeled
from keras_bert.data.named import is_dataset_name, load_by_name
from keras_bert.errors import InputError, InputWarning

ROWS = {"question1": ["a", "b", "c", "d"], "question2": ["e", "f", "g", "h"], "label": [1, 0, -1, 1]}


class FakeSplit:
    """The methods of a split of `datasets` that are used."""

    def __init__(self, columns: dict, names=None):
        self.columns = columns
        label = types.SimpleNamespace(names=names) if names else types.SimpleNamespace()
        self.features = {name: label if name == "label" else types.SimpleNamespace() for name in columns}

    def __iter__(self):
        return (dict(zip(self.columns, row, strict=True)) for row in zip(*self.columns.values(), strict=True))


@pytest.fixture
def hub(monkeypatch):
    """A module `datasets` whose datasets are in a dict."""
    known, calls = {}, []

    def load_dataset(path, config):
        calls.append((path, config))
        if path not in known:
            raise ConnectionError(f"Couldn't reach {path!r} on the Hub\n(offline)")
        return known[path]

    monkeypatch.setitem(sys.modules, "datasets", types.SimpleNamespace(load_dataset=load_dataset))
    known["calls"] = calls
    return known


def test_hugging_face(hub):
    split = FakeSplit(ROWS, ["no", "yes"])
    hub["nyu-mll/glue"] = {"train": split, "validation": split, "test": split}
    with pytest.warns(InputWarning, match="qqp train: rows without a label were left out: 1"):
        data = load_labeled("hf://nyu-mll/glue:qqp")
    assert hub["calls"] == [("nyu-mll/glue", "qqp")]
    assert data.train_texts == (["a", "b", "d"], ["e", "f", "h"]) and data.label_names == ("no", "yes")
    assert data.train_labels.tolist() == data.dev_labels.tolist() == [1, 0, 1] and data.name == "hf://nyu-mll/glue:qqp"


def test_splits_and_labels(hub):
    texts = {"Text": [f"t{i}" for i in range(20)], "label": [i % 2 + 1 for i in range(20)]}
    hub["x/one"] = {"train": FakeSplit(texts)}
    data = load_labeled("hf://x/one")
    assert (len(data.train_texts), len(data.dev_texts), data.label_names) == (18, 2, ("1", "2"))
    hub["x/test"] = {"train": FakeSplit(texts), "test": FakeSplit(texts)}
    assert len(load_labeled("hf:x/test", ["bad", "good"]).dev_texts) == 20
    scores = {"sentence": ["a", "b"], "score": [np.float32(0.5), 2]}
    hub["x/scores"] = {"train": FakeSplit(scores), "dev": FakeSplit(scores)}
    assert load_labeled("hf://x/scores", problem_type="regression").dev_labels.tolist() == [0.5, 2.0]
    lists = {"text": ["a", "b"], "labels": [["joy", "awe"], []]}
    hub["x/lists"] = {"train": FakeSplit(lists), "dev": FakeSplit(lists)}
    assert load_labeled("hf://x/lists", problem_type="multi_label").train_labels.tolist() == [[1, 1], [0, 0]]


def test_malformed_rows(hub):
    hub["x/y"] = {"train": FakeSplit({"text": ["a", "", "b", None], "label": ["n", "p", "p", "n"]})}
    with pytest.raises(InputError, match=r"^`path` must have a text in every row.*hf://x/y train.*row 2\b"):
        load_labeled("hf://x/y")
    with pytest.warns(InputWarning, match="hf://x/y train: 2 malformed"):
        train = load_by_name("hf://x/y", skip_malformed=True)[0]
    assert train.texts == ["a", "b"]


@pytest.mark.parametrize(
    ("splits", "message"),
    [
        (None, r"^`source`.*hf://x/y \(ConnectionError Couldn't reach 'x/y' on the Hub \(offline\)\).*train.tsv"),
        ({"test": FakeSplit(ROWS)}, "^`source` must have the split train.*hf://x/y with test"),
        ({"train": FakeSplit({"text": [], "label": []})}, "^`source` must have rows.*hf://x/y train"),
        ({"train": FakeSplit({"review": ["a"], "label": [0]})}, "no sentence in 'review . label'"),
    ],
)
def test_rejects(hub, splits, message):
    if splits:
        hub["x/y"] = splits
    with pytest.raises(InputError, match=message) as error:
        load_labeled("hf://x/y")
    assert "\n" not in str(error.value)


def test_names():
    assert is_dataset_name("hf://a/b") and is_dataset_name("tfds:a/b") and is_dataset_name("tfds://a")
    assert not any(map(is_dataset_name, ("sample", "data/train.tsv", "hf", "hf:")))


def test_the_library_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "datasets", None)
    with pytest.raises(InputError, match=r"^`datasets` must be installed.*pip install 'keras-bert-.*\[datasets\]'"):
        load_labeled("hf://x/y")


def test_tfds(monkeypatch):
    tfds = pytest.importorskip("tensorflow_datasets")
    monkeypatch.setattr("urllib.request.urlopen", lambda *args, **kwargs: open("/dev/null"))
    with tfds.testing.mock_data(num_examples=5):
        data = load_labeled("tfds:glue/mrpc")
        single = load_labeled("tfds://imdb_reviews")
    assert isinstance(data.train_texts, tuple) and len(data.dev_texts[0]) == 5
    assert data.label_names == ("not_equivalent", "equivalent") and single.label_names == ("neg", "pos")


@pytest.mark.peers
def test_real_library(tmp_path, monkeypatch):
    """`datasets` itself, with a folder in place of a name."""
    monkeypatch.setenv("HF_DATASETS_CACHE", str(tmp_path / "cache"))
    datasets = pytest.importorskip("datasets")
    for split, count in (("train", 6), ("validation", 2)):
        rows = [{"text": f"t{i}", "label": ("bad", "good")[i % 2]} for i in range(count)]
        (tmp_path / f"{split}.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    monkeypatch.setattr(datasets.config, "HF_DATASETS_CACHE", tmp_path / "cache")
    data = load_labeled(f"hf://{tmp_path}")
    assert (len(data.train_texts), len(data.dev_texts), data.label_names) == (6, 2, ("bad", "good"))
    features = datasets.Features({"text": datasets.Value("string"), "label": datasets.ClassLabel(names=["n", "p"])})
    split = datasets.Dataset.from_dict({"text": ["a", "b", "c"], "label": [1, -1, 0]}, features=features)
    monkeypatch.setattr(datasets, "load_dataset", lambda path, config: datasets.DatasetDict(train=split, test=split))
    with pytest.warns(InputWarning, match="rows without a label were left out: 1"):
        data = kb.load_labeled("hf://any/name")
    assert data.train_labels.tolist() == [1, 0] and data.label_names == ("n", "p")
