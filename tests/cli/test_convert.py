"""convert: every format to every other, the numbers the same."""

import dataclasses
import json
from pathlib import Path

import numpy as np
import pytest
from helpers import randomize

from keras_bert.weights.canonical_names import model_weights
from keras_bert.weights.load import open_source


def facts_of(said) -> dict:
    assert said.status == 0, said.err
    return json.loads(said.out.splitlines()[-1])


def same(model, folder, without=()):
    """Every tensor of a model is in a folder, under its name, with its numbers."""
    found = open_source(folder).parts
    expected = {part: weights for part, weights in model_weights(model).items() if part not in without}
    assert found.keys() == expected.keys()
    for part, weights in expected.items():
        for name, weight in weights.items():
            np.testing.assert_array_equal(found[part][name], weight)


def test_around_all_formats_and_home_again(call, models, tmp_path):
    from keras_bert.weights import load_pretrained

    start = load_pretrained(models.encoder)
    before, source = start.model, models.encoder
    for to in ("google_research", "tfhub", "huggingface", "google_research", "keras"):
        out = tmp_path / f"{len(list(tmp_path.iterdir()))}-{to}"
        facts = facts_of(call("convert", source, "--to", to, "--out", out, "--json"))
        assert facts["skipped"] == (["next_sentence"] if to == "tfhub" else [])
        if to != "keras":
            lost = {"next_sentence"} if any(path.name.endswith("tfhub") for path in tmp_path.iterdir()) else ()
            same(before, out, without=lost)
        source = out
    home = load_pretrained(source)
    # How it was initialised is said by all but TF-Hub.
    assert dataclasses.replace(home.encoder.config, initializer_range=0.2) == start.encoder.config
    assert home.vocabulary == start.vocabulary
    assert home.model.nsp_head is None  # TF-Hub was on the way, and has no place for it


def test_from_files_that_other_libraries_wrote(call, tmp_path):
    """KerasHub's own preset, and ALBERT as Google's exporter writes it: what comes out computes what they do."""
    import keras_hub

    import keras_bert as kb
    from keras_bert.parity.references import run_keras_hub

    sizes = dict(vocabulary_size=60, num_layers=2, num_heads=2, hidden_dim=16, intermediate_dim=32, dropout=0.0)
    backbone = randomize(keras_hub.models.BertBackbone(**sizes, max_sequence_length=20))
    backbone.save_to_preset(tmp_path / "preset")
    ids = np.array([[2, 7, 9, 11, 3], [2, 8, 3, 0, 0]], "int32")
    rows = {"input_word_ids": ids, "input_mask": np.int32(ids > 0), "input_type_ids": np.int32(ids > 8)}
    for number, (source, to) in enumerate((("preset", "huggingface"), ("0", "google_research"), ("1", "tfhub"))):
        facts = facts_of(call("convert", tmp_path / source, "--to", to, "--out", tmp_path / str(number), "--json"))
        assert facts["parameters"] == backbone.count_params()
        encoder = kb.BertEncoder(open_source(tmp_path / str(number)).config)
        assert kb.load_weights(encoder, tmp_path / str(number)).untouched == []
        found, expected = encoder(rows), run_keras_hub(backbone, rows)
        np.testing.assert_allclose(found["pooled_output"], expected["pooled_output"], atol=5e-5)

    albert = Path(__file__).parents[1] / "weights" / "formats" / "model_garden" / "albert_tfhub"
    before = open_source(albert).parts["encoder"]
    for to in ("huggingface", "google_research", "tfhub"):
        facts_of(call("convert", albert, "--to", to, "--out", tmp_path / to, "--json"))
        after = open_source(tmp_path / to).parts["encoder"]
        assert before.keys() == after.keys()
        assert all(np.array_equal(before[name], after[name]) for name in before)


