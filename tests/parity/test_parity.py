"""compare, check and parity_inputs: they detect the mistakes that a BERT can have."""

import dataclasses
import json

import keras
import numpy as np
import pytest

import keras_bert as kb
from keras_bert.parity import check, parity_inputs
from keras_bert.weights import encoder_from_tfhub, to_keras_hub
from keras_bert.weights.formats.tfhub import open_tfhub
from tests.helpers import random_inputs, randomize, tiny_config


@pytest.fixture(scope="module")
def google_encoder(reference_encoder):
    return open_tfhub(reference_encoder)


@pytest.fixture(scope="module")
def encoder():
    return randomize(kb.BertEncoder(tiny_config(num_layers=3)))


@pytest.mark.slow
def test_check_passes_on_google_export(reference_encoder):
    report = check(reference_encoder)
    facts = json.loads(json.dumps(report.to_dict()))
    assert facts["passed"] and facts["parameters"] == 4387712 and facts["tensors"] == 39
    assert set(facts["max_abs_difference"]) == {"sequence_output", "pooled_output", "encoder_outputs"}
    assert len(facts["max_abs_difference"]["encoder_outputs"]) == 2 and 0 < report.parity.worst < 2e-5
    assert facts["examples"] == 15 and "not compared" in facts["published_note"]


@pytest.mark.parametrize(
    "change", [{"activation": "gelu"}, {"layer_norm_epsilon": 1e-4}], ids=["exact GELU", "epsilon"]
)
def test_detects_wrong_config(google_encoder, change):
    encoder, _ = encoder_from_tfhub(google_encoder, **change)
    assert not kb.compare(encoder, google_encoder, parity_inputs(encoder.config)).passed


def test_detects_wrong_weights(google_encoder):
    encoder, _ = encoder_from_tfhub(google_encoder)
    bias = encoder.blocks[1].attention.value_dense.bias
    bias.assign(bias.numpy() + 1e-3)
    parity = kb.compare(encoder, google_encoder, parity_inputs(encoder.config))
    assert not parity.passed
    assert parity.max_abs_difference["encoder_outputs"][0] < 5e-5 < parity.max_abs_difference["encoder_outputs"][1]


@pytest.mark.parametrize("key", ["input_mask", "input_type_ids"])
def test_inputs_depend_on_mask_and_segments(encoder, key):
    """A reference that ignores one input has other outputs on the inputs of the check."""
    inputs = parity_inputs(encoder.config, sequence_length=24)
    wrong = {**inputs, key: np.ones_like(inputs[key]) if key == "input_mask" else np.zeros_like(inputs[key])}
    outputs = [keras.ops.convert_to_numpy(encoder(x)["pooled_output"]) for x in (inputs, wrong)]
    assert np.abs(outputs[0] - outputs[1]).max() > 1e-2


def test_compares_layers_with_keras_hub(encoder):
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
def test_to_keras_hub_rejects_other_computations(field, value):
    with pytest.raises(kb.InputError, match=f"`encoder`.*{field.removeprefix('hidden_')}"):
        to_keras_hub(kb.BertEncoder(tiny_config(**{field: value})))


def test_nan_never_passes(encoder):
    broken = randomize(kb.BertEncoder(encoder.config))
    broken.pooler.dense.bias.assign(np.full(32, np.nan))
    for one, other in ((encoder, broken), (broken, encoder), (broken, broken)):
        parity = kb.compare(one, other, random_inputs(encoder.config))
        assert not parity.passed and np.isnan(parity.worst)
    assert not dataclasses.replace(parity, max_abs_difference={"pooled_output": float("inf")}).passed


