"""Token ids to the three inputs of a BERT: [CLS] first [SEP] second [SEP], cut and padded to one length."""

from keras_bert.errors import InputError


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
    lengths = [tf.cast(segment.row_lengths(), tf.int32)[:, None] for segment in segments]  # each [B, 1]
    specials = 1 + len(segments)
    if sequence_length is None:
        sequence_length = tf.reduce_max(tf.concat([sum(lengths), [[0]]], 0)) + specials
    else:
        room = tf.maximum(sequence_length - specials, 0)
        lengths = _truncated(lengths, room)

    position = tf.range(sequence_length)[None, :]  # [1, T]
    end = tf.zeros_like(lengths[0])  # [B, 1] where the latest special token stands
    word_ids = tf.where(position == 0, cls_id, tf.fill([tf.shape(end)[0], sequence_length], pad_id))  # [B, T]
    type_ids = tf.zeros_like(word_ids)
    for number, (segment, length) in enumerate(zip(segments, lengths, strict=True)):
        first, end = end + 1, end + 1 + length
        source = tf.cast(segment.row_starts(), tf.int32)[:, None] + position - first  # [B, T]
        values = tf.concat([tf.cast(segment.values, tf.int32), [pad_id]], 0)  # never empty, so that 0 can be gathered
        inside = (position >= first) & (position < end)
        word_ids = tf.where(inside, tf.gather(values, tf.where(inside, source, 0)), word_ids)
        word_ids = tf.where(position == end, sep_id, word_ids)
        type_ids = tf.where((position >= first) & (position <= end), number, type_ids)
    mask = tf.cast(tf.broadcast_to(position <= end, tf.shape(word_ids)), tf.int32)
    return {"input_word_ids": word_ids, "input_mask": mask, "input_type_ids": type_ids}


def _truncated(lengths, room):
    """How many tokens each segment keeps: what the original's token-by-token loop ends with."""
    import tensorflow as tf

    if len(lengths) == 1:
        return [tf.minimum(lengths[0], room)]
    first, second = lengths
    second = tf.minimum(second, tf.maximum(room // 2, room - first))
    return [tf.minimum(first, room - second), second]
