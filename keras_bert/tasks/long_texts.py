"""Counts of texts that are longer than a row, for one warning about all of them."""

import warnings

import numpy as np

from keras_bert.data.id_arrays import row_lengths
from keras_bert.errors import InputWarning


class LongTexts:
    """Numbers of texts that were truncated, and of all texts, since the last warning.

    Example:

    >>> long_texts = LongTexts()
    >>> long_texts.add(2, 10, max_tokens=128)
    >>> long_texts.truncated, long_texts.total
    (2, 10)
    """

    def __init__(self):
        self.truncated = self.total = 0
        self._limit = ""

    def add(self, truncated: int, total: int, max_tokens: int, what: str = "texts") -> None:
        """Add texts.

        Args:
            truncated: number of texts that were truncated.
            total: number of texts.
            max_tokens: number of tokens that they were truncated to.
            what: name of the texts.
        """
        self.truncated += truncated
        self.total += total
        self._limit = f"{what} are longer than {max_tokens} tokens"

    def warn(self) -> None:
        """Warn about the texts that were truncated, if there are any, and start again."""
        truncated, total = self.truncated, self.total
        self.truncated = self.total = 0
        if truncated:
            warnings.warn(f"{truncated:,} of {total:,} {self._limit} and were truncated.", InputWarning, stacklevel=3)


def count_truncated(texts, ids: dict, vectorizer, sequence_length: int) -> int:
    """Return how many texts or pairs have more tokens than their rows.

    Only texts of full rows are tokenized again.

    Args:
        texts: list of N strings, or a tuple of two such lists.
        ids: the encoder's inputs for them, `[N, T]` each.
        vectorizer: the `BertTextVectorization`.
        sequence_length: the maximum length of a row.
    """
    full = np.flatnonzero(row_lengths(ids) >= sequence_length)
    columns = texts if isinstance(texts, tuple) else (texts,)
    if not len(full):
        return 0
    lengths = [vectorizer.tokenize([column[i] for i in full]).row_lengths().numpy() for column in columns]  # [n] each
    return int((sum(lengths) + 1 + len(columns) > sequence_length).sum())
