"""The encoder with the configs of DistilBERT and ALBERT, compared with that of BERT."""

import keras
import numpy as np
import pytest

import keras_bert as kb
from keras_bert import ops
from keras_bert.training.freezing import freeze
from tests.helpers import assert_close, tiny_config, to_numpy

VARIANTS = {
    "BERT": {},
    "DistilBERT": {"type_vocab_size": 0, "pooler": False},
    "ALBERT": {"embedding_size": 8, "share_blocks": True},
}
SIZES = dict(vocab_size=60, hidden_size=16, num_layers=3, intermediate_size=32, max_position_embeddings=12)
IDS = np.array([[2, 7, 9, 11, 3], [2, 8, 3, 0, 0]], "int32")  # [B, T]
INPUTS = {"input_word_ids": IDS, "input_mask": np.int32(IDS > 0), "input_type_ids": np.int32(IDS == 3)}
variants = pytest.mark.parametrize("variant", VARIANTS)


def make_encoder(variant, **arguments):
    """Return an encoder of three layers whose weights differ from their initial values."""
    keras.utils.set_random_seed(1)
    encoder = kb.BertEncoder(tiny_config(**SIZES, **VARIANTS[variant]), **arguments)
    rng = np.random.default_rng(0)
    for weight in encoder.weights:
        weight.assign(keras.ops.convert_to_numpy(weight) + rng.normal(0, 0.2, weight.shape))
    return encoder


@pytest.mark.slow
@pytest.mark.parametrize(
    ("changes", "parameters"),
    [  # those of AlbertModel and DistilBertModel of transformers
        ({"type_vocab_size": 0, "pooler": False, "num_layers": 6}, 66_362_880),
        ({"vocab_size": 30000, "embedding_size": 128, "share_blocks": True}, 11_683_584),
    ],
)
def test_published_parameter_counts(changes, parameters):
    config = kb.BertConfig.from_preset("bert_en_uncased_L-12_H-768_A-12", **changes)
    assert kb.BertEncoder(config).count_params() == parameters


@variants
def test_kernels_give_equal_outputs(variant):
    encoder = make_encoder(variant)
    with ops.disable_kernels():
        plain = to_numpy(encoder(INPUTS))
    assert ("pooled_output" in plain) == (variant != "DistilBERT")
    assert_close(encoder(INPUTS), plain, 2e-5)
    assert_close(encoder(INPUTS, training=True), plain, 2e-5)


@variants
def test_segment_ids_change_the_output(variant):
    encoder = make_encoder(variant)
    before = to_numpy(encoder(INPUTS)["sequence_output"])
    after = to_numpy(encoder({**INPUTS, "input_type_ids": 0 * IDS})["sequence_output"])
    assert (np.abs(before - after).max() > 1e-3) == (variant != "DistilBERT")


def test_albert_shares_one_block():
    encoder = make_encoder("ALBERT")
    assert len(encoder.blocks) == 3 and len({id(block) for block in encoder.blocks}) == 1
    assert tuple(encoder.embeddings.word_embeddings.embeddings.shape) == (60, 8)
    outputs = encoder(INPUTS)
    x = encoder.embeddings(INPUTS["input_word_ids"], INPUTS["input_type_ids"])  # [B, T, H]
    for i in range(3):
        x = encoder.blocks[0](x, INPUTS["input_mask"])  # [B, T, H]
        assert_close(x, outputs[f"encoder_outputs_{i}"], 1e-5)
    freeze(encoder, 1)
    assert not encoder.blocks[2].trainable


@pytest.mark.slow
@variants
def test_onnx_gives_equal_outputs(variant, tmp_path):
    runtime = pytest.importorskip("onnxruntime")
    from keras_bert.export import export_onnx

    for model in (make_encoder(variant), kb.BertClassifier(make_encoder(variant), 3)):
        path = export_onnx(model, tmp_path / "onnx") / "model.onnx"
        session = runtime.InferenceSession(str(path))
        names = [output.name for output in session.get_outputs()]
        outputs = dict(zip(names, session.run(names, INPUTS), strict=True))
        expected = model(INPUTS)
        expected = expected if isinstance(expected, dict) else {"logits": expected}
        for name in set(names) & set(expected):
            assert_close(outputs[name], expected[name], 2e-5)
        if variant == "ALBERT":
            assert path.stat().st_size < 4 * model.count_params() + 20_000  # the weights of the block are stored once


def test_classifier_adds_a_pooler():
    encoder = make_encoder("DistilBERT")
    classifier = kb.BertClassifier(encoder, 2, dropout=0.0)
    kernel, bias, head = map(to_numpy, (*classifier.pooler.weights, classifier.head.kernel))
    first = to_numpy(encoder(INPUTS)["sequence_output"])[:, 0]  # [B, H]
    assert_close(classifier(INPUTS), np.maximum(first @ kernel + bias, 0) @ head, 1e-5)


@pytest.mark.slow
def test_saved_models_without_a_pooler(tmp_path):
    import tensorflow as tf

    encoder = make_encoder("DistilBERT")
    with pytest.raises(kb.InputError, match="^`model`"):
        kb.export_saved_model(encoder, tmp_path / "hub")
    vectorizer = kb.BertTextVectorization(["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *map(str, range(55))])
    loaded = tf.saved_model.load(str(kb.export_saved_model(encoder, tmp_path / "text", vectorizer)))
    assert set(loaded.signatures) == {"serving_default", "encode", "pool", "tokenize"}
    assert set(loaded.signatures["pool"](tf.constant(["1 2"]))) == {"embedding"}  # the mean, without a pooler
    assert set(loaded.signatures["encode"](tf.constant(["1 2"]))) == {"sequence_output"}
