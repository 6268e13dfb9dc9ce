"""A saved model comes back whole; what cannot come back says why, and a failed save leaves nothing."""

import json
import shutil
import zipfile

import keras
import numpy as np
import pytest
from helpers import random_inputs, randomize, tiny_config

import keras_bert as kb

TOKENS = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *(f"word{i}" for i in range(95))]


@pytest.fixture(scope="module")
def vectorizer():
    return kb.BertTextVectorization(TOKENS, lowercase=False, sequence_length=24)


@pytest.fixture(scope="module")
def classifier():
    return randomize(kb.BertClassifier(kb.BertEncoder(tiny_config()), num_classes=3))


@pytest.fixture(scope="module")
def folder(classifier, vectorizer, tmp_path_factory):
    return kb.save_pretrained(classifier, tmp_path_factory.mktemp("saved") / "model", vectorizer, ["a", "b", "c"])


def test_classifier_comes_back(folder, classifier):
    back = kb.load_pretrained(folder)
    inputs = random_inputs(classifier.encoder.config)
    np.testing.assert_array_equal(back.model(inputs).numpy(), classifier(inputs).numpy())
    assert (back.kind, back.labels, back.lowercase, back.sequence_length) == ("classifier", ["a", "b", "c"], False, 24)
    assert back.vectorizer.get_vocabulary() == back.vocabulary == TOKENS and back.encoder is back.model.encoder
    assert back.vectorizer(["word3 Word3"])["input_word_ids"].numpy()[0, :5].tolist() == [2, 8, 1, 3, 0]
    assert sorted(file.name for file in folder.iterdir()) == ["config.json", "model.keras", "vocab.txt"]


@pytest.mark.parametrize("kind", ["encoder", "pretrainer", "feature_classifier", "span_labeler", "token_classifier"])
def test_other_kinds_come_back(kind, vectorizer, tmp_path):
    encoder = kb.BertEncoder(tiny_config(num_layers=1))
    makers = {
        "encoder": lambda: encoder,
        "pretrainer": lambda: kb.BertPretrainer(encoder),
        "span_labeler": lambda: kb.BertSpanLabeler(encoder),
        "feature_classifier": lambda: kb.BertFeatureClassifier(encoder, pool="cls"),
        "token_classifier": lambda: kb.BertTokenClassifier(encoder, 3),
    }
    model, labels = randomize(makers[kind]()), ["B", "I", "O"] if kind == "token_classifier" else None
    back = kb.load_pretrained(kb.save_pretrained(model, tmp_path / kind, vectorizer, labels))
    assert back.kind == kind and type(back.model) is type(model) and back.labels == labels
    assert all(np.array_equal(a.numpy(), b.numpy()) for a, b in zip(back.model.weights, model.weights, strict=True))
    assert back.encoder.config == encoder.config


def test_the_sentence_task_comes_back_and_its_head_goes_on_for_that_task_alone(vectorizer, tmp_path):
    model = randomize(kb.BertPretrainer(kb.BertEncoder(tiny_config(num_layers=1)), sentence_task="order"))
    back = kb.load_pretrained(kb.save_pretrained(model, tmp_path / "order", vectorizer))
    assert back.model.sentence_task == "order"
    further = back.new_pretrainer("order")
    assert all(np.array_equal(a, b) for a, b in zip(further.get_weights(), model.get_weights(), strict=True))
    other = back.new_pretrainer()
    assert other.sentence_task == "next" and other.sop_head is None and not np.any(other.nsp_head.bias)
    assert np.array_equal(other.mlm_head.output_bias, model.mlm_head.output_bias)
    assert back.new_pretrainer(None).sentence_task is None


def test_the_optimizer_stays_behind(classifier, vectorizer, folder, tmp_path):
    trained = randomize(kb.BertClassifier(kb.BertEncoder(tiny_config()), num_classes=3))
    trained.compile("adam", keras.losses.SparseCategoricalCrossentropy(from_logits=True))
    trained.train_on_batch(random_inputs(trained.encoder.config), np.array([0, 1, 2]))
    saved = kb.save_pretrained(trained, tmp_path / "trained", vectorizer)
    assert (saved / "model.keras").stat().st_size < 1.1 * (folder / "model.keras").stat().st_size


def _broken(folder, tmp_path, change):
    shutil.copytree(folder, tmp_path / "broken")
    change(tmp_path / "broken")
    return tmp_path / "broken"


def _says(**changes):
    def change(folder):
        settings = json.loads((folder / "config.json").read_text())
        (folder / "config.json").write_text(json.dumps({**settings, **changes}))

    return change


