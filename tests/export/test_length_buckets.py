"""A batch run in parts of like length: what each part holds, and the order of what comes back."""

import numpy as np
import pytest
import tensorflow as tf

import keras_bert as kb
from keras_bert.export.length_buckets import run_length_bucketed

VOCABULARY = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *"abcdefgh"]


@pytest.mark.parametrize("part", [8, 64, 10_000])
@pytest.mark.parametrize("count", [0, 1, 50])
def test_parts_hold_so_many_tokens_and_come_back_in_order(part, count):
    pack = kb.BertTextVectorization(VOCABULARY, sequence_length=20).pack
    rng = np.random.default_rng(part + count)
    rows = [rng.integers(5, 13, rng.integers(0, 25)).tolist() for _ in range(count)]
    shapes = []

    def sums(ids):
        shapes.append(tuple(ids["input_word_ids"].shape))
        sums = tf.reduce_sum(ids["input_word_ids"] * ids["input_mask"], 1, keepdims=True)  # [R, 1]
        return tf.cast(sums, tf.float32)

    found = run_length_bucketed(sums, 1, tf.ragged.constant(rows, tf.int32, ragged_rank=1), pack, 20, part)
    np.testing.assert_array_equal(found[:, 0], [sum(row[:18]) + 5 for row in rows])  # [CLS] and [SEP] are 2 and 3
    assert all(r * t <= part or r <= 1 for r, t in shapes)
    assert sum(r for r, _ in shapes) == count
    needed = sum(min(len(row) + 2, 20) for row in rows)
    assert len(shapes) <= 1 + 2 * needed / part + 20 * (part < 20)  # no more parts than that takes, by and large
    assert [t for _, t in shapes] == sorted(t for _, t in shapes)
