"""BertEmbeddings against its formula in NumPy."""

import keras
import numpy as np
import pytest

import keras_bert as kb
from keras_bert.layers import BertEmbeddings
from tests.helpers import randomize


def layer(**changes):
    sizes = {"vocab_size": 50, "hidden_size": 8, "max_position_embeddings": 12, "dropout": 0.0}
    return BertEmbeddings(**{**sizes, **changes})


def inputs(length=6):
    rng = np.random.default_rng(0)
    return rng.integers(0, 50, (3, length)).astype("int32"), rng.integers(0, 2, (3, length)).astype("int32")


def test_equals_normalized_sum_of_three_embeddings():
    embeddings = layer()
    ids, types = inputs()
    embeddings(ids, types)
    randomize(embeddings)
    words, positions, segments, gamma, beta = (weight.numpy() for weight in embeddings.weights)
    expected = np.zeros((3, 6, 8))
    for b in range(3):
        for t in range(6):
            x = words[ids[b, t]].astype("float64") + positions[t] + segments[types[b, t]]
            expected[b, t] = gamma * (x - x.mean()) / np.sqrt(x.var() + 1e-12) + beta
    np.testing.assert_allclose(embeddings(ids, types), expected, atol=2e-6)


def test_dropout_after_layer_norm():
    embeddings = layer(dropout=0.5)
    expected, dropped = np.array(embeddings(*inputs())), np.array(embeddings(*inputs(), training=True))
    kept = dropped != 0
    assert 0.3 < kept.mean() < 0.7
    # Zero, or the normalized value over 1 - rate.
    np.testing.assert_allclose(dropped[kept], 2 * expected[kept], rtol=1e-5, atol=1e-6)


def test_rejects_too_long_sequence():
    embeddings = layer()
    assert embeddings(*inputs(12)).shape == (3, 12, 8)
    with pytest.raises(kb.InputError, match=r"^`input_word_ids` .* max_position_embeddings=12 .*Received: length=13$"):
        embeddings(*inputs(13))
    with pytest.raises(kb.InputError, match="`input_word_ids` .* max_position_embeddings=12 .*Received: length=13"):
        layer()(*(keras.Input((13,), dtype="int32") for _ in range(2)))


def test_graph_of_unknown_length_rejects_too_long_sequence():
    import tensorflow as tf

    embeddings = layer()
    embeddings.build((None, None), (None, None))
    spec = tf.TensorSpec((None, None), tf.int32)
    run = tf.function(lambda ids, types: embeddings(ids, types), input_signature=(spec, spec))
    np.testing.assert_allclose(run(*inputs(12)), embeddings(*inputs(12)), atol=1e-6)
    with pytest.raises(tf.errors.InvalidArgumentError):
        run(*inputs(13))
