"""Packing of token ids into the three model inputs: `[CLS] first [SEP] second [SEP]`, truncated and padded."""

import numpy as np

from keras_bert.constants import INPUT_KEYS
from keras_bert.errors import InputError
from keras_bert.text.ragged import row_ids


def pack(segments, sequence_length, cls_id: int, sep_id: int, pad_id: int):
    """Pack one or two segments per row.

    From a pair that is too long, single tokens are removed from the end of the longer segment, or of the second segment
    when both are equally long.

    Args:
        segments: one or two int32 `tf.RaggedTensor`s `[B, (tokens)]`.
        sequence_length: T, an int or a scalar int32 tensor; None for the length of the longest row.
        cls_id, sep_id, pad_id: ids of the special tokens.

    Returns:
        A dict of int32 tensors `[B, T]`: `input_word_ids`; `input_mask`, 1 for tokens, 0 for padding;
        `input_type_ids`, 1 for the second segment and its [SEP], otherwise 0.

    Raises:
        InputError: there are not one or two segments.

    Source: Devlin et al. 2018, figure 2; `_truncate_seq_pair` of github.com/google-research/bert (run_classifier.py).
    """
    import tensorflow as tf

    if len(segments) not in (1, 2):
        raise InputError(f"`segments` must be one or two ragged tensors. Received: {len(segments)} segments")
    lengths = [tf.cast(segment.row_lengths(), tf.int32) for segment in segments]  # each [B]
    if sequence_length is not None:
        lengths = _truncated_lengths(lengths, tf.maximum(sequence_length - 1 - len(segments), 0))
    if len(segments) == 1:
        return _pack_one(*segments, *lengths, sequence_length, cls_id, sep_id, pad_id)

    # All rows, concatenated to [N]: fill them with [SEP], then write [CLS] and the segments.
    end = tf.cumsum(1 + sum(length + 1 for length in lengths))  # [B]
    splits = tf.concat([[0], end], 0)  # [B + 1]
    position = splits[:-1]  # [B], where each row starts
    flat = tf.tensor_scatter_nd_update(
        tf.fill([splits[-1]], sep_id), position[:, None], tf.fill([tf.size(position)], cls_id)
    )  # [N]
    for segment, length in zip(segments, lengths, strict=True):
        position = position + 1
        row = row_ids(length)  # [n], the row of each token that is kept
        within = tf.range(tf.size(row)) - tf.gather(tf.cumsum(length, exclusive=True), row)  # [n]
        source = tf.gather(tf.cast(segment.row_starts(), tf.int32), row) + within  # [n]
        target = tf.gather(position, row) + within  # [n]
        flat = tf.tensor_scatter_nd_update(flat, target[:, None], tf.cast(tf.gather(segment.values, source), tf.int32))
        position = position + length
    rows = tf.RaggedTensor.from_row_splits(flat, splits, validate=False)  # [B, (row)]
    word_ids = rows.to_tensor(default_value=pad_id, shape=_matrix_shape(sequence_length))  # [B, T]
    column = tf.range(tf.shape(word_ids)[1])  # [T]
    mask = tf.cast(column < (end - splits[:-1])[:, None], tf.int32)  # [B, T]
    type_ids = tf.where(column >= (lengths[0] + 2)[:, None], mask, 0)  # [B, T]
    return dict(zip(INPUT_KEYS, (word_ids, mask, type_ids), strict=True))


def _pack_one(segment, length, sequence_length, cls_id, sep_id, pad_id):
    """Pack one segment per row, of which `length` `[B]` tokens are kept, with fewer operations than for pairs."""
    import tensorflow as tf

    if sequence_length is None:
        sequence_length = tf.reduce_max(tf.concat([length, [0]], 0)) + 2
    tokens = segment.to_tensor(default_value=pad_id, shape=_matrix_shape(sequence_length - 1))  # [B, T - 1]
    tokens = tf.pad(tf.cast(tokens, tf.int32), [[0, 0], [1, 0]], constant_values=cls_id)  # [B, T]
    column, end = tf.range(sequence_length), (length + 1)[:, None]  # [T], [B, 1]
    word_ids = tf.where(column == end, sep_id, tokens)  # [B, T]; a token at `end` was truncated
    mask = tf.cast(column <= end, tf.int32)  # [B, T]
    return dict(zip(INPUT_KEYS, (word_ids, mask, tf.zeros_like(word_ids)), strict=True))


def _matrix_shape(length):
    """Return the shape `[B, length]` for `RaggedTensor.to_tensor`; the length is an int, a scalar tensor or None."""
    import tensorflow as tf

    return tf.stack([-1, length]) if tf.is_tensor(length) else [None, length]


def _truncated_lengths(lengths, max_num_tokens):
    """Compute the number of tokens of each segment after truncation, without the loop of the original code."""
    import tensorflow as tf

    if len(lengths) == 1:
        return [tf.minimum(lengths[0], max_num_tokens)]
    first, second = lengths
    second = tf.minimum(second, tf.maximum(max_num_tokens // 2, max_num_tokens - first))
    return [tf.minimum(first, max_num_tokens - second), second]


def check_sequence_length(sequence_length) -> None:
    """Raise InputError if a length is neither None nor an integer of at least 3."""
    if sequence_length is None:
        return
    if isinstance(sequence_length, bool) or not isinstance(sequence_length, int | np.integer) or sequence_length < 3:
        raise InputError(
            "`sequence_length` must be None or at least 3, for [CLS], one token and [SEP]. "
            f"Received: sequence_length={sequence_length!r:.60}"
        )
