"""TF-Hub's encoders: every tensor is read exactly once, and bad sources change nothing."""

import shutil

import keras
import numpy as np
import pytest

import keras_bert as kb
from keras_bert.weights import encoder_from_tfhub
from keras_bert.weights.formats.tfhub import open_tfhub, read_tensors, read_tfhub
from keras_bert.weights.formats.tfhub_config import infer_config
from tests.helpers import randomize, tiny_config


@pytest.fixture(scope="module")
def pretrainer():
    return randomize(kb.BertPretrainer(kb.BertEncoder(tiny_config(type_vocab_size=3))))


@pytest.fixture(scope="module")
def folder(pretrainer, tmp_path_factory):
    return kb.export_saved_model(pretrainer, tmp_path_factory.mktemp("tfhub") / "encoder")


@pytest.fixture(scope="module")
def loaded(folder):
    return open_tfhub(folder)


def _same(one, other):
    return all(np.array_equal(a.numpy(), b.numpy()) for a, b in zip(one.weights, other.weights, strict=True))


def test_reads_every_tensor_once(reference_encoder):
    encoder, report = encoder_from_tfhub(reference_encoder)
    variables = open_tfhub(reference_encoder).trainable_variables
    assert [(f"{name}:0", shape) for name, shape in report.tensors] == [(v.name, tuple(v.shape)) for v in variables]
    assert report.count == 39 and report.parameters == encoder.count_params() == 4387712
    assert encoder.config.to_dict() | {"num_layers": 2, "num_heads": 2, "hidden_size": 128} == encoder.config.to_dict()
    assert (encoder.config.vocab_size, encoder.config.type_vocab_size) == (30522, 16)
    for weight, variable in zip(encoder.weights, variables, strict=True):
        assert weight.numpy().std() > 0, variable.name
        assert any(np.array_equal(weight.numpy(), v.numpy()) for v in variables), variable.name


def test_masked_lm_logits(reference_encoder):
    """The head's logits with Google's weights equal those of Google's graph."""
    import tensorflow as tf

    source = open_tfhub(reference_encoder)
    pretrainer = kb.BertPretrainer(kb.BertEncoder(infer_config(read_tensors(read_tfhub(source)))))
    report = kb.load_weights(pretrainer, source)
    assert report.count == 44 and report.untouched == ["nsp_logits/kernel", "nsp_logits/bias"]
    inputs = {
        "input_word_ids": [[101, 1037, 103, 2143, 102, 0]],
        "input_mask": [[1, 1, 1, 1, 1, 0]],
        "input_type_ids": [[0, 0, 0, 1, 1, 0]],
        "masked_lm_positions": [[2, 3]],
    }
    inputs = {key: np.array(value, "int32") for key, value in inputs.items()}
    expected = source.mlm({key: tf.constant(value) for key, value in inputs.items()})["mlm_logits"].numpy()
    logits = pretrainer(inputs, training=False)["mlm_logits"].numpy()
    assert expected.std() > 0.1
    np.testing.assert_allclose(logits, expected, atol=5e-5)


def test_round_trip(pretrainer, folder):
    encoder, report = encoder_from_tfhub(folder, hidden_dropout=0.0, attention_dropout=0.0)
    assert encoder.config == pretrainer.encoder.config and _same(encoder, pretrainer.encoder)
    assert report.source == str(folder) and report.to_dict()["count"] == len(encoder.weights)
    again = kb.BertPretrainer(kb.BertEncoder(pretrainer.encoder.config), sentence_task=None)
    assert kb.load_weights(again, str(folder)).untouched == []
    assert _same(again.mlm_head, pretrainer.mlm_head) and _same(again.encoder, pretrainer.encoder)


def test_reports_untouched_head(pretrainer, tmp_path):
    source = kb.export_saved_model(pretrainer.encoder, tmp_path / "bare")
    target = kb.BertPretrainer(kb.BertEncoder(pretrainer.encoder.config))
    report = kb.load_weights(target, source)
    assert len(report.untouched) == 7 and _same(target.encoder, pretrainer.encoder)
    assert not {name for name, _ in report.tensors} & set(report.untouched)


