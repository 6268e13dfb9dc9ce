"""The rows of `pack_lists` are those of `pack`, and `PlainPreprocessor` needs no TensorFlow."""

import sys

import numpy as np
import pytest
import tensorflow as tf

from keras_bert import InputError
from keras_bert.tasks import PlainPreprocessor, Preprocessor
from keras_bert.text.model_inputs import pack
from keras_bert.text.plain_inputs import pack_lists
from keras_bert.text.splitting import Splitting
from tests.text.conftest import TOKENS

TEXTS = ["a fine film!", "", "Unaa films " * 5, "naïve 中\0 [E1] film\x0bs", "a"]


@pytest.mark.parametrize("sequence_length", [3, 4, 8, 9, 30])
@pytest.mark.parametrize("count", [1, 2])
def test_rows_equal_those_of_the_graph(count, sequence_length):
    rng = np.random.default_rng(0)
    segments = [[rng.integers(5, 30, n).tolist() for n in rng.integers(0, 9, 40)] for _ in range(count)]
    ids, truncated = pack_lists(segments, sequence_length, 2, 3, 0)
    ragged = [tf.ragged.constant(segment, tf.int32, ragged_rank=1) for segment in segments]
    for name, expected in pack(ragged, sequence_length, 2, 3, 0).items():
        assert ids[name].dtype == np.int32
        np.testing.assert_array_equal(ids[name], expected[:, : ids[name].shape[1]])
        assert not np.any(expected[:, ids[name].shape[1] :])
    lengths = [sum(map(len, rows)) for rows in zip(*segments, strict=True)]
    assert truncated == sum(length + 1 + count > sequence_length for length in lengths)


@pytest.mark.parametrize("texts", [TEXTS, (TEXTS, TEXTS[::-1])], ids=["single", "pairs"])
@pytest.mark.parametrize("options", [(), (("[E1]",),), (("[E1]",), Splitting(normalized_tokens=["[E1]"]))])
def test_plain_preprocessor_equals_the_graph(texts, options, monkeypatch):
    settings = (*TOKENS, "[E1]"), True, 8, *options
    preprocessor, plain = Preprocessor(*settings), PlainPreprocessor(*settings)
    expected = preprocessor(texts)
    monkeypatch.setitem(sys.modules, "tensorflow", None)  # an import fails
    found = plain(texts)
    for name, rows in expected.items():
        np.testing.assert_array_equal(found[name], rows)
    assert (plain.long_texts.truncated, plain.long_texts.total) == (
        preprocessor.long_texts.truncated,
        preprocessor.long_texts.total,
    )


def test_rejects_added_token_outside_the_vocabulary():
    with pytest.raises(InputError, match=r"`added_tokens` must be in `vocabulary`. Received: '\[E1\]'"):
        PlainPreprocessor(tuple(TOKENS), True, 8, ("[E1]",))(["a"])
