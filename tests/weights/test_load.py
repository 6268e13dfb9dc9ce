"""One door to what ships, to TF-Hub's interface and to our own folders."""

import numpy as np
import pytest
from helpers import random_inputs, randomize, tiny_config

import keras_bert as kb
from keras_bert.catalog.bundled import ENCODER, SENTIMENT

VOCABULARY = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *(f"w{i}" for i in range(95))]


@pytest.fixture(scope="module")
def vectorizer():
    return kb.BertTextVectorization(VOCABULARY, lowercase=False)


@pytest.fixture(scope="module")
def pretrainer():
    return randomize(kb.BertPretrainer(kb.BertEncoder(tiny_config()), sentence_task=None))


@pytest.fixture
def shipped(pretrainer, vectorizer, tmp_path, monkeypatch):
    """A `saved_models/` with a model of random weights in it."""
    monkeypatch.setattr("keras_bert.catalog.bundled.SAVED_MODELS", tmp_path)
    return kb.export_saved_model(pretrainer, tmp_path / ENCODER, vectorizer, interface="tfhub")


def test_what_ships_comes_back_with_its_head_and_vocabulary(shipped, pretrainer):
    back = kb.load_pretrained(ENCODER)
    assert (back.kind, back.vocabulary, back.lowercase) == ("pretrainer", VOCABULARY, False)
    assert back.vectorizer(["w3"])["input_word_ids"].numpy().tolist() == [[2, 8, 3]]
    inputs = random_inputs(pretrainer.encoder.config, positions=3)
    ours, theirs = (np.asarray(model(inputs)["mlm_logits"]) for model in (back.model, pretrainer))
    np.testing.assert_array_equal(ours, theirs)
    encoder = kb.BertEncoder.from_pretrained(ENCODER)
    assert encoder.config.num_layers == 2
    for one, other in zip(encoder.weights, pretrainer.encoder.weights, strict=True):
        np.testing.assert_array_equal(one, other)


def test_an_encoder_alone_and_a_source_without_a_vocabulary(pretrainer, vectorizer, tmp_path):
    kb.export_saved_model(pretrainer.encoder, tmp_path / "with", vectorizer, interface="tfhub")
    assert kb.load_pretrained(tmp_path / "with").kind == "encoder"
    kb.export_saved_model(pretrainer.encoder, tmp_path / "without")
    with pytest.raises(kb.InputError, match="holds its vocabulary .* without one"):
        kb.load_pretrained(tmp_path / "without")


def test_a_folder_of_that_name_comes_first(vectorizer, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    kb.save_pretrained(kb.BertEncoder(tiny_config(num_layers=1)), ENCODER, vectorizer)
    assert kb.load_pretrained(ENCODER).encoder.config.num_layers == 1


@pytest.mark.parametrize(
    ("name", "said"),
    [
        (ENCODER, "comes with a clone .* elsewhere give a model's folder"),
        (SENTIMENT, "an encoder is expected; sst2_sentiment is a served graph"),
        ("bert_of_nobody", "Received: bert_of_nobody, not a folder"),
    ],
)
def test_what_is_not_there(name, said, tmp_path, monkeypatch):
    monkeypatch.setattr("keras_bert.catalog.bundled.SAVED_MODELS", tmp_path)
    with pytest.raises(kb.InputError, match=said):
        kb.load_pretrained(name)


def test_the_list_names_what_ships_and_what_is_fetched(shipped, monkeypatch):
    listed = kb.list_pretrained()
    assert [(each.name, each.source) for each in listed if each.ships] == [(ENCODER, str(shipped))]  # and no other
    fetched = {each.name: each.source for each in listed if not each.ships}
    assert set(fetched) == set(kb.PRESETS)
    asked = []
    monkeypatch.setattr("keras_bert.weights.formats.tfhub._download", lambda handle: asked.append(handle) or 1 / 0)
    for name in ("bert_en_uncased_L-12_H-768_A-12", "small_bert/bert_en_uncased_L-2_H-128_A-2"):
        with pytest.raises(ZeroDivisionError):
            kb.load_pretrained(name)
    assert asked == [
        "https://tfhub.dev/tensorflow/bert_en_uncased_L-12_H-768_A-12/4",
        "https://tfhub.dev/tensorflow/small_bert/bert_en_uncased_L-2_H-128_A-2/2",
    ]
