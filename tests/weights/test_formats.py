"""The `Format` protocol: a new format is one class and one entry in `FORMATS`."""

import json
from pathlib import Path

import numpy as np
import pytest

import keras_bert as kb
from keras_bert.weights import convert
from keras_bert.weights.canonical_names import model_weights, to_numpy
from keras_bert.weights.formats import FORMATS, find_format, format_named
from keras_bert.weights.formats.format import Format
from keras_bert.weights.source import Source
from tests.helpers import randomize, tiny_config

VOCABULARY = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *(f"w{i}" for i in range(95))]


class NumpyFormat(Format):
    """A toy format: one `.npz` file with the encoder's tensors, and a JSON file with the config and the vocabulary."""

    name = "numpy"
    marker_files = ("weights.npz", "model.json")
    heads = ()
    skips_heads = True

    def read(self, source) -> Source:
        path = Path(source)
        settings = json.loads((path / "model.json").read_text())
        with np.load(path / "weights.npz") as tensors:
            return Source(
                label=str(path),
                format=self.name,
                tensors={"encoder": dict(tensors)},
                read_config=lambda: kb.BertConfig.from_dict(settings["config"]),
                vocabulary=settings["vocabulary"],
            )

    def write(self, model, path, vectorizer=None, labels=None) -> Path:
        encoder = getattr(model, "encoder", model)
        settings = {"config": encoder.config.to_dict(), "vocabulary": vectorizer.get_vocabulary()}
        path.mkdir()
        np.savez(path / "weights.npz", **to_numpy(model_weights(encoder))["encoder"])
        (path / "model.json").write_text(json.dumps(settings))
        return path


@pytest.fixture(scope="module")
def classifier():
    return randomize(kb.BertClassifier(kb.BertEncoder(tiny_config()), num_classes=3))


@pytest.fixture(scope="module")
def folder(classifier, tmp_path_factory):
    vectorizer = kb.BertTextVectorization(VOCABULARY)
    return kb.save_pretrained(classifier, tmp_path_factory.mktemp("saved") / "model", vectorizer)


@pytest.fixture
def numpy_format():
    """Add the toy format to `FORMATS` for one test."""
    FORMATS.append(NumpyFormat())
    yield
    FORMATS.pop()


def test_new_format_needs_one_class(numpy_format, classifier, folder, tmp_path):
    facts = convert(folder, to="numpy", out=tmp_path / "out")
    assert facts["skipped"] == ["classifier"] and facts["tensors"] == len(classifier.encoder.weights)
    pretrained = kb.load_pretrained(tmp_path / "out")
    assert (pretrained.kind, pretrained.vocabulary) == ("encoder", VOCABULARY)
    encoder = kb.BertEncoder(tiny_config())
    assert kb.load_weights(encoder, tmp_path / "out").untouched == []
    for copy in (pretrained.encoder, encoder):
        for weight, expected in zip(copy.weights, classifier.encoder.weights, strict=True):
            np.testing.assert_array_equal(weight, expected)
    back = convert(tmp_path / "out", to="huggingface", out=tmp_path / "back")
    assert back["parameters"] == classifier.encoder.count_params()


def test_unknown_folder_error_lists_new_format(numpy_format, tmp_path):
    with pytest.raises(kb.InputError, match=r"`source` .*numpy \(weights.npz, model.json\)"):
        kb.load_pretrained(tmp_path)


@pytest.mark.parametrize("name", ["keras_hub", "model_garden"])
def test_read_only_formats(name, folder, tmp_path):
    with pytest.raises(kb.InputError, match=f"^`to`.*Received: to='{name}'"):
        convert(folder, to=name, out=tmp_path / "out")
    assert list(tmp_path.iterdir()) == []


def test_format_named():
    names = [each.name for each in FORMATS]
    known = "text_saved_model tfhub keras keras_hub huggingface google_research model_garden"
    assert names == known.split()
    assert [format_named(name).name for name in names] == names
    with pytest.raises(kb.InputError, match="^`to`.*tfhub, .*Received: to='onnx'"):
        format_named("onnx")


@pytest.mark.parametrize("to", ["tfhub", "keras", "huggingface", "google_research"])
def test_exactly_one_format_matches(to, tmp_path):
    config = tiny_config(activation="gelu_tanh", layer_norm_epsilon=1e-12)
    kb.save_pretrained(kb.BertEncoder(config), tmp_path / "model", kb.BertTextVectorization(VOCABULARY))
    convert(tmp_path / "model", to=to, out=tmp_path / "out")
    assert [each.name for each in FORMATS if each.matches(tmp_path / "out")] == [to]
    assert all((tmp_path / "out" / name).is_file() for name in format_named(to).marker_files)


def test_google_formats_are_distinguished_by_checkpoint():
    folder = Path(__file__).parent / "formats" / "model_garden"
    for name in ("bert", "albert"):
        assert [each.name for each in FORMATS if each.matches(folder / name)] == ["model_garden"]
    assert find_format(folder / "albert_tfhub").name == "tfhub"
