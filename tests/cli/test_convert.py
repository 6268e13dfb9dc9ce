"""`convert`: between all formats without changing a number."""

import dataclasses
from pathlib import Path

import numpy as np
import pytest

from keras_bert.weights.canonical_names import model_weights
from keras_bert.weights.load import open_source
from tests.cli.command_line import assert_error, results_of
from tests.helpers import randomize


def assert_same_weights(model, folder, without=()):
    """Check that a folder holds every tensor of a model, under its canonical name."""
    found = open_source(folder).parts
    expected = {part: weights for part, weights in model_weights(model).items() if part not in without}
    assert found.keys() == expected.keys()
    for part, weights in expected.items():
        for name, weight in weights.items():
            np.testing.assert_array_equal(found[part][name], weight)


@pytest.mark.slow
def test_round_trip_through_all_formats(call, models, tmp_path):
    from keras_bert.weights import load_pretrained

    start = load_pretrained(models.encoder)
    before, source = start.model, models.encoder
    for to in ("google_research", "tfhub", "huggingface", "google_research", "keras"):
        out = tmp_path / f"{len(list(tmp_path.iterdir()))}-{to}"
        results = results_of(call("convert", source, "--to", to, "--out", out, "--json"))
        assert results["skipped"] == (["next_sentence"] if to == "tfhub" else [])
        if to != "keras":
            lost = {"next_sentence"} if any(path.name.endswith("tfhub") for path in tmp_path.iterdir()) else ()
            assert_same_weights(before, out, without=lost)
        source = out
    end = load_pretrained(source)
    # Every format but TF-Hub's holds initializer_range.
    assert dataclasses.replace(end.encoder.config, initializer_range=0.2) == start.encoder.config
    assert end.vocabulary == start.vocabulary
    assert end.model.nsp_head is None  # TF-Hub's format has no next-sentence head


@pytest.mark.slow
def test_files_of_other_libraries(call, tmp_path):
    """A preset of KerasHub, and an ALBERT that Google's exporter wrote, keep their outputs and weights."""
    import keras_hub

    import keras_bert as kb
    from keras_bert.parity.references import run_keras_hub

    sizes = dict(vocabulary_size=60, num_layers=2, num_heads=2, hidden_dim=16, intermediate_dim=32, dropout=0.0)
    backbone = randomize(keras_hub.models.BertBackbone(**sizes, max_sequence_length=20))
    backbone.save_to_preset(tmp_path / "preset")
    ids = np.array([[2, 7, 9, 11, 3], [2, 8, 3, 0, 0]], "int32")
    rows = {"input_word_ids": ids, "input_mask": np.int32(ids > 0), "input_type_ids": np.int32(ids > 8)}
    for number, (source, to) in enumerate((("preset", "huggingface"), ("0", "google_research"), ("1", "tfhub"))):
        results = results_of(call("convert", tmp_path / source, "--to", to, "--out", tmp_path / str(number), "--json"))
        assert results["parameters"] == backbone.count_params()
        encoder = kb.BertEncoder(open_source(tmp_path / str(number)).config)
        assert kb.load_weights(encoder, tmp_path / str(number)).untouched == []
        found, expected = encoder(rows), run_keras_hub(backbone, rows)
        np.testing.assert_allclose(found["pooled_output"], expected["pooled_output"], atol=5e-5)

    albert = Path(__file__).parents[1] / "weights" / "formats" / "model_garden" / "albert_tfhub"
    before = open_source(albert).parts["encoder"]
    for to in ("huggingface", "google_research", "tfhub"):
        results_of(call("convert", albert, "--to", to, "--out", tmp_path / to, "--json"))
        after = open_source(tmp_path / to).parts["encoder"]
        assert before.keys() == after.keys()
        assert all(np.array_equal(before[name], after[name]) for name in before)


def test_keeps_or_rejects_activation(call, tmp_path):
    import keras_bert as kb
    from keras_bert.weights.formats.huggingface import save_huggingface

    config = kb.BertConfig(60, 16, 1, 2, 32, activation="gelu", layer_norm_epsilon=1e-6)
    save_huggingface(randomize(kb.BertEncoder(config)), tmp_path / "hf")
    for to in ("tfhub", "huggingface"):
        results_of(call("convert", tmp_path / "hf", "--to", to, "--out", tmp_path / to, "--json"))
        found = open_source(tmp_path / to).config
        assert (found.activation, found.layer_norm_epsilon) == ("gelu", 1e-6)
    arguments = ("convert", tmp_path / "hf", "--to", "google_research", "--out", tmp_path / "google_research")
    assert_error(call(*arguments), "--allow-change activation", "--allow-change layer_norm_epsilon")
    assert not (tmp_path / "google_research").exists()
    allowed = ("--allow-change", "activation", "--allow-change", "layer_norm_epsilon")
    results = results_of(call(*arguments, *allowed, "--json"))
    assert set(results["changes"]) == {"activation", "layer_norm_epsilon"}
    assert 0 < results["difference"]["sequence_output"]["max"] < 1
    assert open_source(tmp_path / "google_research").config.activation == "gelu_tanh"


