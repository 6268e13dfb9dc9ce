"""SavedModels are read as files: nothing of them is run."""

import shutil

import numpy as np
import pytest

import keras_bert as kb
from keras_bert.cli.main import main
from keras_bert.parity import check
from keras_bert.weights import convert, encoder_from_tfhub, load_pretrained
from keras_bert.weights.formats import tfhub_writer
from keras_bert.weights.formats.saved_model import LoadedSavedModel, StoredSavedModel
from keras_bert.weights.formats.tfhub import open_tfhub, read_masked_lm_tensors, read_tensors, read_vocabulary
from keras_bert.weights.load import open_source
from tests.helpers import random_inputs, randomize, tiny_config

UNREADABLE = "^`source`.*Received: source=.*copy"
INPUTS = random_inputs(tiny_config())
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


def writing_table(file):
    """Return a table whose initializer writes a file."""
    import tensorflow as tf

    class WritingInitializer(tf.lookup.KeyValueTensorInitializer):
        def initialize(self, table):
            tf.io.write_file(str(file), "it ran")
            return super().initialize(table)

    return tf.lookup.StaticHashTable(WritingInitializer(["a"], [1]), 0)


@pytest.fixture(scope="module")
def malicious(pretrainer, vectorizer, tmp_path_factory):
    """A complete TF-Hub BERT with a table whose initializer writes a file, and the path of that file."""
    place = tmp_path_factory.mktemp("malicious")
    written = place / "written.txt"

    def write_with_table(root, path, signatures):
        root.table = writing_table(written)
        return original(root, path, signatures)

    original = tfhub_writer.write_saved_model
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(tfhub_writer, "write_saved_model", write_with_table)
        path = kb.export_saved_model(pretrainer, place / "model", vectorizer, interface="tfhub")
    written.unlink()
    return path, written


def test_loading_runs_initializer(malicious):
    folder, written = malicious
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
        lambda folder, out: run_command("convert", folder, "--to", "keras", "--out", out / "keras"),
        lambda folder, out: run_command("inspect", folder),
        lambda folder, out: kb.Predictor(folder)(["w3 [MASK]"]),
    ],
    ids=["load_weights", "load_pretrained", "from_pretrained", "encoder_from_tfhub", "open_source"]
    + ["convert", "convert to tfhub", "convert command", "inspect command", "Predictor"],
)
def test_reading_runs_nothing(malicious, read, tmp_path):
    folder, written = malicious
    written.unlink(missing_ok=True)
    read(folder, tmp_path)
    assert not written.exists()


@pytest.mark.parametrize(
    "read",
    [open_tfhub, kb.Predictor, check, lambda folder: kb.compare(kb.BertEncoder(tiny_config()), folder, INPUTS)],
    ids=["open_tfhub", "Predictor", "check", "compare"],
)
def test_rejects_other_models_before_they_run(read, tmp_path):
    import tensorflow as tf

    root, written = tf.train.Checkpoint(), tmp_path / "written.txt"
    root.table = writing_table(written)
    tf.saved_model.save(root, str(tmp_path / "other"))
    written.unlink()
    with pytest.raises(kb.InputError, match="`source`.*other"):
        read(tmp_path / "other")
    assert not written.exists()


def test_runs_no_text_model_of_a_hub(tmp_path, monkeypatch):
    """`Predictor` runs the graph of a SavedModel that takes text: of a folder, but not of an address."""
    import tensorflow as tf

    root, written = tf.train.Checkpoint(), tmp_path / "written.txt"
    root.table = writing_table(written)
    text = tf.TensorSpec([None], tf.string, name="text")
    serve = tf.function(lambda text: {"logits": tf.zeros((tf.size(text), 2)), "label": text}, input_signature=[text])
    tf.saved_model.save(root, str(tmp_path / "text"), {"serving_default": serve})
    written.unlink()
    monkeypatch.setattr("keras_bert.inference.open_model.locate", lambda source: tmp_path / "text")
    with pytest.raises(kb.InputError, match="^`source`.*hf://org/text.*If you trust it, use .*text$"):
        kb.Predictor("hf://org/text")
    assert not written.exists()
    assert len(kb.Predictor(tmp_path / "text")(["a"])) == 1 and written.exists()


