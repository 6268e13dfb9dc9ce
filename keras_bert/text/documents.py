"""Tokenized documents in flat arrays: what pretraining packs."""

import dataclasses
from collections.abc import Iterable, Sequence

import numpy as np

from keras_bert.errors import InputError


@dataclasses.dataclass(frozen=True)
class TokenizedDocuments:
    """Tokenized documents in three flat arrays: millions of sentences without a Python object for each.

    Args:
        ids: all token ids, one after another, `[tokens]`, without special tokens.
        sentence_starts: where each sentence begins in `ids`, and the end, int64 `[sentences + 1]`.
        document_starts: which sentence each document begins with, and the end, int64 `[documents + 1]`.

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
        """From documents as lists of sentences, each a list of ids; empty sentences and documents are left out.

        Raises:
            InputError: there is no token at all, or an id below 0.
        """
        parts, lengths, counts = [], [], []
        for document in documents:
            sentences = [np.asarray(sentence, np.int32) for sentence in document if len(sentence)]
            if sentences:
                parts.append(compact_ids(np.concatenate(sentences)))
                lengths.extend(map(len, sentences))
                counts.append(len(sentences))
        if not parts:
            raise InputError("pretraining needs documents with tokens. Received: none")
        return cls(np.concatenate(parts), offsets_from_lengths(lengths), offsets_from_lengths(counts))

    def __len__(self) -> int:
        return len(self.document_starts) - 1

    def take(self, rows: np.ndarray) -> "TokenizedDocuments":
        """These documents alone, in the order of `rows`."""
        sentences = ranges(self.document_starts[:-1][rows], self.document_starts[1:][rows])
        tokens = ranges(self.sentence_starts[:-1][sentences], self.sentence_starts[1:][sentences])
        lengths = np.diff(self.sentence_starts)[sentences]
        return TokenizedDocuments(
            self.ids[tokens], offsets_from_lengths(lengths), offsets_from_lengths(np.diff(self.document_starts)[rows])
        )

    def split(self, fraction: float = 0.05, seed: int = 0) -> tuple["TokenizedDocuments", "TokenizedDocuments"]:
        """Two disjoint sets of whole documents: what is trained on, and `fraction` of them (at least two) to validate.

        Raises:
            InputError: fewer than four documents, or a fraction outside 0 to 1.

        Example:

        >>> train, held_out = TokenizedDocuments.from_lists([[[5, 6]]] * 40).split(0.1)
        >>> len(train), len(held_out)
        (36, 4)
        """
        if not 0 < fraction < 1:
            raise InputError(f"the held-out fraction must lie between 0 and 1. Received: {fraction!r}")
        if len(self) < 4:
            raise InputError(f"holding documents out needs at least 4 of them. Received: {len(self)}")
        held = min(max(2, round(fraction * len(self))), len(self) - 2)
        order = np.random.default_rng(seed).permutation(len(self))
        return self.take(np.sort(order[held:])), self.take(np.sort(order[:held]))


def compact_ids(ids: np.ndarray) -> np.ndarray:
    """The same ids in two bytes each where they fit, else in four.

    Raises:
        InputError: an id below 0.
    """
    if ids.size and ids.min() < 0:
        raise InputError(f"token ids are 0 or more. Received: {ids.min()}")
    return ids.astype(np.uint16 if not ids.size or ids.max() < 2**16 else np.int32)


def offsets_from_lengths(lengths) -> np.ndarray:
    """Where pieces of these lengths begin, one after another, and the end."""
    return np.concatenate([[0], np.cumsum(lengths, dtype=np.int64)])


def ranges(starts: np.ndarray, stops: np.ndarray) -> np.ndarray:
    """`[start, start + 1, …, stop - 1]` of every pair, one after another."""
    lengths = stops - starts
    offset = np.repeat(starts - offsets_from_lengths(lengths)[:-1], lengths)
    return offset + np.arange(lengths.sum())
