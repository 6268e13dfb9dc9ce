"""run_length_bucketed and run_in_buckets: the size of the buckets, and the order of the outputs."""

import numpy as np
import pytest
import tensorflow as tf

import keras_bert as kb
from keras_bert.export.length_buckets import run_in_buckets, run_length_bucketed

VOCABULARY = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *"abcdefgh"]


@pytest.mark.parametrize("bucket_tokens", [8, 64, 10_000])
@pytest.mark.parametrize("count", [0, 1, 50])
def test_bucket_sizes_and_order(bucket_tokens, count):
    pack = kb.BertTextVectorization(VOCABULARY, sequence_length=20).pack
    rng = np.random.default_rng(bucket_tokens + count)
    rows = [rng.integers(5, 13, rng.integers(0, 25)).tolist() for _ in range(count)]
    shapes = []

    def sum_of_ids(ids):
        shapes.append(tuple(ids["input_word_ids"].shape))
        total = tf.reduce_sum(ids["input_word_ids"] * ids["input_mask"], 1, keepdims=True)  # [R, 1]
        return tf.cast(total, tf.float32)

    tokens = tf.ragged.constant(rows, tf.int32, ragged_rank=1)
    expected = [sum(row[:18]) + 5 for row in rows]  # [CLS] and [SEP] are 2 and 3
    np.testing.assert_array_equal(run_length_bucketed(sum_of_ids, 1, tokens, pack, 20, bucket_tokens)[:, 0], expected)
    if not rows:  # `run_in_buckets` runs no bucket
        return
    shapes.clear()
    lengths = tf.constant([min(len(row) + 2, 20) for row in rows])
    found = run_in_buckets(sum_of_ids, 1, tokens, pack, lengths, bucket_tokens)
    np.testing.assert_array_equal(found[:, 0], expected)
    assert all(r * t <= bucket_tokens or r <= 1 for r, t in shapes)
    assert sum(r for r, _ in shapes) == count
    needed = sum(min(len(row) + 2, 20) for row in rows)
    assert len(shapes) <= 1 + 2 * needed / bucket_tokens + 20 * (bucket_tokens < 20)  # about as few as possible
    assert [t for _, t in shapes] == sorted(t for _, t in shapes)
