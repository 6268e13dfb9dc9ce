"""Packing of lists of token ids into the three model inputs with NumPy, for models that run without TensorFlow."""

import itertools
from collections.abc import Sequence

import numpy as np

from keras_bert.constants import INPUT_KEYS


def pack_lists(
    segments: Sequence[Sequence[list[int]]], sequence_length: int, cls_id: int, sep_id: int, pad_id: int
) -> tuple[dict[str, np.ndarray], int]:
    """Pack one or two segments per row, and pad to the longest row. The rows equal those of `model_inputs.pack`.

    Args:
        segments: one or two lists of N lists of ids.
        sequence_length: the largest length of a row, at least 3.
        cls_id, sep_id, pad_id: ids of the special tokens.

    Returns:
        A dict of int32 arrays `[N, T]`: `input_word_ids`; `input_mask`, 1 for tokens, 0 for padding; `input_type_ids`,
        1 for the second segment and its [SEP], otherwise 0. And the number of rows that were truncated.

    Example:

    >>> ids, truncated = pack_lists([[[5], [6, 7, 8]]], 4, cls_id=2, sep_id=3, pad_id=0)
    >>> ids["input_word_ids"].tolist(), truncated
    ([[2, 5, 3, 0], [2, 6, 7, 3]], 1)
    """
    room = max(0, sequence_length - 1 - len(segments))
    rows, first_lengths, truncated = [], [], 0
    for first, *rest in zip(*segments, strict=True):
        second = rest[0] if rest else []
        if len(first) + len(second) > room:
            truncated += 1
            second = second[: max(room // 2, room - len(first))] if rest else second
            first = first[: room - len(second)]
        rows.append([cls_id, *first, sep_id, *second, sep_id] if rest else [cls_id, *first, sep_id])
        first_lengths.append(len(first) + 2)
    lengths = np.array([len(row) for row in rows], np.int32)  # [N]
    column = np.arange(lengths.max(initial=0))  # [T]
    is_token = column < lengths[:, None]  # [N, T]
    word_ids = np.full(is_token.shape, pad_id, np.int32)
    word_ids[is_token] = list(itertools.chain.from_iterable(rows))
    is_second = is_token & (column >= np.array(first_lengths, np.int32)[:, None])  # [N, T], False for one segment
    arrays = word_ids, is_token.astype(np.int32), is_second.astype(np.int32)
    return dict(zip(INPUT_KEYS, arrays, strict=True)), truncated
