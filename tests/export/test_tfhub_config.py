"""Config fields that tensors do not show, such as the activation, are kept by an export with TF-Hub's interface."""

import json
import shutil

import numpy as np
import pytest

import keras_bert as kb
from keras_bert.parity import check
from keras_bert.weights import convert, encoder_from_tfhub, load_pretrained
from keras_bert.weights.formats.huggingface import save_huggingface
from keras_bert.weights.load import open_source
from tests.helpers import random_inputs, randomize, tiny_config

OTHER = {"activation": "gelu", "layer_norm_epsilon": 1e-6, "hidden_dropout": 0.2, "attention_dropout": 0.3}
VOCABULARY = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *(f"w{i}" for i in range(95))]


@pytest.fixture(scope="module")
def pretrainer():
    config = tiny_config(initializer_range=0.05, **OTHER)
    return randomize(kb.BertPretrainer(kb.BertEncoder(config), sentence_task=None))


@pytest.fixture(scope="module")
def folder(pretrainer, tmp_path_factory):
    return kb.export_saved_model(pretrainer, tmp_path_factory.mktemp("config") / "model")


def test_config_and_outputs_are_kept(pretrainer, folder):
    source = open_source(folder)
    assert source.has_full_config and source.config == pretrainer.encoder.config
    encoder, _ = encoder_from_tfhub(folder)
    assert encoder.config == pretrainer.encoder.config
    assert encoder_from_tfhub(folder, activation="relu")[0].config.activation == "relu"
    inputs = random_inputs(encoder.config)
    for key, value in pretrainer.encoder(inputs, training=False).items():
        np.testing.assert_allclose(encoder(inputs, training=False)[key], value, atol=5e-5)


def test_check_builds_the_same_model(folder):
    """The encoder that `check` builds has the exact GELU and epsilon 1e-6, as the graph does."""
    report = check(folder)
    assert report.passed and report.parity.worst < 5e-5


def test_round_trip_through_hugging_face(pretrainer, tmp_path):
    vectorizer = kb.BertTextVectorization(VOCABULARY)
    save_huggingface(pretrainer, tmp_path / "first", vectorizer)
    convert(tmp_path / "first", "tfhub", tmp_path / "hub")
    convert(tmp_path / "hub", "huggingface", tmp_path / "back")
    one, two = (load_pretrained(tmp_path / name) for name in ("first", "back"))
    assert one.encoder.config == two.encoder.config == pretrainer.encoder.config
    inputs = random_inputs(one.encoder.config, positions=3)
    logits = [np.asarray(model(inputs, training=False)["mlm_logits"]) for model in (one.model, two.model)]
    np.testing.assert_allclose(*logits, atol=5e-5)


def test_rejects_another_activation(folder):
    with pytest.raises(kb.InputError, match="^`model`.*activation='gelu'.*Received: activation='gelu_tanh'"):
        kb.load_weights(kb.BertEncoder(tiny_config()), folder)


def test_variants_with_ambiguous_shapes(tmp_path):
    """Shared blocks without factorized embeddings, and the reverse: the shapes are those of other models."""
    for number, changes in enumerate(({"share_blocks": True}, {"embedding_size": 8})):
        encoder = randomize(kb.BertEncoder(tiny_config(**changes)))
        back, _ = encoder_from_tfhub(kb.export_saved_model(encoder, tmp_path / str(number)))
        assert back.config == encoder.config


def test_runs_as_hub_keras_layer(folder, pretrainer):
    import tensorflow as tf
    import tensorflow_hub as hub

    layer = hub.KerasLayer(str(folder), trainable=True)
    inputs = {key: tf.constant(value) for key, value in random_inputs(pretrainer.encoder.config).items()}
    assert set(layer(inputs)) == {"pooled_output", "default", "sequence_output", "encoder_outputs"}
    assert len(layer.trainable_weights) == len(pretrainer.encoder.weights)
    assert sorted(file.name for file in (folder / "assets").iterdir()) == ["keras_bert_config.json"]


def test_default_config_of_google(reference_encoder):
    source = open_source(reference_encoder)
    assert not source.has_full_config
    assert (source.config.activation, source.config.layer_norm_epsilon) == ("gelu_tanh", 1e-12)


@pytest.mark.parametrize(
    "change, message",
    [
        (
            {"num_layers": 3},
            "^`source`.*transformer/layer_2/.*keras_bert_config.json.*Received: shape=None",
        ),
        (
            {"vocab_size": 10**9},
            r"^`source`.*word_embeddings/embeddings .*\(1000000000, 32\).*Received: shape=\(100, 32\)",
        ),
        ({"num_heads": 4}, "^`source`.*self_attention/query/kernel"),
        ({"activation": "swish"}, "^`activation`.*Received: activation='swish'"),
        ({"more": 1}, "^`values`.*Received: more"),
        (None, "^`path`.*Received: path=.*keras_bert_config.json"),
    ],
)
def test_rejects_wrong_config_files(change, message, folder, tmp_path):
    shutil.copytree(folder, tmp_path / "copy")
    file = tmp_path / "copy" / "assets" / "keras_bert_config.json"
    file.write_text("{" if change is None else json.dumps({**json.loads(file.read_text()), **change}))
    with pytest.raises(kb.InputError, match=message) as caught:
        encoder_from_tfhub(tmp_path / "copy")
    assert "\n" not in str(caught.value)
