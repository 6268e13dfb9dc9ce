"""The comparison sees what a BERT can get wrong, and ours gets none of it wrong."""

import dataclasses
import json

import keras
import numpy as np
import pytest
from helpers import random_inputs, randomize, tiny_config

import keras_bert as kb
from keras_bert.parity import check, parity_inputs
from keras_bert.parity import published_outputs as published
from keras_bert.weights import encoder_from_tfhub, to_keras_hub
from keras_bert.weights.formats.tfhub import open_tfhub


@pytest.fixture(scope="module")
def google(reference_encoder):
    return open_tfhub(reference_encoder)


@pytest.fixture(scope="module")
def encoder():
    return randomize(kb.BertEncoder(tiny_config(num_layers=3)))


def test_check_passes_on_googles_export(reference_encoder):
    report = check(reference_encoder)
    facts = json.loads(json.dumps(report.to_dict()))
    assert facts["passed"] and facts["parameters"] == 4387712 and facts["tensors"] == 39
    assert set(facts["max_abs_difference"]) == {"sequence_output", "pooled_output", "encoder_outputs"}
    assert len(facts["max_abs_difference"]["encoder_outputs"]) == 2 and 0 < report.parity.worst < 2e-5
    assert facts["examples"] == 15 and "not checked" in facts["published_note"]


@pytest.mark.parametrize(
    "change", [{"activation": "gelu"}, {"layer_norm_epsilon": 1e-4}], ids=["exact gelu", "another epsilon"]
)
def test_a_wrong_config_is_seen(google, change):
    encoder, _ = encoder_from_tfhub(google, **change)
    assert not kb.compare(encoder, google, parity_inputs(encoder.config)).passed


def test_wrong_weights_are_seen(google):
    encoder, _ = encoder_from_tfhub(google)
    bias = encoder.blocks[1].attention.value_dense.bias
    bias.assign(bias.numpy() + 1e-3)
    parity = kb.compare(encoder, google, parity_inputs(encoder.config))
    assert not parity.passed
    assert parity.max_abs_difference["encoder_outputs"][0] < 5e-5 < parity.max_abs_difference["encoder_outputs"][1]


@pytest.mark.parametrize("key", ["input_mask", "input_type_ids"])
def test_the_inputs_show_a_wrong_mask_or_segment(encoder, key):
    """A reference that ignores one input differs on the inputs that the check makes: they exercise it."""
    inputs = parity_inputs(encoder.config, sequence_length=24)
    wrong = {**inputs, key: np.ones_like(inputs[key]) if key == "input_mask" else np.zeros_like(inputs[key])}
    ours, theirs = (keras.ops.convert_to_numpy(encoder(x)["pooled_output"]) for x in (inputs, wrong))
    assert np.abs(ours - theirs).max() > 1e-2


def test_keras_hub_agrees_layer_by_layer(encoder):
    backbone = to_keras_hub(encoder)
    assert backbone.count_params() == encoder.count_params()
    parity = kb.compare(encoder, backbone, random_inputs(encoder.config))
    assert parity.passed and len(parity.max_abs_difference["encoder_outputs"]) == 3
    backbone.get_layer("transformer_layer_2")._feedforward_output_dense.bias.assign(np.ones(32))
    parity = kb.compare(encoder, backbone, random_inputs(encoder.config))
    assert not parity.passed and parity.max_abs_difference["encoder_outputs"][1] < 5e-5


@pytest.mark.parametrize(
    "field, value", [("activation", "gelu"), ("layer_norm_epsilon", 1e-6), ("hidden_dropout", 0.2)]
)
def test_keras_hub_cannot_hold_another_bert(field, value):
    with pytest.raises(kb.InputError, match="KerasHub's BERT has"):
        to_keras_hub(kb.BertEncoder(tiny_config(**{field: value})))


def test_a_nan_never_passes(encoder):
    broken = randomize(kb.BertEncoder(encoder.config))
    broken.pooler.dense.bias.assign(np.full(32, np.nan))
    for one, other in ((encoder, broken), (broken, encoder), (broken, broken)):
        parity = kb.compare(one, other, random_inputs(encoder.config))
        assert not parity.passed and np.isnan(parity.worst)
    assert not dataclasses.replace(parity, max_abs_difference={"pooled_output": float("inf")}).passed


def test_difference_is_what_numpy_says(encoder):
    other, inputs = randomize(kb.BertEncoder(encoder.config), seed=9), random_inputs(encoder.config)
    parity = kb.compare(encoder, other, inputs, tolerance=100.0)
    apart = np.abs(encoder(inputs)["pooled_output"].numpy() - other(inputs)["pooled_output"].numpy())
    np.testing.assert_allclose(parity.max_abs_difference["pooled_output"], apart.max(), rtol=1e-6)
    np.testing.assert_allclose(parity.mean_abs_difference["pooled_output"], apart.mean(), rtol=1e-6)
    assert parity.passed and parity.to_dict()["passed"] is True and parity.examples == 3


def test_what_cannot_be_compared(encoder):
    inputs = random_inputs(encoder.config)
    dense = keras.Sequential([keras.Input((3,)), keras.layers.Dense(1)])
    cases = [
        (dense, inputs, "a reference Keras model takes"),
        (42, inputs, "TF-Hub model or a Keras model"),
        (kb.BertEncoder(tiny_config(num_layers=2)), inputs, "as many layers"),
        (kb.BertEncoder(tiny_config(num_layers=3, hidden_size=16)), inputs, "must have one shape"),
        (encoder, {"input_word_ids": inputs["input_word_ids"]}, "no input_mask, input_type_ids"),
        (kb.BertClassifier(encoder), inputs, "a reference gives a dict"),
    ]
    for reference, given, words in cases:
        with pytest.raises(kb.InputError, match=words):
            kb.compare(encoder, reference, given)