def _cut(folder):
    file = folder / "model.keras"
    file.write_bytes(file.read_bytes()[: file.stat().st_size // 2])


def _flip(folder):
    with zipfile.ZipFile(folder / "model.keras") as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    parts["model.weights.h5"] = parts["model.weights.h5"][:1000]
    with zipfile.ZipFile(folder / "model.keras", "w") as archive:
        for name, content in parts.items():
            archive.writestr(name, content)


def _foreign(folder):
    inputs = keras.Input((2,))
    keras.Model(inputs, keras.layers.Dense(1)(inputs)).save(folder / "model.keras")


def _unknown_class(folder):
    with zipfile.ZipFile(folder / "model.keras") as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    parts["config.json"] = (
        parts["config.json"].replace(b"BertClassifier", b"SomeoneElses").replace(b"keras_bert", b"other_pack")
    )
    with zipfile.ZipFile(folder / "model.keras", "w") as archive:
        for name, content in parts.items():
            archive.writestr(name, content)


@pytest.mark.parametrize(
    "change, words",
    [
        (lambda folder: shutil.rmtree(folder), "not a folder"),
        (lambda folder: (folder / "vocab.txt").unlink(), "without vocab.txt"),
        (lambda folder: (folder / "model.keras").unlink(), "without model.keras"),
        (lambda folder: (folder / "config.json").write_text("{"), "config is a JSON file"),
        (lambda folder: (folder / "config.json").write_text("[]"), "config.json that keras_bert wrote"),
        (_says(kind=[]), r"config.json with kind=\[\]"),
        (_says(labels="abc"), "config.json with labels='abc'"),
        (_says(labels={"a": 0, "b": 1, "c": 2}), "config.json with labels={'a'"),
        (_says(lowercase="no"), "config.json with lowercase='no'"),
        (_says(sequence_length=2), "config.json with sequence_length=2"),
        (_says(pairs="yes"), "config.json with pairs='yes'"),
        (_says(pairs=1), "config.json with pairs=1"),
        (_says(no_answer="yes"), "config.json with no_answer='yes'"),
        (_says(no_answer=0), "config.json with no_answer=0"),
        (lambda folder: (folder / "vocab.txt").write_text("\n".join(TOKENS[:90])), "`vectorizer`.*vocab_size, 100. Received: 90"),
        (lambda folder: (folder / "vocab.txt").write_text("a\nb\n"), r"vocab.txt without \[PAD\]"),
        (_cut, "damaged or cut short"),
        (_flip, "that keras_bert wrote"),
        (_unknown_class, "that keras_bert wrote"),
        (_foreign, "expected a BertClassifier"),
    ],
)
def test_what_cannot_come_back_says_why(folder, tmp_path, change, words):
    with pytest.raises(kb.InputError, match=words) as caught:
        kb.load_pretrained(_broken(folder, tmp_path, change))
    assert "\n" not in str(caught.value) and "Received: " in str(caught.value)


@pytest.mark.parametrize("labels, words", [(["a", "b"], "3 different labels"), (["a", "a", "b"], "3 different labels")])
def test_labels_must_fit(classifier, vectorizer, tmp_path, labels, words):
    with pytest.raises(kb.InputError, match=words):
        kb.save_pretrained(classifier, tmp_path / "model", vectorizer, labels)
    with pytest.raises(kb.InputError, match="labels belong to a classifier"):
        kb.save_pretrained(classifier.encoder, tmp_path / "model", vectorizer, labels)
    assert list(tmp_path.iterdir()) == []


def test_sizes_must_fit(vectorizer, tmp_path):
    with pytest.raises(kb.InputError, match="`vectorizer`.*vocab_size, 50. Received: 100"):
        kb.save_pretrained(kb.BertEncoder(tiny_config(vocab_size=50)), tmp_path / "model", vectorizer)
    with pytest.raises(kb.InputError, match="`model` must be one of"):
        kb.save_pretrained("a model", tmp_path / "model", vectorizer)
    (tmp_path / "file").write_text("mine")
    with pytest.raises(kb.InputError, match="which is a file"):
        kb.save_pretrained(kb.BertEncoder(tiny_config()), tmp_path / "file", vectorizer)
    assert (tmp_path / "file").read_text() == "mine"


def test_a_full_disk_keeps_what_was_there(classifier, vectorizer, folder, tmp_path, monkeypatch):
    shutil.copytree(folder, tmp_path / "model")

    def full(self, file, **_):
        file.write_bytes(b"half")
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(kb.BertClassifier, "save", full)
    with pytest.raises(OSError, match="No space left"):
        kb.save_pretrained(classifier, tmp_path / "model", vectorizer)
    monkeypatch.undo()
    assert [entry.name for entry in tmp_path.iterdir()] == ["model"]
    assert kb.load_pretrained(tmp_path / "model").labels == ["a", "b", "c"]