@pytest.mark.parametrize("command", ["predict", "evaluate", "check"])
def test_help_says_that_a_graph_is_run(command, capsys):
    run_command(command, "--help")
    text = " ".join(capsys.readouterr().out.split())
    assert f"is a program: {command} runs its graph, also its initializers" in text and "SECURITY.md" in text


def run_command(*arguments):
    assert main([str(argument) for argument in arguments]) == 0


def test_reading_handle_runs_nothing(malicious, monkeypatch):
    folder, written = malicious
    written.unlink(missing_ok=True)
    monkeypatch.setattr("tensorflow_hub.resolve", lambda handle: str(folder))
    found = open_source("https://tfhub.dev/example/malicious/1")
    assert found.label == "https://tfhub.dev/example/malicious/1" and found.vocabulary == VOCABULARY
    assert not written.exists()


@pytest.mark.parametrize("which", ["written here", "Google's BERT", "Google's ALBERT"])
def test_files_and_loaded_model_agree(which, folder, request):
    if which == "Google's BERT":
        folder = request.getfixturevalue("reference_encoder")
    elif which == "Google's ALBERT":
        folder = request.path.parent / "model_garden" / "albert_tfhub"
    loaded, stored = LoadedSavedModel(open_tfhub(folder)), StoredSavedModel(folder, str(folder))
    for one, other in zip(loaded.variables(), stored.variables(), strict=True):
        assert one.name == f"{other.name}:0" and tuple(one.shape) == other.shape and one.dtype == other.dtype
    for read in (read_tensors, read_masked_lm_tensors):
        one, other = read(loaded), read(stored)
        assert list(one) == list(other)
        assert all(one[name].dtype == other[name].dtype and np.array_equal(one[name], other[name]) for name in one)
    assert read_vocabulary(loaded) == read_vocabulary(stored)
    assert open_source(loaded.loaded).config == open_source(folder).config


def truncate(file):
    file.write_bytes(file.read_bytes()[: file.stat().st_size // 2])


def replace_bytes(file, old, new):
    content = file.read_bytes()
    assert old in content and len(old) == len(new)
    file.write_bytes(content.replace(old, new))


@pytest.mark.parametrize(
    "damage, match",
    [
        (lambda folder: truncate(folder / "saved_model.pb"), UNREADABLE),
        (lambda folder: (folder / "saved_model.pb").write_bytes(b""), "^`source`.*Received: .*saved_model.pb"),
        (lambda folder: (folder / "saved_model.pb").write_bytes(b"words"), UNREADABLE),
        (lambda folder: truncate(folder / "variables" / "variables.index"), UNREADABLE),
        (
            lambda folder: truncate(folder / "variables" / "variables.data-00000-of-00001"),
            UNREADABLE,
        ),
        (
            lambda folder: (folder / "variables" / "variables.data-00000-of-00001").unlink(),
            UNREADABLE,
        ),
        (lambda folder: shutil.rmtree(folder / "variables"), UNREADABLE),
        (lambda folder: shutil.rmtree(folder / "assets"), "vocab.txt"),
        (
            lambda folder: replace_bytes(folder / "saved_model.pb", b"vocab.txt", b"../ab.txt"),
            r"^`source`.*Received: .*\.\./ab\.txt",
        ),
    ],
)
def test_rejects_damaged_files(damage, match, folder, tmp_path):
    shutil.copytree(folder, tmp_path / "copy")
    damage(tmp_path / "copy")
    with pytest.raises(kb.InputError, match=match) as caught:
        load_pretrained(tmp_path / "copy")
    assert "\n" not in str(caught.value) and str(tmp_path / "copy") in str(caught.value)


def test_rejects_checkpoint_of_another_model(folder, pretrainer, tmp_path):
    shutil.copytree(folder, tmp_path / "copy")
    other = kb.export_saved_model(kb.BertEncoder(tiny_config(vocab_size=90)), tmp_path / "other")
    shutil.rmtree(tmp_path / "copy" / "variables")
    shutil.copytree(other / "variables", tmp_path / "copy" / "variables")
    with pytest.raises(
        kb.InputError,
        match=r"^`source`.*word_embeddings/embeddings .*float32 \(100, 32\).*float32 \(90, 32\)",
    ):
        kb.load_weights(pretrainer, tmp_path / "copy")
