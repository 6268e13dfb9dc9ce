"""KerasHub's BERT and masked-LM head compute the same from the same weights."""

import keras
import numpy as np
import pytest

import keras_bert as kb
from keras_bert.constants import INPUT_KEYS
from tests.helpers import random_inputs, randomize, tiny_config

keras_hub = pytest.importorskip("keras_hub")


@pytest.fixture(scope="module")
def models():
    """A pretrainer, and KerasHub's encoder and masked-LM head with its weights."""
    config = tiny_config(num_layers=3, hidden_dropout=0.1, attention_dropout=0.1)
    pretrainer = randomize(kb.BertPretrainer(kb.BertEncoder(config)))
    reference = keras_hub.models.BertBackbone(
        vocabulary_size=config.vocab_size,
        num_layers=config.num_layers,
        num_heads=config.num_heads,
        hidden_dim=config.hidden_size,
        intermediate_dim=config.intermediate_size,
        max_sequence_length=config.max_position_embeddings,
        num_segments=config.type_vocab_size,
    )
    encoder = pretrainer.encoder
    pairs = [
        (encoder.embeddings.word_embeddings, reference.token_embedding),
        (encoder.embeddings.position_embeddings, reference.position_embedding),
        (encoder.embeddings.type_embeddings, reference.segment_embedding),
        (encoder.embeddings.layer_norm, reference.embeddings_layer_norm),
        (encoder.pooler, reference.pooled_dense),
    ]
    for block, layer in zip(encoder.blocks, reference.transformer_layers, strict=True):
        attention = layer._self_attention_layer
        pairs += [
            (block.attention.query_dense, attention._query_dense),
            (block.attention.key_dense, attention._key_dense),
            (block.attention.value_dense, attention._value_dense),
            (block.attention.output_dense, attention._output_dense),
            (block.attention_layer_norm, layer._self_attention_layer_norm),
            (block.intermediate, layer._feedforward_intermediate_dense),
            (block.output_dense, layer._feedforward_output_dense),
            (block.output_layer_norm, layer._feedforward_layer_norm),
        ]
    head = keras_hub.layers.MaskedLMHead(
        token_embedding=reference.token_embedding,
        intermediate_activation=lambda x: keras.activations.gelu(x, approximate=True),
        layer_norm_epsilon=1e-12,
    )
    head.build((None, None, config.hidden_size), (None, None))
    pairs += [
        (pretrainer.mlm_head.dense, head._intermediate_dense),
        (pretrainer.mlm_head.layer_norm, head._intermediate_layer_norm),
    ]
    for layer, other in pairs:
        other.set_weights(layer.get_weights())
    head._bias.assign(pretrainer.mlm_head.output_bias)
    assert pretrainer.encoder.count_params() == reference.count_params() == sum(a.count_params() for a, _ in pairs[:-2])
    return pretrainer, reference, head


@pytest.mark.parametrize("length", [5, 40])
def test_encoder_and_mlm_head_match(models, length):
    pretrainer, reference, head = models
    inputs = random_inputs(pretrainer.encoder.config, batch=4, length=length, seed=length, positions=3)
    found = pretrainer.encoder({key: inputs[key] for key in INPUT_KEYS})
    expected = reference(
        {
            "token_ids": inputs["input_word_ids"],
            "padding_mask": inputs["input_mask"],
            "segment_ids": inputs["input_type_ids"],
        }
    )
    real = inputs["input_mask"].astype(bool)  # KerasHub also masks the queries, so padding positions differ
    np.testing.assert_allclose(
        found["sequence_output"].numpy()[real], expected["sequence_output"].numpy()[real], atol=5e-5
    )
    np.testing.assert_allclose(found["pooled_output"], expected["pooled_output"], atol=5e-5)
    logits = head(expected["sequence_output"], inputs["masked_lm_positions"])
    np.testing.assert_allclose(pretrainer(inputs)["mlm_logits"], logits, atol=5e-5)
