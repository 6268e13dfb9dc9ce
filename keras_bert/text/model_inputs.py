"""Token ids to the three inputs of a BERT: [CLS] first [SEP] second [SEP], cut and padded to one length."""

from keras_bert.errors import InputError
from keras_bert.text.ragged import row_ids


def pack(segments, sequence_length, cls_id: int, sep_id: int, pad_id: int):
    """Pack one or two segments a row.

    A pair that is too long loses tokens from the end of its longer member, one by one, and from the second where both
    are equally long.

    Args:
        segments: one or two int32 `RaggedTensor`s `[B, (tokens)]`.
        sequence_length: T, a number or a scalar int32 tensor; None for as long as the longest row.
        cls_id, sep_id, pad_id: ids of the special tokens.

    Returns:
        `input_word_ids`, `input_mask` (1 at tokens, 0 at padding), `input_type_ids` (1 at the second segment and its
        [SEP]); each int32 `[B, T]`.

    Raises:
        InputError: not one or two segments.

    Source: Devlin et al. 2018, figure 2; `_truncate_seq_pair` of github.com/google-research/bert (run_classifier.py).
    """
    import tensorflow as tf

    if len(segments) not in (1, 2):
        raise InputError(f"a row has one or two segments. Received: {len(segments)}")
    lengths = [tf.cast(segment.row_lengths(), tf.int32) for segment in segments]  # each [B]
    if sequence_length is not None:
        lengths = _truncated(lengths, tf.maximum(sequence_length - 1 - len(segments), 0))

    # All rows in one line [N]: filled with [SEP], then [CLS] and the segments are written to their places.
    end = tf.cumsum(1 + sum(length + 1 for length in lengths))  # [B]
    splits = tf.concat([[0], end], 0)  # [B + 1]
    place = splits[:-1]  # [B] where each row starts
    row = tf.tensor_scatter_nd_update(
        tf.fill([splits[-1]], sep_id), place[:, None], tf.fill([tf.size(place)], cls_id)
    )  # [N]
    for segment, length in zip(segments, lengths, strict=True):
        place = place + 1
        of = row_ids(length)  # [n] the row of each token that is kept
        within = tf.range(tf.size(of)) - tf.gather(tf.cumsum(length, exclusive=True), of)
        source = tf.gather(tf.cast(segment.row_starts(), tf.int32), of) + within
        target = tf.gather(place, of) + within
        row = tf.tensor_scatter_nd_update(row, target[:, None], tf.cast(tf.gather(segment.values, source), tf.int32))
        place = place + length
    rows = tf.RaggedTensor.from_row_splits(row, splits, validate=False)  # [B, (row)]
    shape = [None, sequence_length] if not tf.is_tensor(sequence_length) else tf.stack([-1, sequence_length])
    word_ids = rows.to_tensor(default_value=pad_id, shape=shape)  # [B, T]

    position = tf.range(tf.shape(word_ids)[1])  # [T]
    mask = tf.cast(position < (end - splits[:-1])[:, None], tf.int32)  # [B, T]
    if len(segments) == 1:
        type_ids = tf.zeros_like(word_ids)
    else:
        type_ids = tf.where(position >= (lengths[0] + 2)[:, None], mask, 0)
    return {"input_word_ids": word_ids, "input_mask": mask, "input_type_ids": type_ids}


def _truncated(lengths, room):
    """How many tokens each segment keeps: what the original's token-by-token loop ends with."""
    import tensorflow as tf

    if len(lengths) == 1:
        return [tf.minimum(lengths[0], room)]
    first, second = lengths
    second = tf.minimum(second, tf.maximum(room // 2, room - first))
    return [tf.minimum(first, room - second), second]
