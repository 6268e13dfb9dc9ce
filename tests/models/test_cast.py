"""`cast_model`: other dtype policies with the same weights."""

import pytest

import keras_bert as kb
from keras_bert.models.cast import cast_model
from tests.helpers import assert_close, random_inputs, randomize, tiny_config

MODELS = {
    "encoder": lambda encoder: encoder,
    "pretrainer": kb.BertPretrainer,
    "classifier": lambda encoder: kb.BertClassifier(encoder, 3, dropout=0.2, problem_type="multi_label"),
    "feature_classifier": lambda encoder: kb.BertFeatureClassifier(encoder, 3),
}


@pytest.mark.parametrize("name", MODELS)
def test_bfloat16_stores_weights_in_bfloat16(name):
    model = randomize(MODELS[name](kb.BertEncoder(tiny_config())))
    cast = cast_model(model, "bfloat16")
    assert type(cast) is type(model) and cast.dtype_policy.name == "bfloat16"
    encoder = getattr(cast, "encoder", cast)
    assert {weight.dtype for weight in encoder.weights} == {"bfloat16"}
    inputs = random_inputs(encoder.config, positions=2 if name == "pretrainer" else 0)
    assert_close(cast(inputs), model(inputs), 0.3)
    assert model.dtype_policy.name == "float32"


def test_same_policy_returns_the_model():
    model = kb.BertClassifier(kb.BertEncoder(tiny_config()))
    assert cast_model(model, "float32") is model
    assert cast_model(model, "mixed_bfloat16") is not model


def test_keeps_the_arguments_of_the_head():
    model = MODELS["classifier"](kb.BertEncoder(tiny_config(), dtype="mixed_bfloat16"))
    cast = cast_model(model, "float32")
    assert (cast.num_classes, cast.dropout_rate, cast.problem_type) == (3, 0.2, "multi_label")
    assert cast.head.dtype_policy.name == cast.dtype_policy.name == "float32"
