"""Multiply-adds and memory, compared with the counts of the benchmarks and with arrays that are counted one by one."""

import dataclasses

import keras
import numpy as np
import pytest

import keras_bert as kb
from benchmarks import flops
from keras_bert.models.costs import batch_memory, multiply_adds_per_token
from tests.helpers import tiny_config


@pytest.mark.parametrize("name", ["bert_en_uncased_L-12_H-768_A-12", "small_bert/bert_en_uncased_L-2_H-128_A-2"])
@pytest.mark.parametrize("tokens", [1, 7, 128])
def test_half_of_the_operations_of_the_benchmarks(name, tokens):
    config = kb.BertConfig.from_preset(name)
    assert 2 * tokens * multiply_adds_per_token(config, tokens) == flops.encoder(config.to_dict(), [tokens])


def test_projection_of_factorized_embeddings():
    config = tiny_config()
    factorized = dataclasses.replace(config, embedding_size=5)
    difference = multiply_adds_per_token(factorized, 9) - multiply_adds_per_token(config, 9)
    assert difference == 5 * config.hidden_size


def test_products_counted_by_hand():
    """H = 2, F = 3, L = 1, T = 5: 4 products with [2, 2], 2 with [2, 3], 5 scores and 5 sums of size 2 per token."""
    config = kb.BertConfig(vocab_size=9, hidden_size=2, num_layers=1, num_heads=1, intermediate_size=3)
    assert multiply_adds_per_token(config, 5) == 4 * 4 + 2 * 6 + 5 * 2 + 5 * 2


def test_memory_of_training_counted_by_hand():
    """The arrays that the backward pass of one block needs, one by one, with B = 2, T = 3, H = 4, F = 6, A = 2."""
    config = kb.BertConfig(vocab_size=9, hidden_size=4, num_layers=1, num_heads=2, intermediate_size=6)
    states, scores, inner = np.zeros((2, 3, 4)), np.zeros((2, 2, 3, 3)), np.zeros((2, 3, 6))
    attention = [
        states,
        *[states] * 3,
        scores,
        scores,
        states,
    ]  # input, q, k, v, softmax, after its dropout, weighted sum
    feed_forward = [states, inner, inner]  # input, before and after the activation
    norms = [states, states]  # inputs of both layer normalizations
    masks = [states, states, scores]  # of the three dropouts, one byte per number
    numbers = sum(array.size for array in (*attention, *feed_forward, *norms))
    memory = batch_memory(config, parameters=100, trainable=40, batch_size=2, sequence_length=3)
    expected = 4 * 100 + 3 * 4 * 40 + 4 * numbers + sum(array.size for array in masks)
    assert memory == {"weights": 400, "inference": 400 + 4 * 168, "training": expected}


def test_formula_of_the_paper():
    """s b h (34 + 5 a s / h) bytes per block in 16 bits, with an intermediate size of 4 H (equation 1)."""
    config = kb.BertConfig(hidden_size=64, num_layers=3, num_heads=4, intermediate_size=256)
    memory = batch_memory(config, 0, 0, batch_size=5, sequence_length=32, number_bytes=2)
    assert memory["training"] == 3 * 32 * 5 * 64 * (34 + 5 * 4 * 32 / 64)


def test_weights_of_a_model():
    encoder = kb.BertEncoder(tiny_config())
    assert isinstance(encoder, keras.Model)
    memory = batch_memory(encoder.config, encoder.count_params(), 0, 1, 1)
    assert memory["weights"] == sum(np.asarray(weight).nbytes for weight in encoder.get_weights())
