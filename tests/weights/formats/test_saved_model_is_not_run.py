"""A SavedModel is read as a file: whatever it would do when it is loaded, it does not do here."""

import shutil

import numpy as np
import pytest
from helpers import randomize, tiny_config
from keras_bert.export.convert import convert

import keras_bert as kb
from keras_bert.cli.main import main
from keras_bert.weights import encoder_from_tfhub, load_pretrained
from keras_bert.weights.formats import tfhub_writer
from keras_bert.weights.formats.saved_model import open_saved_model
from keras_bert.weights.formats.tfhub import open_tfhub, read_masked_lm_tensors, read_tensors, vocabulary_file
from keras_bert.weights.source import open_source

VOCABULARY = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *(f"w{i}" for i in range(95))]


@pytest.fixture(scope="module")
def pretrainer():
    return randomize(kb.BertPretrainer(kb.BertEncoder(tiny_config()), sentence_task=None))


@pytest.fixture(scope="module")
def vectorizer():
    return kb.BertTextVectorization(VOCABULARY, lowercase=False)


@pytest.fixture(scope="module")
def folder(pretrainer, vectorizer, tmp_path_factory):
    return kb.export_saved_model(pretrainer, tmp_path_factory.mktemp("good") / "model", vectorizer, interface="tfhub")


@pytest.fixture(scope="module")
def evil(pretrainer, vectorizer, tmp_path_factory):
    """A whole TF-Hub BERT with a table whose initialiser writes a file, and that file."""
    import tensorflow as tf

    place = tmp_path_factory.mktemp("evil")
    written = place / "written.txt"

    class Writes(tf.lookup.KeyValueTensorInitializer):
        def initialize(self, table):
            tf.io.write_file(str(written), "it ran")
            return super().initialize(table)

    def write(root, path, signatures):
        root.table = tf.lookup.StaticHashTable(Writes(["a"], [1]), 0)
        return honest(root, path, signatures)

    honest = tfhub_writer.write_saved_model
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(tfhub_writer, "write_saved_model", write)
        path = kb.export_saved_model(pretrainer, place / "model", vectorizer, interface="tfhub")
    written.unlink()
    return path, written


def test_loading_it_would_have_written_the_file(evil):
    folder, written = evil
    open_tfhub(folder)
    assert written.read_text() == "it ran"
    written.unlink()


@pytest.mark.parametrize(
    "read",
    [
        lambda folder, out: kb.load_weights(kb.BertEncoder(tiny_config()), folder),
        lambda folder, out: load_pretrained(folder),
        lambda folder, out: kb.BertEncoder.from_pretrained(folder),
        lambda folder, out: encoder_from_tfhub(folder),
        lambda folder, out: open_source(str(folder)).config,
        lambda folder, out: convert(folder, "huggingface", out / "huggingface"),
        lambda folder, out: convert(str(folder), "tfhub", out / "tfhub"),
        lambda folder, out: _command("convert", folder, "--to", "keras", "--out", out / "keras"),
        lambda folder, out: _command("inspect", folder),
    ],
    ids=["load_weights", "load_pretrained", "from_pretrained", "encoder_from_tfhub", "open_source"]
    + ["convert", "convert to tfhub", "the command convert", "the command inspect"],
)
def test_nothing_of_it_runs(evil, read, tmp_path):
    folder, written = evil
    written.unlink(missing_ok=True)
    read(folder, tmp_path)
    assert not written.exists()


def _command(*arguments):
    assert main([str(argument) for argument in arguments]) == 0


def test_a_handle_is_fetched_and_not_run(evil, monkeypatch):
    folder, written = evil
    written.unlink(missing_ok=True)
    monkeypatch.setattr("tensorflow_hub.resolve", lambda handle: str(folder))
    found = open_source("https://tfhub.dev/somebody/evil/1")
    assert found.label == "https://tfhub.dev/somebody/evil/1" and found.vocabulary == VOCABULARY
    assert not written.exists()


@pytest.mark.parametrize("which", ["ours", "google's", "google's albert"])
def test_the_file_says_what_the_loaded_model_says(which, folder, request):
    if which == "google's":
        folder = request.getfixturevalue("reference_encoder")
    elif which == "google's albert":
        folder = request.path.parent / "model_garden" / "albert_tfhub"
    loaded, stored = open_tfhub(folder), open_saved_model(folder)
    for one, other in zip(loaded.variables, stored.variables, strict=True):
        assert one.name == f"{other.name}:0" and tuple(one.shape) == other.shape and one.dtype == other.dtype
    for read in (read_tensors, read_masked_lm_tensors):
        one, other = read(loaded), read(stored)
        assert list(one) == list(other)
        assert all(one[name].dtype == other[name].dtype and np.array_equal(one[name], other[name]) for name in one)
    assert vocabulary_file(loaded) == vocabulary_file(stored)
    assert open_source(loaded).config == open_source(folder).config


def _cut(file):
    file.write_bytes(file.read_bytes()[: file.stat().st_size // 2])


def _turn(file, old, new):
    content = file.read_bytes()
    assert old in content and len(old) == len(new)
    file.write_bytes(content.replace(old, new))


@pytest.mark.parametrize(
    "damage, words",
    [
        (lambda folder: _cut(folder / "saved_model.pb"), "that loads"),
        (lambda folder: (folder / "saved_model.pb").write_bytes(b""), "no objects of TensorFlow 2"),
        (lambda folder: (folder / "saved_model.pb").write_bytes(b"words"), "that loads"),
        (lambda folder: _cut(folder / "variables" / "variables.index"), "that loads"),
        (lambda folder: _cut(folder / "variables" / "variables.data-00000-of-00001"), "that loads"),
        (lambda folder: (folder / "variables" / "variables.data-00000-of-00001").unlink(), "that loads"),
        (lambda folder: shutil.rmtree(folder / "variables"), "that loads"),
        (lambda folder: shutil.rmtree(folder / "assets"), "vocab.txt"),
        (lambda folder: _turn(folder / "saved_model.pb", b"vocab.txt", b"../ab.txt"), "an asset lies in assets"),
    ],
)
def test_a_damaged_one_is_refused_in_a_line(damage, words, folder, tmp_path):
    shutil.copytree(folder, tmp_path / "copy")
    damage(tmp_path / "copy")
    with pytest.raises(kb.InputError, match=words) as caught:
        load_pretrained(tmp_path / "copy")
    assert "\n" not in str(caught.value) and str(tmp_path / "copy") in str(caught.value)


def test_a_checkpoint_of_another_model_is_refused(folder, pretrainer, tmp_path):
    shutil.copytree(folder, tmp_path / "copy")
    other = kb.export_saved_model(kb.BertEncoder(tiny_config(vocab_size=90)), tmp_path / "other")
    shutil.rmtree(tmp_path / "copy" / "variables")
    shutil.copytree(other / "variables", tmp_path / "copy" / "variables")
    with pytest.raises(
        kb.InputError, match=r"word_embeddings/embeddings is float32 \(100, 32\), and float32 \(90, 32\)"
    ):
        kb.load_weights(pretrainer, tmp_path / "copy")