def test_parity_inputs_stay_within_the_encoder():
    vectorizer = kb.BertTextVectorization(
        ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "a", "film"], sequence_length=None
    )
    config = tiny_config(vocab_size=7, max_position_embeddings=16, type_vocab_size=1)
    inputs = parity_inputs(config, vectorizer)
    assert {value.shape for value in inputs.values()} == {(15, 16)}
    assert {value.dtype for value in inputs.values()} == {np.dtype("int32")}
    assert inputs["input_word_ids"].max() < 7 and inputs["input_mask"].sum(axis=1).min() == 1
    assert parity_inputs(tiny_config())["input_type_ids"].max() == 1
    with pytest.raises(kb.InputError, match="must fit the encoder's vocab_size=5"):
        parity_inputs(tiny_config(vocab_size=5), vectorizer)


# What others published of the L-12 model. The weights need network; reading and comparing do not.
FACTS = """[
 {"cell_source": "text_test = ['a film','a']\\ntext_preprocessed = model(text_test)", "output": ""},
 {"cell_source": "text_preprocessed['input_word_ids']", "output": "<tf.Tensor: numpy=\\narray([[2, 5],\\n [2, 6]])>"},
 {"cell_source": "bert_results['pooled_output']",
  "output": "<tf.Tensor: numpy=\\narray([[-1. ,  .5, ...,  2e-01],\\n [3, 4., ..., 5.]], dtype=float32)>"},
 {"cell_source": "bert_results['encoder_outputs']",
  "output": "[<tf.Tensor: array([[[1., ..., 2.],\\n ...,\\n [3., ..., 4.]]])>, <tf.Tensor: array([[[5., ..., 6.]]])>]"}
]"""


def test_printed_values_are_read(tmp_path):
    (tmp_path / published.NOTEBOOK).write_text(FACTS)
    facts = published.read_facts(tmp_path)
    assert facts["texts"] == ["a film", "a"]
    assert facts["input_word_ids"].tolist() == [[2, 5], [2, 6]]
    assert facts["pooled_output"].tolist() == [[-1.0, 0.5, 0.2], [3.0, 4.0, 5.0]]
    assert [layer.tolist() for layer in facts["encoder_outputs"]] == [[[[1.0, 2.0], [3.0, 4.0]]], [[[5.0, 6.0]]]]


@pytest.mark.parametrize(
    "source, expected",
    [
        ("https://tfhub.dev/tensorflow/bert_en_uncased_L-12_H-768_A-12/4", True),
        ("https://www.kaggle.com/models/tensorflow/bert/TensorFlow2/bert-en-uncased-l-12-h-768-a-12/4", True),
        ("https://tfhub.dev/tensorflow/bert_en_uncased_L-24_H-1024_A-16/4", False),
        ("bert_en_uncased_L-12_H-768_A-12", False),
    ],
)
def test_the_published_model_is_known_by_its_handle(source, expected):
    assert published.is_published(source) is expected


def test_real_published_values(shared_data, monkeypatch):
    """They are read whole, the ids are ours to the last, and a model that is not theirs does not pass."""
    monkeypatch.setenv("KERAS_BERT_DATA", str(shared_data.parent))
    facts = published.read_facts(published.find_facts())
    assert facts["sequence_output"].shape == (2, 6, 6) and len(facts["encoder_outputs"]) == 12
    np.testing.assert_array_equal(facts["encoder_outputs"][-1], facts["sequence_output"])
    assert facts["pooled_output"][1].tolist() == [
        -0.9171231,
        -0.4793518,
        -0.78656995,
        -0.6175177,
        -0.7102687,
        0.92184293,
    ]
    config = tiny_config(vocab_size=30522, num_layers=12, max_position_embeddings=128)
    vectorizer = kb.BertTextVectorization(shared_data / "vocab" / "bert_en_uncased.txt", sequence_length=128)
    encoder = kb.BertEncoder(config)
    result = published.check_published(encoder, vectorizer, facts)
    assert result["ids_equal"] and not result["passed"] and len(result["max_abs_difference"]) == 14
    # The same values, taken from this encoder as numpy would print them, pass.
    inputs = {key: facts[key].astype("int32") for key in published.KEYS}
    ends = published.ENDS
    own = {key: value.numpy()[..., ends] for key, value in encoder(inputs).items()}
    facts["pooled_output"] = own["pooled_output"]
    facts["sequence_output"] = own["sequence_output"][:, ends]
    facts["encoder_outputs"] = [own[f"encoder_outputs_{i}"][:, ends] for i in range(12)]
    assert published.check_published(encoder, vectorizer, facts)["passed"]
    facts["texts"] = ["something else", "I love python programming"]
    assert not published.check_published(encoder, vectorizer, facts)["passed"]


def test_published_values_that_are_not_there(encoder, tmp_path, monkeypatch):
    monkeypatch.delenv("KERAS_BERT_DATA", raising=False)
    report = check(kb.export_saved_model(encoder, tmp_path / "ours"), encoder, published=True)
    assert report.passed and report.published is None and "set KERAS_BERT_DATA" in report.published_note
    assert report.weights is None and report.to_dict()["tensors"] is None
