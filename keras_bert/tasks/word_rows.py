"""Rows of token ids for sentences given as words, and the position of the first token of each word."""

from collections.abc import Sequence

import numpy as np

from keras_bert.text.offsets import OffsetTokenizer

Positions = list[list[tuple[int, int] | None]]


def word_rows(sentences: Sequence[Sequence[str]], preprocessor) -> tuple[dict, Positions]:
    """Convert sentences of words to rows of token ids.

    A sentence that is longer than a row continues in the next row, at the beginning of a word. A word that is longer
    than a row is truncated.

    Args:
        sentences: list of lists of words.
        preprocessor: `Preprocessor`.

    Returns:
        The dict of the encoder's inputs, int32 `[R, T]` for R rows; and for each sentence a list with the (row, column)
        of the first token of each word, or None for a word without tokens.
    """
    tokenizer = OffsetTokenizer(
        list(preprocessor.vocabulary), preprocessor.lowercase, preprocessor.added_tokens, preprocessor.splitting
    )
    cls_id, sep_id, pad_id = (preprocessor.vocabulary.index(token) for token in ("[CLS]", "[SEP]", "[PAD]"))
    max_tokens = preprocessor.sequence_length - 2
    cache: dict[str, list[int]] = {}
    rows, positions = [], []
    for words in sentences:
        row, first_tokens = [], []
        for word in words:
            if word not in cache:
                cache[word] = tokenizer(word)[0][:max_tokens]
            tokens = cache[word]
            if len(row) + len(tokens) > max_tokens:
                rows.append([cls_id, *row, sep_id])
                row = []
            first_tokens.append((len(rows), 1 + len(row)) if tokens else None)
            row += tokens
        rows.append([cls_id, *row, sep_id])
        positions.append(first_tokens)
    lengths = np.array([len(row) for row in rows])
    word_ids = np.full((len(rows), lengths.max()), pad_id, np.int32)  # [R, T]
    for i, row in enumerate(rows):
        word_ids[i, : len(row)] = row
    mask = (np.arange(lengths.max()) < lengths[:, None]).astype(np.int32)  # [R, T]
    return {"input_word_ids": word_ids, "input_mask": mask, "input_type_ids": np.zeros_like(word_ids)}, positions
