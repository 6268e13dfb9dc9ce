"""`read_examples`: the same texts and labels from every container, and rejected containers."""

import re

import keras
import numpy as np
import pytest
import tensorflow as tf

from keras_bert import InputError
from keras_bert.constants import INPUT_KEYS
from keras_bert.data.datasets import texts_of_dataset
from keras_bert.data.examples import read_examples

TEXTS, SECONDS, LABELS = ["a film", "Été", "no fun"], ["x", "y", "z"], [0, 1, 0]
IDS = {key: np.arange(12, dtype=np.int32).reshape(3, 4) % 2 for key in INPUT_KEYS}


class Batches(keras.utils.PyDataset):
    """Batches of two examples."""

    def __init__(self, inputs, labels, weights=None):
        super().__init__()
        self.columns = [each for each in (inputs, labels, weights) if each is not None]

    def __len__(self):
        return 2

    def __getitem__(self, index):
        return tuple(column[2 * index : 2 * index + 2] for column in self.columns)


class Series:
    """Stands for a pandas Series: recognized by its method, since pandas is not imported."""

    def __init__(self, values):
        self.values = values

    def to_numpy(self):
        return np.array(self.values, object)


class Column:
    """Stands for a column of a Hugging Face dataset, a sequence that is no list."""

    def __init__(self, values):
        self.values = values

    def __len__(self):
        return len(self.values)

    def __getitem__(self, index):
        return self.values[index]


def dataset(*parts):
    return tf.data.Dataset.from_tensor_slices(parts if len(parts) > 1 else parts[0])


@pytest.mark.parametrize(
    ("inputs", "labels"),
    [
        (TEXTS, LABELS),
        (tuple(TEXTS), tuple(LABELS)),
        (np.array(TEXTS), np.array(LABELS)),
        (np.array(TEXTS, object)[:, None], np.array(LABELS, bool)),
        ([text.encode() for text in TEXTS], LABELS),
        (tf.constant(TEXTS), tf.constant(LABELS)),
        (Series(TEXTS), Series(LABELS)),
        (Column(TEXTS), Column(LABELS)),
        (dataset(TEXTS, LABELS), None),
        (dataset(TEXTS), LABELS),
        (dataset(TEXTS, LABELS).batch(2), None),
        (dataset(TEXTS, LABELS).filter(lambda text, label: True), None),  # of unknown length
        (Batches(TEXTS, LABELS), None),
        (Batches(np.array(TEXTS), np.array(LABELS)), None),
    ],
)
def test_texts(inputs, labels):
    examples = read_examples(inputs, labels)
    assert (examples.texts, examples.labels.tolist(), examples.are_pairs) == (TEXTS, LABELS, False)
    assert all(type(text) is str for text in examples.texts)


@pytest.mark.parametrize(
    "inputs",
    [
        list(zip(TEXTS, SECONDS, strict=True)),
        [[first, second] for first, second in zip(TEXTS, SECONDS, strict=True)],
        (TEXTS, SECONDS),
        (np.array(TEXTS), Series(SECONDS)),
        (Column(TEXTS), tf.constant(SECONDS)),
        np.array([TEXTS, SECONDS]).T,
        dataset((TEXTS, SECONDS), LABELS),
        dataset((TEXTS, SECONDS), LABELS).batch(2),
    ],
)
def test_pairs(inputs):
    examples = read_examples(inputs, None if isinstance(inputs, tf.data.Dataset) else LABELS)
    assert examples.texts == (TEXTS, SECONDS) and examples.are_pairs and len(examples) == 3
    assert examples.labels.tolist() == LABELS
    assert examples.select(np.array([2, 0])).texts == (["no fun", "a film"], ["z", "x"])


@pytest.mark.parametrize(
    "inputs", [IDS, dataset(IDS, LABELS), dataset(IDS, LABELS).batch(2), {key: x.tolist() for key, x in IDS.items()}]
)
def test_token_ids(inputs):
    examples = read_examples(inputs, LABELS if isinstance(inputs, dict) else None)
    assert examples.texts is None and examples.labels.tolist() == LABELS
    for key in INPUT_KEYS:
        np.testing.assert_array_equal(examples.ids[key], IDS[key])


def test_batches_of_token_ids_are_padded_to_the_longest():
    rows = dataset(IDS, np.ones((3, 4), np.int32))
    short = rows.map(lambda ids, tags: ({key: value[:2] for key, value in ids.items()}, tags[:2]))
    examples = read_examples(short.concatenate(rows))
    assert examples.ids["input_mask"].shape == examples.labels.shape == (6, 4)
    assert not examples.ids["input_mask"][:3, 2:].any()
    assert (examples.labels[:3] == [1, 1, -1, -1]).all()  # tokens without a label


