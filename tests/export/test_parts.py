"""Each part of an export can be saved alone in another model, with the tables and variables that it uses."""

import numpy as np
import pytest
import tensorflow as tf

pytestmark = pytest.mark.slow  # the fixture `exports` takes seconds


def saved_alone(part, call, specs: list, folder):
    """Save a module that has only this part, and load it."""
    module = tf.Module()
    module.part = part
    module.run = tf.function(lambda *inputs: call(module.part, *inputs), input_signature=specs, autograph=False)
    tf.saved_model.save(module, str(folder))
    return tf.saved_model.load(str(folder))


def test_tokenize(exports, tmp_path):
    whole = tf.saved_model.load(str(exports.preprocess))
    spec = [tf.TensorSpec([None], tf.string)]
    alone = saved_alone(whole.tokenize, lambda part, text: part(text), spec, tmp_path / "part")
    texts = tf.constant(exports.texts)
    assert alone.run(texts).to_list() == whole.tokenize(texts).to_list()


def test_pack_inputs(exports, tmp_path):
    whole = tf.saved_model.load(str(exports.preprocess))
    spec = [tf.RaggedTensorSpec([None, None], tf.int32)]
    alone = saved_alone(
        whole.bert_pack_inputs, lambda part, ids: part([ids], seq_length=tf.constant(9)), spec, tmp_path / "part"
    )
    ids = exports.vectorizer.tokenize(exports.texts)
    expected = exports.vectorizer(exports.texts, sequence_length=9)
    for name, value in alone.run(ids).items():
        np.testing.assert_array_equal(value, expected[name])


def test_masked_lm(exports, tmp_path):
    whole = tf.saved_model.load(str(exports.encoder))
    names = ("input_word_ids", "input_mask", "input_type_ids", "masked_lm_positions")
    spec = [tf.TensorSpec([None, None], tf.int32) for _ in names]
    alone = saved_alone(
        whole.mlm, lambda part, *ids: part(dict(zip(names, ids, strict=True)))["mlm_logits"], spec, tmp_path / "part"
    )
    inputs = dict(exports.vectorizer(exports.texts))
    inputs["masked_lm_positions"] = tf.constant([[1, 2]] * len(exports.texts))
    found = alone.run(*(inputs[name] for name in names))
    np.testing.assert_allclose(found, whole.mlm(inputs)["mlm_logits"], atol=1e-5)
