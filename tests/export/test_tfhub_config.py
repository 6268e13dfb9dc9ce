"""What no tensor shows, the activation and the rates, travels through our TF-Hub export; no other has to say it."""

import json
import shutil

import numpy as np
import pytest
from helpers import random_inputs, randomize, tiny_config

import keras_bert as kb
from keras_bert.parity import check
from keras_bert.weights import convert, encoder_from_tfhub, load_pretrained
from keras_bert.weights.formats.huggingface import save_huggingface
from keras_bert.weights.load import open_source

OTHER = {"activation": "gelu", "layer_norm_epsilon": 1e-6, "hidden_dropout": 0.2, "attention_dropout": 0.3}
VOCABULARY = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *(f"w{i}" for i in range(95))]


@pytest.fixture(scope="module")
def pretrainer():
    config = tiny_config(initializer_range=0.05, **OTHER)
    return randomize(kb.BertPretrainer(kb.BertEncoder(config), sentence_task=None))


@pytest.fixture(scope="module")
def folder(pretrainer, tmp_path_factory):
    return kb.export_saved_model(pretrainer, tmp_path_factory.mktemp("config") / "model")


def test_the_config_and_the_outputs_come_back(pretrainer, folder):
    source = open_source(folder)
    assert source.has_full_config and source.config == pretrainer.encoder.config
    encoder, _ = encoder_from_tfhub(folder)
    assert encoder.config == pretrainer.encoder.config
    assert encoder_from_tfhub(folder, activation="relu")[0].config.activation == "relu"
    inputs = random_inputs(encoder.config)
    for key, value in pretrainer.encoder(inputs, training=False).items():
        np.testing.assert_allclose(encoder(inputs, training=False)[key], value, atol=5e-5)


def test_check_builds_the_same_model(folder):
    """The graph computes with erf and 1e-6, and so must what is built from it to be compared."""
    report = check(folder)
    assert report.passed and report.parity.worst < 5e-5


def test_from_hugging_face_and_home_again(pretrainer, tmp_path):
    vectorizer = kb.BertTextVectorization(VOCABULARY)
    save_huggingface(pretrainer, tmp_path / "theirs", vectorizer)
    convert(tmp_path / "theirs", "tfhub", tmp_path / "hub")
    convert(tmp_path / "hub", "huggingface", tmp_path / "back")
    one, two = (load_pretrained(tmp_path / name) for name in ("theirs", "back"))
    assert one.encoder.config == two.encoder.config == pretrainer.encoder.config
    inputs = random_inputs(one.encoder.config, positions=3)
    ours, theirs = (np.asarray(model(inputs, training=False)["mlm_logits"]) for model in (one.model, two.model))
    np.testing.assert_allclose(ours, theirs, atol=5e-5)


def test_a_model_that_computes_otherwise_is_not_filled(folder):
    with pytest.raises(kb.InputError, match="computes with activation='gelu'. Received: a model with .*gelu_tanh"):
        kb.load_weights(kb.BertEncoder(tiny_config()), folder)


def test_variants_that_shapes_confuse(tmp_path):
    """One block for all layers without narrow embeddings, or these without that: only the config can tell."""
    for number, changes in enumerate(({"share_blocks": True}, {"embedding_size": 8})):
        encoder = randomize(kb.BertEncoder(tiny_config(**changes)))
        back, _ = encoder_from_tfhub(kb.export_saved_model(encoder, tmp_path / str(number)))
        assert back.config == encoder.config


def test_the_interface_is_as_it_was(folder, pretrainer):
    import tensorflow as tf
    import tensorflow_hub as hub

    layer = hub.KerasLayer(str(folder), trainable=True)
    inputs = {key: tf.constant(value) for key, value in random_inputs(pretrainer.encoder.config).items()}
    assert set(layer(inputs)) == {"pooled_output", "default", "sequence_output", "encoder_outputs"}
    assert len(layer.trainable_weights) == len(pretrainer.encoder.weights)
    assert sorted(file.name for file in (folder / "assets").iterdir()) == ["keras_bert_config.json"]


def test_a_source_that_says_nothing_is_googles(reference_encoder):
    source = open_source(reference_encoder)
    assert not source.has_full_config
    assert (source.config.activation, source.config.layer_norm_epsilon) == ("gelu_tanh", 1e-12)


@pytest.mark.parametrize(
    "change, words",
    [
        (
            {"num_layers": 3},
            "of one model. Received: transformer/layer_2/.* of None, and .* by .*keras_bert_config.json",
        ),
        ({"vocab_size": 10**9}, r"word_embeddings/embeddings of \(100, 32\), and \(1000000000, 32\)"),
        ({"num_heads": 4}, "self_attention/query/kernel"),
        ({"activation": "swish"}, "activation must be one of"),
        ({"more": 1}, "a config has the fields"),
        (None, "a JSON file that can be read"),
    ],
)
def test_a_config_that_is_none_or_contradicts(change, words, folder, tmp_path):
    shutil.copytree(folder, tmp_path / "copy")
    file = tmp_path / "copy" / "assets" / "keras_bert_config.json"
    file.write_text("{" if change is None else json.dumps({**json.loads(file.read_text()), **change}))
    with pytest.raises(kb.InputError, match=words) as caught:
        encoder_from_tfhub(tmp_path / "copy")
    assert "\n" not in str(caught.value)