def test_differences_match_numpy(encoder):
    other, inputs = randomize(kb.BertEncoder(encoder.config), seed=9), random_inputs(encoder.config)
    parity = kb.compare(encoder, other, inputs, tolerance=100.0)
    difference = np.abs(encoder(inputs)["pooled_output"].numpy() - other(inputs)["pooled_output"].numpy())
    np.testing.assert_allclose(parity.max_abs_difference["pooled_output"], difference.max(), rtol=1e-6)
    np.testing.assert_allclose(parity.mean_abs_difference["pooled_output"], difference.mean(), rtol=1e-6)
    assert parity.passed and parity.to_dict()["passed"] is True and parity.examples == 3


@keras.saving.register_keras_serializable("tests")
class AddWhere(keras.layers.Layer):
    """Add a number to a `[B, T, H]` output where the mask has a value."""

    def __init__(self, amount, where, **kwargs):
        super().__init__(**kwargs)
        self.amount, self.where = amount, where

    def call(self, output, mask):
        return keras.ops.where((mask == self.where)[..., None], output + self.amount, output)


def with_error(encoder, amount, where):
    """Return the encoder as a functional model whose layer outputs are wrong where the mask is `where`."""
    add, mask = AddWhere(amount, where), encoder.input["input_mask"]
    outputs = {key: add(x, mask) if len(x.shape) == 3 else x for key, x in encoder(encoder.input).items()}
    return keras.Model(encoder.input, outputs)


@pytest.mark.parametrize("amount", [0.5, np.nan], ids=str)
def test_padding_does_not_count(encoder, amount):
    """MiniLM differs from transformers by 1.1e-4 at padding and by 6.6e-6 at tokens."""
    inputs = random_inputs(encoder.config)
    inputs["input_mask"][1, 2] = 0  # a hole inside a text is padding too
    parity = kb.compare(encoder, with_error(encoder, amount, where=0), inputs)
    assert parity.passed and parity.worst < 5e-6
    padding = parity.padding_max_abs_difference
    assert set(padding) == {"sequence_output", "encoder_outputs"} and len(padding["encoder_outputs"]) == 3
    np.testing.assert_allclose([padding["sequence_output"], *padding["encoder_outputs"]], amount, atol=1e-5)
    assert not kb.compare(encoder, with_error(encoder, amount, where=1), inputs).passed


def test_tokens_without_padding(encoder):
    inputs = random_inputs(encoder.config)
    inputs["input_mask"][:] = 1
    parity = kb.compare(encoder, with_error(encoder, 0.5, where=0), inputs)
    assert parity.passed and parity.padding_max_abs_difference == {}
    with pytest.raises(kb.InputError, match="^`inputs`.*input_mask"):
        kb.compare(encoder, encoder, {**inputs, "input_mask": 0 * inputs["input_mask"]})


@pytest.mark.peers
@pytest.mark.slow
def test_check_passes_on_minilm(minilm):
    report = check(minilm)
    assert report.passed and report.parity.worst < 5e-5 and "transformers" in report.reference
    assert max(report.parity.padding_max_abs_difference["encoder_outputs"]) > report.parity.worst


def test_rejects_wrong_references(encoder):
    inputs = random_inputs(encoder.config)
    dense = keras.Sequential([keras.Input((3,)), keras.layers.Dense(1)])
    cases = [
        (dense, inputs, "^`reference`.*Received: sequential"),
        (42, inputs, "`reference`.*Received: int"),
        (kb.BertEncoder(tiny_config(num_layers=2)), inputs, r"^`reference`.*Received: 2\b"),
        (kb.BertEncoder(tiny_config(num_layers=3, hidden_size=16)), inputs, r"^`reference`.*Received: .*\(3, 12, 16\)"),
        (encoder, {"input_word_ids": inputs["input_word_ids"]}, "^`inputs`.*Received: .*input_mask, input_type_ids"),
        (kb.BertClassifier(encoder), inputs, "^`reference`.*Received: ndarray"),
    ]
    for reference, given, message in cases:
        with pytest.raises(kb.InputError, match=message):
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
    with pytest.raises(kb.InputError, match="`vectorizer`.*vocab_size=5"):
        parity_inputs(tiny_config(vocab_size=5), vectorizer)
