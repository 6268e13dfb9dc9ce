"""Smaller vocabularies and fewer layers."""

import dataclasses

import keras
import numpy as np
import pytest

import keras_bert as kb
from keras_bert.training.vocabulary_trimming import (
    count_pieces,
    keep_lowest_layers,
    most_frequent_pieces,
    trim_vocabulary,
)
from tests.helpers import randomize

VOCABULARY = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "a", "film", "##s", "f", "##i", "##l", "##m", "movie"]
CONFIG = kb.BertConfig(vocab_size=13, hidden_size=8, num_layers=3, num_heads=2, intermediate_size=16)


def outputs(encoder, vocabulary, texts):
    found = encoder(kb.BertTextVectorization(vocabulary, sequence_length=8)(texts), training=False)
    return {name: keras.ops.convert_to_numpy(value) for name, value in found.items()}


def test_counts_equal_a_loop_over_texts():
    vectorizer = kb.BertTextVectorization(VOCABULARY)
    texts = ["a film", "films a movie", "a a"] * 5
    counts = count_pieces(vectorizer, iter(texts), batch_size=4)
    expected = np.zeros(13, int)
    for text in texts:
        for token_id in vectorizer.tokenize(text).numpy():
            expected[token_id] += 1
    np.testing.assert_array_equal(counts, expected)


def test_same_outputs_where_all_pieces_are_kept():
    encoder = kb.BertEncoder(CONFIG)
    randomize(encoder, seed=1)
    kept = most_frequent_pieces(VOCABULARY, [0] * 5 + [1, 5, 9, 0, 0, 0, 0, 0], size=12)
    assert len(kept) == 12 and kept[5:8] == ["##s", "film", "a"] and {"f", "##i", "##l", "##m"} <= set(kept)
    smaller = trim_vocabulary(encoder, VOCABULARY, kept)
    texts = ["a film", "films a"]
    expected, found = outputs(encoder, VOCABULARY, texts), outputs(smaller, kept, texts)
    for name, value in expected.items():
        np.testing.assert_allclose(found[name], value, atol=1e-6, err_msg=name)
    assert smaller.count_params() == encoder.count_params() - 8


def test_albert_factorization_and_shared_block():
    config = dataclasses.replace(CONFIG, embedding_size=4, share_blocks=True)
    encoder = kb.BertEncoder(config)
    randomize(encoder, seed=1)
    smaller = trim_vocabulary(encoder, VOCABULARY, VOCABULARY[:7])
    expected, found = (outputs(*each, ["a film"]) for each in ((encoder, VOCABULARY), (smaller, VOCABULARY[:7])))
    np.testing.assert_allclose(found["pooled_output"], expected["pooled_output"], atol=1e-6)


def test_lowest_layers_give_the_same_intermediate_outputs():
    encoder = kb.BertEncoder(CONFIG)
    randomize(encoder, seed=1)
    shallower = keep_lowest_layers(encoder, 2)
    expected, found = (outputs(each, VOCABULARY, ["a film"]) for each in (encoder, shallower))
    np.testing.assert_allclose(found["sequence_output"], expected["encoder_outputs_1"], atol=1e-6)


def test_rejects_unknown_tokens_and_sizes():
    encoder = kb.BertEncoder(CONFIG)
    with pytest.raises(kb.InputError, match="`kept`"):
        trim_vocabulary(encoder, VOCABULARY, [*VOCABULARY[:6], "song"])
    with pytest.raises(kb.InputError, match="`size`"):
        most_frequent_pieces(VOCABULARY, [0] * 13, size=7)
    with pytest.raises(kb.InputError, match="`counts`"):
        most_frequent_pieces(VOCABULARY, [0] * 12, size=11)
    with pytest.raises(kb.InputError, match="`num_layers`"):
        keep_lowest_layers(encoder, 4)


class Doubled(keras.layers.Dense):
    def call(self, inputs, training=None):
        return 2 * super().call(inputs)


def test_keeps_what_a_user_changed():
    encoder = kb.BertEncoder(CONFIG)
    randomize(encoder, seed=1)
    encoder.blocks[0].intermediate = Doubled(16, activation="linear")
    expected = outputs(encoder, VOCABULARY, ["a film"])
    found = outputs(trim_vocabulary(encoder, VOCABULARY, VOCABULARY[:7]), VOCABULARY[:7], ["a film"])
    np.testing.assert_allclose(found["sequence_output"], expected["sequence_output"], atol=1e-6)
    found = outputs(keep_lowest_layers(encoder, 1), VOCABULARY, ["a film"])
    np.testing.assert_allclose(found["sequence_output"], expected["encoder_outputs_0"], atol=1e-6)
    encoder.embeddings.word_embeddings.enable_lora(2)
    with pytest.raises(kb.InputError, match="`encoder`"):
        trim_vocabulary(encoder, VOCABULARY, VOCABULARY[:7])