def test_example_of_the_help(call, tmp_path, monkeypatch):
    """The example converts bert-base-uncased, which has the exact GELU."""
    import keras_bert as kb
    from keras_bert.cli.convert import CHANGES, convert
    from keras_bert.weights import changes
    from keras_bert.weights.formats.huggingface import save_huggingface

    assert CHANGES == changes.CHANGES
    save_huggingface(kb.BertEncoder(kb.BertConfig(60, 16, 1, 2, 32, activation="gelu")), tmp_path / "bert-base-uncased")
    monkeypatch.chdir(tmp_path)
    command = convert.help.split("Example:")[1].split()
    assert command[:3] == ["keras-bert", "convert", "bert-base-uncased"]
    assert set(results_of(call(*command[1:], "--json"))["changes"]) == {"activation"}


def contents(folder) -> dict:
    """Return every path below a folder with the bytes of its file."""
    return {path: path.is_file() and path.read_bytes() for path in folder.rglob("*")}


@pytest.mark.slow
def test_round_trip_check_of_the_config(call, tmp_path, monkeypatch):
    import keras_bert as kb
    from keras_bert.weights.formats.huggingface import save_huggingface

    config = kb.BertConfig(60, 16, 1, 2, 32, activation="gelu")
    save_huggingface(randomize(kb.BertEncoder(config)), tmp_path / "hf")
    results_of(call("convert", tmp_path / "hf", "--to", "tfhub", "--out", tmp_path / "existing", "--json"))
    before = contents(tmp_path)
    monkeypatch.setattr("keras_bert.weights.formats.saved_model.StoredSavedModel.asset_path", lambda self, name: None)
    for out in ("new", "existing"):
        result = call("convert", tmp_path / "hf", "--to", "tfhub", "--out", tmp_path / out)
        assert_error(result, out, "activation", "gelu_tanh")
        assert contents(tmp_path) == before


@pytest.mark.parametrize("to", ["google_research", "huggingface"])
def test_round_trip_check_of_the_weights(to, call, models, tmp_path, monkeypatch):
    from keras_bert.weights.tensor_mapping import to_format

    def changed(parts, tensors):
        return {name: tensor + ("pooler" in name) for name, tensor in to_format(parts, tensors).items()}

    results_of(call("convert", models.encoder, "--to", to, "--out", tmp_path / "existing", "--json"))
    before = contents(tmp_path)
    monkeypatch.setattr(f"keras_bert.weights.formats.{to}.to_format", changed)
    for out in ("new", "existing"):
        result = call("convert", models.encoder, "--to", to, "--out", tmp_path / out)
        assert_error(result, "pooler")
        assert contents(tmp_path) == before


@pytest.mark.slow
def test_classifier_keeps_its_labels(call, models, tmp_path):
    results = results_of(call("convert", models.classifier, "--to", "huggingface", "--out", tmp_path / "hf", "--json"))
    assert results["kind"] == "classifier" and results["skipped"] == []
    one, two = (
        results_of(call("predict", "--model", folder, "a fine film", "--json"))["predictions"][0]
        for folder in (models.classifier, tmp_path / "hf")
    )
    assert one["label"] == two["label"] and one["probability"] == pytest.approx(two["probability"], abs=1e-6)


@pytest.mark.slow
def test_served_classifier_becomes_a_folder(call, models, tmp_path):
    results_of(call("convert", models.served, "--to", "keras", "--out", tmp_path / "keras", "--json"))
    one, two = (
        results_of(call("predict", "--model", folder, "a fine film", "--json"))["predictions"][0]
        for folder in (models.served, tmp_path / "keras")
    )
    assert one["label"] == two["label"] and one["probability"] == pytest.approx(two["probability"], abs=1e-6)


def test_rejects_wrong_sources_and_folders(call, models, tmp_path):
    for source, to, words in (
        (tmp_path / "nothing", "google_research", "nothing"),
        (models.vocab, "google_research", "saved_model.pb"),
    ):
        assert_error(call("convert", source, "--to", to, "--out", tmp_path / "out"), words)
        assert not (tmp_path / "out").exists()
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "diary.txt").write_text("dear diary")
    result = call("convert", models.encoder, "--to", "google_research", "--out", tmp_path / "mine")
    assert_error(result, "--out", "bert_model.ckpt.index")
