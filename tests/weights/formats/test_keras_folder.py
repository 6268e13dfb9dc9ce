"""Saved models are loaded completely, damaged folders give a clear error, and a failed save leaves nothing behind."""

import json
import shutil
import zipfile

import keras
import numpy as np
import pytest

import keras_bert as kb
from tests.helpers import random_inputs, randomize, tiny_config

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


def test_classifier_round_trip(folder, classifier):
    back = kb.load_pretrained(folder)
    inputs = random_inputs(classifier.encoder.config)
    np.testing.assert_array_equal(back.model(inputs).numpy(), classifier(inputs).numpy())
    assert (back.kind, back.labels, back.lowercase, back.sequence_length) == ("classifier", ["a", "b", "c"], False, 24)
    assert back.vectorizer.get_vocabulary() == back.vocabulary == TOKENS and back.encoder is back.model.encoder
    assert back.vectorizer(["word3 Word3"])["input_word_ids"].numpy()[0, :5].tolist() == [2, 8, 1, 3, 0]
    assert sorted(file.name for file in folder.iterdir()) == ["config.json", "model.keras", "vocab.txt"]


@pytest.mark.parametrize("kind", ["encoder", "pretrainer", "feature_classifier", "span_labeler", "token_classifier"])
def test_round_trip_of_other_kinds(kind, vectorizer, tmp_path):
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


def test_new_pretrainer_keeps_head_of_same_task(vectorizer, tmp_path):
    model = randomize(kb.BertPretrainer(kb.BertEncoder(tiny_config(num_layers=1)), sentence_task="order"))
    back = kb.load_pretrained(kb.save_pretrained(model, tmp_path / "order", vectorizer))
    assert back.model.sentence_task == "order"
    further = back.new_pretrainer("order")
    assert all(np.array_equal(a, b) for a, b in zip(further.get_weights(), model.get_weights(), strict=True))
    other = back.new_pretrainer()
    assert other.sentence_task == "next" and other.sop_head is None and not np.any(other.nsp_head.bias)
    assert np.array_equal(other.mlm_head.output_bias, model.mlm_head.output_bias)
    assert back.new_pretrainer(None).sentence_task is None


@pytest.mark.slow
def test_does_not_save_optimizer(classifier, vectorizer, folder, tmp_path):
    trained = randomize(kb.BertClassifier(kb.BertEncoder(tiny_config()), num_classes=3))
    trained.compile("adam", keras.losses.SparseCategoricalCrossentropy(from_logits=True))
    trained.train_on_batch(random_inputs(trained.encoder.config), np.array([0, 1, 2]))
    saved = kb.save_pretrained(trained, tmp_path / "trained", vectorizer)
    assert (saved / "model.keras").stat().st_size < 1.1 * (folder / "model.keras").stat().st_size


def changed_copy(folder, tmp_path, change):
    shutil.copytree(folder, tmp_path / "copy")
    change(tmp_path / "copy")
    return tmp_path / "copy"


def set_config(**changes):
    def change(folder):
        settings = json.loads((folder / "config.json").read_text())
        (folder / "config.json").write_text(json.dumps({**settings, **changes}))

    return change


