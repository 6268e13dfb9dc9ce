"""Tokenized documents in flat arrays, the input of packing."""

import dataclasses
from collections.abc import Iterable, Sequence

import numpy as np

from keras_bert.errors import InputError


@dataclasses.dataclass(frozen=True)
class TokenizedDocuments:
    """Tokenized documents in three flat arrays, without a Python object per sentence.

    Args:
        ids: the token ids of all documents, concatenated, `[tokens]`, without special tokens.
        sentence_starts: the index in `ids` where each sentence starts, then the end, int64 `[sentences + 1]`.
        document_starts: the index of each document's first sentence, then the end, int64 `[documents + 1]`.

    Example:

    >>> documents = TokenizedDocuments.from_lists([[[5, 6], [7]], [[8, 9]]])
    >>> len(documents), documents.ids.tolist(), documents.document_starts.tolist()
    (2, [5, 6, 7, 8, 9], [0, 2, 3])
    """

    ids: np.ndarray
    sentence_starts: np.ndarray
    document_starts: np.ndarray

    @classmethod
    def from_lists(cls, documents: Iterable[Sequence[Sequence[int]]]) -> "TokenizedDocuments":
        """Convert documents from lists. Empty sentences and documents are dropped.

        Args:
            documents: lists of sentences, each a list of token ids without special tokens.

        Returns:
            `TokenizedDocuments`.

        Raises:
            InputError: there is no token, or an id is negative.
        """
        parts, lengths, counts = [], [], []
        for document in documents:
            sentences = [np.asarray(sentence, np.int32) for sentence in document if len(sentence)]
            if sentences:
                parts.append(compact_ids(np.concatenate(sentences)))
                lengths.extend(map(len, sentences))
                counts.append(len(sentences))
        if not parts:
            raise InputError("`documents` must contain at least one token. Received: 0 tokens")
        return cls(np.concatenate(parts), offsets_from_lengths(lengths), offsets_from_lengths(counts))

    def __len__(self) -> int:
        return len(self.document_starts) - 1

    def take(self, rows: np.ndarray) -> "TokenizedDocuments":
        """Select documents by their indices, in the order of `rows`."""
        sentences = concatenated_ranges(self.document_starts[:-1][rows], self.document_starts[1:][rows])
        tokens = concatenated_ranges(self.sentence_starts[:-1][sentences], self.sentence_starts[1:][sentences])
        lengths = np.diff(self.sentence_starts)[sentences]
        return TokenizedDocuments(
            self.ids[tokens], offsets_from_lengths(lengths), offsets_from_lengths(np.diff(self.document_starts)[rows])
        )

    def split(self, fraction: float = 0.05, seed: int = 0) -> tuple["TokenizedDocuments", "TokenizedDocuments"]:
        """Split into training and validation documents.

        Args:
            fraction: fraction of the documents to use for validation (at least two documents).
            seed: seed of the random split.

        Returns:
            Two disjoint `TokenizedDocuments`: for training, for validation.

        Raises:
            InputError: there are fewer than four documents, or `fraction` is not between 0 and 1.

        Example:

        >>> train, validation = TokenizedDocuments.from_lists([[[5, 6]]] * 40).split(0.1)
        >>> len(train), len(validation)
        (36, 4)
        """
        if not 0 < fraction < 1:
            raise InputError(f"`fraction` must be between 0 and 1. Received: fraction={fraction!r}")
        if len(self) < 4:
            raise InputError(
                f"`documents` must contain at least 4 documents to be split. Received: {len(self)} documents"
            )
        count = min(max(2, round(fraction * len(self))), len(self) - 2)
        order = np.random.default_rng(seed).permutation(len(self))
        return self.take(np.sort(order[count:])), self.take(np.sort(order[:count]))


def compact_ids(ids: np.ndarray) -> np.ndarray:
    """Convert ids to uint16 if they fit, otherwise to int32.

    Raises:
        InputError: an id is negative.
    """
    if ids.size and ids.min() < 0:
        raise InputError(f"`ids` must be at least 0. Received: {ids.min()}")
    return ids.astype(np.uint16 if not ids.size or ids.max() < 2**16 else np.int32)


def offsets_from_lengths(lengths) -> np.ndarray:
    """Compute the start of each piece in a concatenation, and the end of the last one, from the lengths of the pieces.

    Example:

    >>> offsets_from_lengths([2, 3]).tolist()
    [0, 2, 5]
    """
    return np.concatenate([[0], np.cumsum(lengths, dtype=np.int64)])


def concatenated_ranges(starts: np.ndarray, stops: np.ndarray) -> np.ndarray:
    """Concatenate the ranges `start, …, stop - 1` of all pairs of a start and a stop.

    Example:

    >>> concatenated_ranges(np.array([4, 0]), np.array([6, 3])).tolist()
    [4, 5, 0, 1, 2]
    """
    lengths = stops - starts
    offset = np.repeat(starts - offsets_from_lengths(lengths)[:-1], lengths)
    return offset + np.arange(lengths.sum())
