"""embed: each pooling against numpy, computed from the outputs of the encoder for a single row without padding."""

import numpy as np
import pytest
from keras import ops

import keras_bert as kb
from keras_bert.constants import POOLS
from keras_bert.models.pooling import pool_outputs
from tests.helpers import random_inputs, randomize, tiny_config


@pytest.fixture(scope="module")
def encoder():
    return randomize(kb.BertEncoder(tiny_config(num_layers=5, hidden_dropout=0.1, attention_dropout=0.1)))


def by_hand(encoder, inputs, row, pool):
    length = int(inputs["input_mask"][row].sum())
    alone = encoder({name: array[row : row + 1, :length] for name, array in inputs.items()})
    layers = [np.asarray(alone[f"encoder_outputs_{i}"], np.float64)[0] for i in range(5)]  # [T, H] each
    concatenated = np.array([[x for layer in layers[1:] for x in layer[t]] for t in range(length)])  # [T, 4 H]
    return {
        "mean": layers[4].mean(0),
        "max": np.array([max(column) for column in layers[4].T]),
        "cls": layers[4][0],
        "pooled": np.asarray(alone["pooled_output"])[0],
        "second-to-last": layers[3].mean(0),
        "sum4": (layers[1] + layers[2] + layers[3] + layers[4]).mean(0),
        "last4": concatenated.mean(0),
    }[pool]


@pytest.mark.parametrize("pool", POOLS)
def test_pooling_by_hand(encoder, pool):
    inputs = random_inputs(encoder.config, batch=7)
    inputs["input_word_ids"] = np.where(inputs["input_mask"], inputs["input_word_ids"], 9)  # not zero
    vectors = kb.embed(encoder, inputs, pool, batch_size=3)  # in three batches, by length
    assert vectors.dtype == np.float32 and vectors.shape == (7, 128 if pool == "last4" else 32)
    for row in range(7):
        np.testing.assert_allclose(vectors[row], by_hand(encoder, inputs, row, pool), atol=2e-6)


def test_default_is_mean(encoder):
    inputs = random_inputs(encoder.config)
    np.testing.assert_array_equal(kb.embed(encoder, inputs), kb.embed(encoder, inputs, "mean"))


def test_pools_bfloat16_in_float32():
    tokens = ops.cast(np.random.default_rng(0).standard_normal((2, 9, 4)), "bfloat16")  # [B, T, H]
    mask = np.arange(9) < [[9], [5]]  # [B, T]
    pooled = pool_outputs({"sequence_output": tokens}, mask, "mean")
    tokens = ops.convert_to_numpy(tokens).astype(np.float64)
    np.testing.assert_allclose(pooled, [tokens[0].mean(0), tokens[1, :5].mean(0)], atol=1e-6)
    encoder = kb.BertEncoder(tiny_config(), dtype="mixed_bfloat16")
    assert kb.embed(encoder, random_inputs(encoder.config), "max").dtype == np.float32


def test_rejects_mismatched_inputs(encoder):
    inputs = random_inputs(encoder.config)
    with pytest.raises(kb.InputError, match="^`pool`.*Received: pool='average'"):
        kb.embed(encoder, inputs, "average")
    with pytest.raises(kb.InputError, match="^`pool`.*Received: pool='last4'"):
        kb.embed(kb.BertEncoder(tiny_config()), inputs, "last4")
    with pytest.raises(kb.InputError, match="^`pool`.*Received: pool='second-to-last'"):
        kb.embed(kb.BertEncoder(tiny_config(num_layers=1)), inputs, "second-to-last")
    with pytest.raises(kb.InputError, match="^`pool`.*Received: pool='pooled'"):
        kb.embed(kb.BertEncoder(tiny_config(pooler=False)), inputs, "pooled")
    with pytest.raises(kb.InputError, match="`encoder`.*Received:.*BertClassifier"):
        kb.embed(kb.BertClassifier(encoder), inputs)
    with pytest.raises(kb.InputError, match="^`ids`.*Received: .*input_type_ids"):
        kb.embed(encoder, {name: inputs[name] for name in ("input_word_ids", "input_mask")})
    with pytest.raises(kb.InputError, match="^`input_word_ids`.*Received: .*100"):
        kb.embed(encoder, {**inputs, "input_word_ids": np.where(inputs["input_mask"], 100, 0)})
    with pytest.raises(kb.InputError, match=r"^`inputs`.*Received: .*\b1$"):
        kb.embed(encoder, {**inputs, "input_mask": inputs["input_mask"] * [[1], [0], [1]]})


@pytest.mark.slow
def test_texts_equal_their_ids():
    pretrained = kb.load_pretrained("bert_en_uncased_mini")
    texts = ["a fine film", "two hours, lost"]
    vectors = kb.embed(pretrained.encoder, texts)
    np.testing.assert_allclose(vectors, kb.embed(pretrained.encoder, pretrained.vectorizer(texts)), atol=1e-6)
    pairs = kb.embed(pretrained.encoder, [("a fine film", "a good movie")])
    expected = kb.embed(pretrained.encoder, pretrained.vectorizer((["a fine film"], ["a good movie"])))
    np.testing.assert_allclose(pairs, expected, atol=1e-6)
    with pytest.raises(kb.InputError, match="`vectorizer`"):
        kb.embed(kb.BertEncoder(tiny_config()), texts)
    assert kb.embed(pretrained.encoder, []).shape == (0, 256)


@pytest.mark.parametrize("pool", ["mean", "max", "last4"])
def test_zero_rows(pool):
    encoder = kb.BertEncoder(tiny_config(num_layers=4))
    none = {name: array[:0] for name, array in random_inputs(encoder.config).items()}
    found = kb.embed(encoder, none, pool)
    assert found.shape == (0, 128 if pool == "last4" else 32) and found.dtype == np.float32


def test_normalized_vectors():
    encoder = randomize(kb.BertEncoder(tiny_config()))
    inputs = random_inputs(encoder.config)
    vectors = kb.embed(encoder, inputs)
    expected = vectors / np.linalg.norm(vectors, axis=-1, keepdims=True)
    np.testing.assert_allclose(kb.embed(encoder, inputs, normalize=True), expected, atol=1e-6)
