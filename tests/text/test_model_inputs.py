"""Packing equals the token-by-token truncation of the original code."""

import itertools

import pytest
import tensorflow as tf

from keras_bert import InputError
from keras_bert.constants import INPUT_KEYS
from keras_bert.text.model_inputs import pack
from tests.text.plain_tokenizer import truncate

CLS, SEP, PAD = 101, 102, 7


def expected_row(first, second, length):
    """Pack one row with Python lists: ids, mask, type ids."""
    if second is None:
        ids = [CLS, *first[: length - 2], SEP]
        types = [0] * len(ids)
    else:
        first, second = list(first), list(second)
        truncate(first, second, length - 3)
        ids = [CLS, *first, SEP, *second, SEP]
        types = [0] * (len(first) + 2) + [1] * (len(second) + 1)
    padding = length - len(ids)
    return ids + [PAD] * padding, [1] * len(ids) + [0] * padding, types + [0] * padding


def as_lists(packed):
    assert tuple(packed) == INPUT_KEYS
    assert all(packed[name].dtype == tf.int32 for name in INPUT_KEYS)
    return list(zip(*(packed[name].numpy().tolist() for name in INPUT_KEYS), strict=True))


@pytest.mark.parametrize("length", [3, 4, 5, 8, 9, 30])
def test_all_pairs_of_lengths(length):
    sizes = list(itertools.product(range(9), range(9)))
    first = [list(range(1000, 1000 + a)) for a, _ in sizes]
    second = [list(range(2000, 2000 + b)) for _, b in sizes]
    ragged = [tf.ragged.constant(each, tf.int32) for each in (first, second)]
    assert as_lists(pack(ragged, length, CLS, SEP, PAD)) == [
        expected_row(a, b, length) for a, b in zip(first, second, strict=True)
    ]
    assert as_lists(pack(ragged[:1], length, CLS, SEP, PAD)) == [expected_row(a, None, length) for a in first]


def test_pads_to_longest_row():
    ragged = tf.ragged.constant([[1, 2, 3], [], [4]], tf.int32)
    assert as_lists(pack([ragged], None, CLS, SEP, PAD)) == [expected_row(row, None, 5) for row in ragged.to_list()]
    assert as_lists(pack([ragged, ragged], None, CLS, SEP, PAD)) == [
        expected_row(row, row, 9) for row in ragged.to_list()
    ]


def test_tensor_length_and_empty_batch():
    none = tf.ragged.constant([], tf.int32, ragged_rank=1)
    packed = tf.function(lambda length: pack([none], length, CLS, SEP, PAD))(tf.constant(6))
    assert packed["input_word_ids"].shape == (0, 6)


@pytest.mark.parametrize("count", [0, 3])
def test_rejects_other_numbers_of_segments(count):
    with pytest.raises(InputError, match=f"`segments`.*Received: {count}"):
        pack([tf.ragged.constant([[1]], tf.int32)] * count, 8, CLS, SEP, PAD)
