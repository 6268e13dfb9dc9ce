"""Loading by name, from folders and from handles."""

import numpy as np
import pytest

import keras_bert as kb
from keras_bert.catalog.bundled import ENCODER, SENTIMENT
from tests.helpers import random_inputs, randomize, tiny_config

VOCABULARY = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *(f"w{i}" for i in range(95))]


@pytest.fixture(scope="module")
def vectorizer():
    return kb.BertTextVectorization(VOCABULARY, lowercase=False)


@pytest.fixture(scope="module")
def pretrainer():
    return randomize(kb.BertPretrainer(kb.BertEncoder(tiny_config()), sentence_task=None))


@pytest.fixture
def bundled(pretrainer, vectorizer, tmp_path, monkeypatch):
    """A folder of bundled models that contains an encoder with random weights."""
    monkeypatch.setattr("keras_bert.catalog.bundled.SAVED_MODELS", tmp_path)
    return kb.export_saved_model(pretrainer, tmp_path / ENCODER, vectorizer, interface="tfhub")


def test_load_bundled_model(bundled, pretrainer):
    back = kb.load_pretrained(ENCODER)
    assert (back.kind, back.vocabulary, back.lowercase) == ("pretrainer", VOCABULARY, False)
    assert back.vectorizer(["w3"])["input_word_ids"].numpy().tolist() == [[2, 8, 3]]
    inputs = random_inputs(pretrainer.encoder.config, positions=3)
    logits, expected = (np.asarray(model(inputs)["mlm_logits"]) for model in (back.model, pretrainer))
    np.testing.assert_array_equal(logits, expected)
    assert kb.load_weights(kb.BertEncoder(back.encoder.config), ENCODER).untouched == []
    encoder = kb.BertEncoder.from_pretrained(ENCODER)
    assert encoder.config.num_layers == 2
    for one, other in zip(encoder.weights, pretrainer.encoder.weights, strict=True):
        np.testing.assert_array_equal(one, other)


def test_requires_vocabulary(pretrainer, vectorizer, tmp_path):
    kb.export_saved_model(pretrainer.encoder, tmp_path / "with", vectorizer, interface="tfhub")
    assert kb.load_pretrained(tmp_path / "with").kind == "encoder"
    kb.export_saved_model(pretrainer.encoder, tmp_path / "without")
    with pytest.raises(kb.InputError, match="^`source`.*Received: source=.*without"):
        kb.load_pretrained(tmp_path / "without")


def test_prefers_folder_to_name(vectorizer, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    kb.save_pretrained(kb.BertEncoder(tiny_config(num_layers=1)), ENCODER, vectorizer)
    assert kb.load_pretrained(ENCODER).encoder.config.num_layers == 1


@pytest.mark.parametrize(
    ("name", "match"),
    [
        (ENCODER, f"^`name`.*Received: name={ENCODER}"),
        (SENTIMENT, f"^`name`.*Received: name={SENTIMENT}"),
        (
            "bert_en_uncased_minl",
            r"^`source`.*Received: source=bert_en_uncased_minl\b.*bert_en_uncased_mini\b.*`kb.list_pretrained",
        ),
        ("unknown", "^`source`.*Received: source=unknown.*`kb.list_pretrained"),
    ],
)
def test_rejects_unknown_names(name, match, tmp_path, monkeypatch):
    monkeypatch.setattr("keras_bert.catalog.bundled.SAVED_MODELS", tmp_path)
    with pytest.raises(kb.InputError, match=match):
        kb.load_pretrained(name)
    with pytest.raises(kb.InputError, match=match):
        kb.load_weights(kb.BertEncoder(tiny_config()), name)


def test_list_pretrained(bundled, monkeypatch):
    listed = kb.list_pretrained()
    assert [(each.name, each.source) for each in listed if each.bundled] == [(ENCODER, str(bundled))]
    assert set(kb.PRESETS) < {each.name for each in listed if not each.bundled}
    handles = []
    monkeypatch.setattr("keras_bert.weights.formats.tfhub._download", lambda handle: handles.append(handle) or 1 / 0)
    for name in ("bert_en_uncased_L-12_H-768_A-12", "small_bert/bert_en_uncased_L-2_H-128_A-2"):
        with pytest.raises(ZeroDivisionError):
            kb.load_pretrained(name)
        with pytest.raises(ZeroDivisionError):
            kb.load_weights(kb.BertEncoder(tiny_config()), name.removeprefix("small_bert/"))
    assert handles == [
        *2 * ["https://tfhub.dev/tensorflow/bert_en_uncased_L-12_H-768_A-12/4"],
        *2 * ["https://tfhub.dev/tensorflow/small_bert/bert_en_uncased_L-2_H-128_A-2/2"],
    ]