def truncate(folder):
    file = folder / "model.keras"
    file.write_bytes(file.read_bytes()[: file.stat().st_size // 2])


def truncate_weights(folder):
    with zipfile.ZipFile(folder / "model.keras") as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    parts["model.weights.h5"] = parts["model.weights.h5"][:1000]
    with zipfile.ZipFile(folder / "model.keras", "w") as archive:
        for name, content in parts.items():
            archive.writestr(name, content)


def save_other_model(folder):
    inputs = keras.Input((2,))
    keras.Model(inputs, keras.layers.Dense(1)(inputs)).save(folder / "model.keras")


def rename_class(folder):
    with zipfile.ZipFile(folder / "model.keras") as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    parts["config.json"] = (
        parts["config.json"].replace(b"BertClassifier", b"UnknownClass").replace(b"keras_bert", b"other_pack")
    )
    with zipfile.ZipFile(folder / "model.keras", "w") as archive:
        for name, content in parts.items():
            archive.writestr(name, content)


@pytest.mark.parametrize(
    "change, match",
    [
        (lambda folder: shutil.rmtree(folder), "^`source`.*Received: source="),
        (lambda folder: (folder / "vocab.txt").unlink(), "^`source`.*Received: source=.*vocab.txt"),
        (lambda folder: (folder / "model.keras").unlink(), "^`source`.*Received: source=.*model.keras"),
        (lambda folder: (folder / "config.json").write_text("{"), "^`path`.*Received: path=.*config.json"),
        (lambda folder: (folder / "config.json").write_text("[]"), r"^`path`.*Received: path=.*config.json .*\[\]"),
        (set_config(kind=[]), r"config.json .*kind=\[\]"),
        (set_config(labels="abc"), "config.json .*labels='abc'"),
        (set_config(labels={"a": 0, "b": 1, "c": 2}), "config.json .*labels={'a'"),
        (set_config(lowercase="no"), "config.json .*lowercase='no'"),
        (set_config(sequence_length=2), "config.json .*sequence_length=2"),
        (set_config(pairs="yes"), "config.json .*pairs='yes'"),
        (set_config(pairs=1), "config.json .*pairs=1"),
        (set_config(no_answer="yes"), "config.json .*no_answer='yes'"),
        (set_config(no_answer=0), "config.json .*no_answer=0"),
        (
            lambda folder: (folder / "vocab.txt").write_text("\n".join(TOKENS[:90])),
            r"^`vectorizer`.*\b100\b.*Received: 90\b",
        ),
        (lambda folder: (folder / "vocab.txt").write_text("a\nb\n"), r"^`vocabulary`.*\[PAD\].*Received: .*vocab.txt"),
        (truncate, "^`source`.*Received: source=.*model.keras"),
        (truncate_weights, "^`source`.*Received: source=.*model.keras"),
        (rename_class, "^`source`.*Received: source=.*model.keras"),
        (save_other_model, "^`source`.*BertClassifier.*Received: source="),
    ],
)
def test_rejects_damaged_folders(folder, tmp_path, change, match):
    with pytest.raises(kb.InputError, match=match) as caught:
        kb.load_pretrained(changed_copy(folder, tmp_path, change))
    assert "\n" not in str(caught.value) and "Received: " in str(caught.value)


@pytest.mark.parametrize("labels", [["a", "b"], ["a", "a", "b"]])
def test_rejects_mismatched_labels(classifier, vectorizer, tmp_path, labels):
    with pytest.raises(kb.InputError, match=r"^`labels`.*\b3\b.*Received: labels="):
        kb.save_pretrained(classifier, tmp_path / "model", vectorizer, labels)
    with pytest.raises(kb.InputError, match="^`labels`.*Received: model=BertEncoder"):
        kb.save_pretrained(classifier.encoder, tmp_path / "model", vectorizer, labels)
    regression = kb.BertClassifier(classifier.encoder, 3, problem_type="regression")
    with pytest.raises(kb.InputError, match="^`labels` must be None"):
        kb.save_pretrained(regression, tmp_path / "model", vectorizer, ["a", "b", "c"])
    assert list(tmp_path.iterdir()) == []


def test_rejects_mismatched_vocabulary_and_paths(vectorizer, tmp_path):
    with pytest.raises(kb.InputError, match=r"^`vectorizer`.*\b50\b.*Received: 100\b"):
        kb.save_pretrained(kb.BertEncoder(tiny_config(vocab_size=50)), tmp_path / "model", vectorizer)
    with pytest.raises(kb.InputError, match="`model`"):
        kb.save_pretrained("a model", tmp_path / "model", vectorizer)
    (tmp_path / "file").write_text("mine")
    with pytest.raises(kb.InputError, match="`path`"):
        kb.save_pretrained(kb.BertEncoder(tiny_config()), tmp_path / "file", vectorizer)
    assert (tmp_path / "file").read_text() == "mine"


def test_full_disk_keeps_existing_folder(classifier, vectorizer, folder, tmp_path, monkeypatch):
    shutil.copytree(folder, tmp_path / "model")

    def disk_full(self, file, **_):
        file.write_bytes(b"half")
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(kb.BertClassifier, "save", disk_full)
    with pytest.raises(OSError, match="No space left"):
        kb.save_pretrained(classifier, tmp_path / "model", vectorizer)
    monkeypatch.undo()
    assert [entry.name for entry in tmp_path.iterdir()] == ["model"]
    assert kb.load_pretrained(tmp_path / "model").labels == ["a", "b", "c"]
