"""`convert` verifies what it wrote, and writes nothing if the check fails."""

import numpy as np
import pytest

import keras_bert as kb
from keras_bert.weights import convert
from keras_bert.weights.formats.huggingface import HuggingFace
from keras_bert.weights.load import open_source
from tests.helpers import randomize, tiny_config

VOCABULARY = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *(f"w{i}" for i in range(95))]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    classifier = randomize(kb.BertClassifier(kb.BertEncoder(tiny_config()), num_classes=2))
    vectorizer = kb.BertTextVectorization(VOCABULARY, lowercase=False, sequence_length=16)
    return kb.save_pretrained(classifier, tmp_path_factory.mktemp("saved") / "model", vectorizer, ["no", "yes"])


def test_keeps_heads_labels_and_vocabulary(folder, tmp_path):
    facts = convert(folder, to="huggingface", out=tmp_path / "hf")
    assert (facts["to"], facts["kind"], facts["skipped"]) == ("huggingface", "classifier", [])
    back = convert(tmp_path / "hf", to="keras", out=tmp_path / "keras")
    assert back["tensors"] == facts["tensors"] and back["parameters"] == facts["parameters"]
    first, last = kb.load_pretrained(folder), kb.load_pretrained(tmp_path / "keras")
    assert (last.labels, last.vocabulary, last.lowercase) == (["no", "yes"], VOCABULARY, False)
    for weight, expected in zip(last.model.weights, first.model.weights, strict=True):
        np.testing.assert_array_equal(weight, expected)


def test_reports_skipped_heads(folder, tmp_path):
    facts = convert(folder, to="tfhub", out=tmp_path / "hub")
    assert facts["skipped"] == ["classifier"] and set(open_source(tmp_path / "hub").parts) == {"encoder"}


def test_rejects_changed_tensor(folder, tmp_path, monkeypatch):
    def write_changed(self, model, path, vectorizer=None, labels=None):
        copy = kb.BertClassifier.from_config(model.get_config())
        copy.set_weights(model.get_weights())
        copy.head.bias.assign_add([0.0, 1e-6])
        return write(self, copy, path, vectorizer, labels)

    write = HuggingFace.write
    monkeypatch.setattr(HuggingFace, "write", write_changed)
    with pytest.raises(kb.InputError, match="^`to`.*Received: to='huggingface' .*classifier/bias"):
        convert(folder, to="huggingface", out=tmp_path / "out")
    assert list(tmp_path.iterdir()) == []


def test_rejects_lost_head(folder, tmp_path, monkeypatch):
    write = HuggingFace.write
    monkeypatch.setattr(HuggingFace, "write", lambda self, model, path, *rest: write(self, model.encoder, path, *rest))
    with pytest.raises(kb.InputError, match="^`to`.*Received: to='huggingface' .*classifier/kernel"):
        convert(folder, to="huggingface", out=tmp_path / "out")
    assert list(tmp_path.iterdir()) == []


def test_keras_format_requires_vocabulary(folder, tmp_path):
    convert(folder, to="huggingface", out=tmp_path / "hf")
    (tmp_path / "hf" / "vocab.txt").unlink()
    with pytest.raises(kb.InputError, match="^`vectorizer`.*Received: vectorizer=None"):
        convert(tmp_path / "hf", to="keras", out=tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_rejects_file_as_out(folder, tmp_path):
    (tmp_path / "file").write_text("mine")
    with pytest.raises(kb.InputError, match="`out`"):
        convert(folder, to="huggingface", out=tmp_path / "file")
    assert (tmp_path / "file").read_text() == "mine"