@pytest.mark.parametrize(
    "changes, match",
    [
        ({"vocab_size": 90}, r"^`source`.*word_embeddings/embeddings .*\(90, 32\).*Received: shape=\(100, 32\)"),
        ({"num_heads": 4}, r"^`source`.*layer_0/self_attention/query/kernel .*\(32, 4, 8\).*\(32, 2, 16\)"),
        (
            {"max_position_embeddings": 8},
            r"^`source`.*position_embedding/embeddings .*\(8, 32\).*Received: shape=\(40, 32\)",
        ),
        ({"num_layers": 3}, r"^`source`.*Received: source=.*\b16\b.*layer_2"),
        ({"num_layers": 1}, r"^`source`.*Received: source=.*\b16\b.*layer_1"),
    ],
)
def test_rejects_mismatched_shapes(folder, changes, match):
    encoder = randomize(kb.BertEncoder(tiny_config(**{"type_vocab_size": 3, **changes})), seed=5)
    before = [weight.numpy() for weight in encoder.weights]
    with pytest.raises(kb.InputError, match=match) as caught:
        kb.load_weights(encoder, folder)
    assert "\n" not in str(caught.value)
    assert all(np.array_equal(old, new.numpy()) for old, new in zip(before, encoder.weights, strict=True))


def test_rejects_nan(pretrainer, tmp_path):
    encoder = randomize(kb.BertEncoder(pretrainer.encoder.config))
    bias = encoder.pooler.dense.bias
    bias.assign(np.where(np.arange(32) == 3, np.nan, bias.numpy()))
    source = kb.export_saved_model(encoder, tmp_path / "nan")
    with pytest.raises(kb.InputError, match="pooler_transform/bias"):
        encoder_from_tfhub(source)


def test_rejects_bad_sources(folder, reference_encoder, tmp_path, monkeypatch):
    import tensorflow as tf

    no_bert = tf.Module()
    no_bert.weight = tf.Variable(1.0)
    tf.saved_model.save(no_bert, str(tmp_path / "other"))
    shutil.copytree(folder, tmp_path / "cut")
    graph = tmp_path / "cut" / "saved_model.pb"
    graph.write_bytes(graph.read_bytes()[: graph.stat().st_size // 2])
    shutil.copytree(folder, tmp_path / "lost")
    (tmp_path / "lost" / "variables" / "variables.index").unlink()
    (tmp_path / "empty").mkdir()
    sources = {
        tmp_path / "nowhere": "^`source`.*Received: source=.*nowhere",
        tmp_path / "empty": "^`source`.*Received: source=.*empty",
        tmp_path / "other": "^`source`.*Received: source=.*other",
        tmp_path / "cut": "^`source`.*Received: source=.*cut",
        tmp_path / "lost": "^`source`.*Received: source=.*lost",
        graph: "^`source`.*Received: source=.*saved_model.pb",
        "nonsense://a/b": "^`source`.*Received: source=nonsense://a/b",
        "https://127.0.0.1:9/tensorflow/bert_en_uncased_L-12_H-768_A-12/4": "^`source`.*Received: source=https://127.0.0.1:9/",
    }
    monkeypatch.setenv("TFHUB_CACHE_DIR", str(tmp_path / "cache"))
    for source, match in sources.items():
        with pytest.raises(kb.InputError, match=match) as caught:
            encoder_from_tfhub(source)
        assert "\n" not in str(caught.value) and str(source) in str(caught.value)


def test_rejects_preprocessing_model(reference_encoder):
    with pytest.raises(kb.InputError, match="^`source`.*Received: source="):
        open_tfhub(reference_encoder.parent / "bert_en_uncased_preprocess")


def test_loads_encoder_of_classifier(pretrainer, folder):
    classifier = kb.BertClassifier(kb.BertEncoder(pretrainer.encoder.config))
    head = classifier.head.get_weights()
    report = kb.load_weights(classifier, folder)
    assert _same(classifier.encoder, pretrainer.encoder)
    assert report.untouched == ["logits/kernel", "logits/bias"] and report.skipped == ["masked_lm"]
    assert all(np.array_equal(a, b) for a, b in zip(head, classifier.head.get_weights(), strict=True))
    with pytest.raises(kb.InputError, match="^`model`.*BertEncoder, .*Received: Dense"):
        kb.load_weights(keras.layers.Dense(2), folder)