def test_how_it_is_computed_goes_along_or_is_refused(call, tmp_path):
    import keras_bert as kb
    from keras_bert.weights.formats.huggingface import save_huggingface

    config = kb.BertConfig(60, 16, 1, 2, 32, activation="gelu", layer_norm_epsilon=1e-6)
    save_huggingface(randomize(kb.BertEncoder(config)), tmp_path / "hf")
    for to in ("tfhub", "huggingface"):
        facts_of(call("convert", tmp_path / "hf", "--to", to, "--out", tmp_path / to, "--json"))
        found = open_source(tmp_path / to).config
        assert (found.activation, found.layer_norm_epsilon) == ("gelu", 1e-6)
    said = call("convert", tmp_path / "hf", "--to", "google_research", "--out", tmp_path / "google_research")
    assert said.status == 2 and said.err.count("\n") == 1 and not (tmp_path / "google_research").exists(), said.err


def contents(folder) -> dict:
    return {path: path.is_file() and path.read_bytes() for path in folder.rglob("*")}


def test_a_format_that_loses_how_it_is_computed_is_noticed_and_nothing_is_written(call, tmp_path, monkeypatch):
    import keras_bert as kb
    from keras_bert.weights.formats.huggingface import save_huggingface

    config = kb.BertConfig(60, 16, 1, 2, 32, activation="gelu")
    save_huggingface(randomize(kb.BertEncoder(config)), tmp_path / "hf")
    facts_of(call("convert", tmp_path / "hf", "--to", "tfhub", "--out", tmp_path / "stands", "--json"))
    before = contents(tmp_path)
    monkeypatch.setattr("keras_bert.weights.formats.saved_model.StoredSavedModel.asset_path", lambda self, name: None)
    for out in ("new", "stands"):
        said = call("convert", tmp_path / "hf", "--to", "tfhub", "--out", tmp_path / out)
        assert said.status == 2 and said.err.count("\n") == 1, said.err
        assert f"{out} has activation='gelu_tanh', the source has activation='gelu'" in said.err
        assert contents(tmp_path) == before


@pytest.mark.parametrize("to", ["google_research", "huggingface"])
def test_a_format_that_changes_numbers_is_noticed_and_nothing_is_written(to, call, models, tmp_path, monkeypatch):
    from keras_bert.weights.tensor_mapping import to_format

    def another(parts, tensors):
        return {name: tensor + ("pooler" in name) for name, tensor in to_format(parts, tensors).items()}

    facts_of(call("convert", models.encoder, "--to", to, "--out", tmp_path / "stands", "--json"))
    before = contents(tmp_path)
    monkeypatch.setattr(f"keras_bert.weights.formats.{to}.to_format", another)
    for out in ("new", "stands"):
        said = call("convert", models.encoder, "--to", to, "--out", tmp_path / out)
        assert said.status == 2 and said.err.count("\n") == 1, said.err
        assert "tensor pooler_transform/" in said.err and contents(tmp_path) == before


def test_a_classifier_with_its_labels(call, models, tmp_path):
    facts = facts_of(call("convert", models.classifier, "--to", "huggingface", "--out", tmp_path / "hf", "--json"))
    assert facts["kind"] == "classifier" and facts["skipped"] == []
    one, two = (
        facts_of(call("predict", "--model", folder, "a fine film", "--json"))["predictions"][0]
        for folder in (models.classifier, tmp_path / "hf")
    )
    assert one["label"] == two["label"] and one["probability"] == pytest.approx(two["probability"], abs=1e-6)


def test_what_cannot_be_converted(call, models, tmp_path):
    for source, to, words in (
        (tmp_path / "nothing", "google_research", "or an existing folder or file"),
        (models.vocab, "google_research", "saved_model.pb"),
        (models.served, "keras", "interface of TF-Hub's BERT"),
    ):
        said = call("convert", source, "--to", to, "--out", tmp_path / "out")
        assert said.status == 2 and said.err.count("\n") == 1 and words in said.err, said.err
        assert not (tmp_path / "out").exists()
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "diary.txt").write_text("dear diary")
    said = call("convert", models.encoder, "--to", "google_research", "--out", tmp_path / "mine")
    assert said.status == 2 and "bert_model.ckpt.index" in said.err
