"""attention_maps shows what the model uses."""

import numpy as np
from helpers import random_inputs, randomize, tiny_config

import keras_bert as kb
from keras_bert.explain import attention_maps


def test_the_maps_times_the_values_are_what_the_next_layer_gets():
    config = tiny_config(attention_dropout=0.1, hidden_dropout=0.1)
    encoder = randomize(kb.BertEncoder(config))
    inputs = random_inputs(config)
    maps, outputs = attention_maps(encoder, inputs), encoder(inputs)
    assert [scores.shape for scores in maps] == [(3, 2, 12, 12)] * 2

    # Rebuild each block's output from its map; the model's own outputs are the measure.
    x = encoder.embeddings(inputs["input_word_ids"], inputs["input_type_ids"])
    for i, (block, scores) in enumerate(zip(encoder.blocks, maps, strict=True)):
        attention = block.attention
        values = attention.value_dense(x).numpy()  # [B, T, A, H/A]
        attended = attention.output_dense(np.einsum("bats,bsad->btad", scores, values))  # [B, T, H]
        y = block.attention_layer_norm(x + attended)
        inner = 0.5 * (z := block.intermediate(y).numpy()) * (1 + np.tanh(np.sqrt(2 / np.pi) * (z + 0.044715 * z**3)))
        x = block.output_layer_norm(y + block.output_dense(inner))
        np.testing.assert_allclose(x, outputs[f"encoder_outputs_{i}"], atol=1e-5)


def test_rows_sum_to_one_and_padding_gets_nothing():
    config = tiny_config()
    inputs = random_inputs(config)
    for scores in attention_maps(randomize(kb.BertEncoder(config)), inputs):
        assert scores.dtype == np.float32
        np.testing.assert_allclose(scores.sum(-1), 1, atol=1e-5)
        padding = np.broadcast_to(inputs["input_mask"][:, None, None, :] == 0, scores.shape)
        assert scores[padding].max() == 0
        assert scores.std(axis=-1).max() > 0.05  # far from uniform, so that the above says something


def test_half_precision_maps_come_as_float32():
    config = tiny_config()
    (first, _) = attention_maps(kb.BertEncoder(config, dtype="mixed_bfloat16"), random_inputs(config))
    assert first.dtype == np.float32