def test_weights_are_given_once():
    assert read_examples(dataset(TEXTS, LABELS, [1.0, 2.0, 3.0])).weights.tolist() == [1, 2, 3]
    assert read_examples(Batches(TEXTS, LABELS, [1.0, 2.0, 3.0])).weights.tolist() == [1, 2, 3]
    for given in ({"labels": LABELS}, {"weights": [1, 2, 3]}):
        with pytest.raises(InputError, match="^`(labels|sample_weight)` must be None.*Received: both"):
            read_examples(dataset(TEXTS, LABELS, [1.0, 2.0, 3.0]), **given)


def test_labels_by_name():
    assert read_examples(TEXTS, ["good", "bad", "good"]).labels.tolist() == ["good", "bad", "good"]
    assert read_examples(dataset(TEXTS, ["b", "a", "b"])).labels.tolist() == ["b", "a", "b"]
    assert read_examples(TEXTS, [["a", "b"], [], ["b"]]).labels == [["a", "b"], [], ["b"]]
    for missing in (None, float("nan")):
        with pytest.raises(InputError, match="^`labels` must not be missing.*index 1"):
            read_examples(TEXTS, Series(["a", missing, "b"]))


def test_pandas():
    pandas = pytest.importorskip("pandas")
    frame = pandas.DataFrame({"sentence": TEXTS, "second": SECONDS, "label": ["n", "p", "n"]})
    for inputs, labels in (
        (frame["sentence"], frame["label"].astype("category")),
        (frame["sentence"].astype("string"), frame["label"]),
        (frame[["sentence"]], frame["label"]),
        (frame, None),
    ):
        examples = read_examples(inputs, labels)
        assert (examples.texts, examples.labels.tolist()) == (TEXTS, ["n", "p", "n"])
    assert read_examples(frame[["sentence", "second"]], frame["label"]).texts == (TEXTS, SECONDS)
    with pytest.raises(InputError, match=r"^`inputs`.*Received: the columns second, label"):
        read_examples(frame[["second", "label"]])


def test_hugging_face_datasets():
    datasets = pytest.importorskip("datasets")
    features = datasets.Features({"text": datasets.Value("string"), "label": datasets.ClassLabel(names=["n", "p"])})
    data = datasets.Dataset.from_dict({"text": TEXTS, "label": LABELS}, features=features)
    for examples in (read_examples(data["text"], data["label"]), read_examples(data)):
        assert (examples.texts, examples.labels.tolist()) == (TEXTS, LABELS)
    assert read_examples(data).label_names == ["n", "p"]


@pytest.mark.parametrize(
    "inputs",
    [3, None, "a film", {"text": TEXTS}, set(TEXTS), iter(TEXTS), [1, 2, 3], [["a", "b", "c"]], [None, "a"]]
    + [dataset(LABELS, LABELS), dataset({"text": TEXTS}, LABELS), np.zeros(3)],
)
def test_error_lists_accepted_types(inputs):
    with pytest.raises(InputError) as error:
        read_examples(inputs, None)
    message = str(error.value)
    assert message.startswith("`inputs` must be ") and "Received: " in message and "\n" not in message
    for word in ("list", "NumPy", "pandas", "Hugging Face", "tf.data.Dataset", "PyDataset", "(firsts, seconds)"):
        assert word in message


@pytest.mark.parametrize(
    ("inputs", "labels", "words"),
    [
        ([("a", "b"), "c"], None, "^`inputs`.*Received: 'c' at index 1"),
        (["c", ("a", "b")], None, "^`inputs`.*index 1"),
        ((TEXTS, TEXTS[:2]), None, "^`inputs`.*Received: 3 and 2"),
        (np.array([TEXTS] * 3), None, r"^`inputs`.*Received: shape=\(3, 3\)"),
        (TEXTS, [0, 1], r"^`labels`.*\(3\).*Received: shape=\(2,\)"),
        (dataset(TEXTS, LABELS).repeat(), None, "^`inputs` must be finite.*take"),
        (dataset(TEXTS, LABELS).take(0), None, "^`inputs`.*Received: an empty"),
        (dataset(TEXTS, LABELS, LABELS, LABELS), None, "^`inputs`.*Received: elements of 4 parts"),
        ({"input_word_ids": IDS["input_mask"]}, LABELS, "^`ids`.*Received: no input_mask"),
    ],
)
def test_rejects(inputs, labels, words):
    with pytest.raises(InputError, match=words):
        read_examples(inputs, labels)


def test_texts_of_dataset():
    pairs = list(zip(TEXTS, SECONDS, strict=True))
    assert list(texts_of_dataset(dataset(TEXTS).batch(2))) == TEXTS
    assert list(texts_of_dataset(dataset(TEXTS, LABELS))) == TEXTS
    assert list(texts_of_dataset(dataset((TEXTS, SECONDS), LABELS))) == pairs
    with pytest.raises(InputError, match=re.escape("((first, second),)")):
        list(texts_of_dataset(dataset(TEXTS, SECONDS)))
