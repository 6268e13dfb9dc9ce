"""attention_maps returns the probabilities that the encoder uses."""

import numpy as np
import pytest

import keras_bert as kb
from keras_bert.explain import attention_maps
from tests.helpers import random_inputs, randomize, tiny_config


def test_maps_reproduce_outputs():
    config = tiny_config(attention_dropout=0.1, hidden_dropout=0.1)
    encoder = randomize(kb.BertEncoder(config))
    inputs = random_inputs(config)
    maps, outputs = attention_maps(encoder, inputs), encoder(inputs)
    assert [scores.shape for scores in maps] == [(3, 2, 12, 12)] * 2

    # Compute each block's output from its map, and compare with the encoder's outputs.
    x = encoder.embeddings(inputs["input_word_ids"], inputs["input_type_ids"])
    for i, (block, scores) in enumerate(zip(encoder.blocks, maps, strict=True)):
        attention = block.attention
        values = attention.value_dense(x).numpy()  # [B, T, A, H/A]
        attended = attention.output_dense(np.einsum("bats,bsad->btad", scores, values))  # [B, T, H]
        y = block.attention_layer_norm(x + attended)
        inner = 0.5 * (z := block.intermediate(y).numpy()) * (1 + np.tanh(np.sqrt(2 / np.pi) * (z + 0.044715 * z**3)))
        x = block.output_layer_norm(y + block.output_dense(inner))
        np.testing.assert_allclose(x, outputs[f"encoder_outputs_{i}"], atol=1e-5)


def test_rows_sum_to_one_without_padding():
    config = tiny_config()
    inputs = random_inputs(config)
    for scores in attention_maps(randomize(kb.BertEncoder(config)), inputs):
        assert scores.dtype == np.float32
        np.testing.assert_allclose(scores.sum(-1), 1, atol=1e-5)
        padding = np.broadcast_to(inputs["input_mask"][:, None, None, :] == 0, scores.shape)
        assert scores[padding].max() == 0
        assert scores.std(axis=-1).max() > 0.05  # far from uniform


def test_mixed_precision_maps_are_float32():
    config = tiny_config()
    (first, _) = attention_maps(kb.BertEncoder(config, dtype="mixed_bfloat16"), random_inputs(config))
    assert first.dtype == np.float32


def test_rejects_missing_and_long_inputs():
    encoder = kb.BertEncoder(tiny_config())
    inputs = random_inputs(encoder.config)
    with pytest.raises(kb.InputError, match="^`inputs`.*Received: .*input_mask"):
        attention_maps(encoder, {key: value for key, value in inputs.items() if key != "input_mask"})
    with pytest.raises(kb.InputError, match="`input_word_ids`.*max_position_embeddings=40"):
        attention_maps(encoder, random_inputs(encoder.config, length=41))
