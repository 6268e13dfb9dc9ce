"""Dynamic masking for the masked language model: which tokens to hide, drawn afresh for every batch."""

import dataclasses

import numpy as np

from keras_bert.errors import InputError

SPECIAL_TOKENS = ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]")


@dataclasses.dataclass(frozen=True)
class Masking:
    """What masking must know of a vocabulary, and its rates.

    Args:
        mask_id: the id of `[MASK]`.
        ordinary: bool `[V]`, the ids that may be hidden or put in at random: all but the special tokens.
        word_starts: bool `[V]`, the ids that begin a word, to hide whole words; None hides single pieces.
        rate: the share of ordinary tokens to predict.
        max_predictions: P, the most predictions a row; the width of the outputs.

    Source: Devlin et al. 2018, section 3.1; whole words: README of google-research/bert, May 2019.
    """

    mask_id: int
    ordinary: np.ndarray
    word_starts: np.ndarray | None = None
    rate: float = 0.15
    max_predictions: int = 20

    def __post_init__(self):
        if not 0 < self.rate <= 1:
            raise InputError(f"the masking rate must be above 0 and at most 1. Received: {self.rate!r}")
        if self.max_predictions < 1:
            raise InputError(f"max_predictions must be at least 1. Received: {self.max_predictions!r}")

    @classmethod
    def from_vocabulary(cls, vocabulary: list[str], whole_words: bool = False, **rates) -> "Masking":
        """The facts read off a vocabulary list, where a `##` piece continues a word.

        Args:
            vocabulary: tokens in the order of their ids.
            whole_words: hide all pieces of a word together.
            **rates: `rate`, `max_predictions`.

        Raises:
            InputError: the vocabulary lacks `[MASK]`, or has nothing but special tokens.

        Example:

        >>> masking = Masking.from_vocabulary(["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "film", "##s"])
        >>> masking.mask_id, masking.ordinary.tolist()
        (4, [False, False, False, False, False, True, True])
        """
        if "[MASK]" not in vocabulary:
            raise InputError(f"masking needs [MASK] in the vocabulary. Received: {len(vocabulary)} tokens without it")
        ordinary = np.array([token not in SPECIAL_TOKENS for token in vocabulary])
        if not ordinary.any():
            raise InputError("masking needs ordinary tokens in the vocabulary. Received: special tokens alone")
        starts = np.array([not token.startswith("##") for token in vocabulary]) if whole_words else None
        return cls(vocabulary.index("[MASK]"), ordinary, starts, **rates)


def mask_tokens(input_word_ids: np.ndarray, masking: Masking, rng: np.random.Generator) -> dict[str, np.ndarray]:
    """Hide 15 % of the tokens: 80 % of them behind `[MASK]`, 10 % behind a random token, 10 % left as they are.

    A pure function of the generator: the same state gives the same draws. Each row predicts `rate` of its ordinary
    tokens, rounded, at least one and at most P; whole words that would go beyond are skipped.

    Args:
        input_word_ids: ids `[B, T]` with their special tokens and pads, which are never hidden.
        masking: `Masking`.
        rng: a numpy Generator.

    Returns:
        A dict: `input_word_ids` int32 `[B, T]` with the tokens hidden; `masked_lm_positions` int32 `[B, P]`, ascending,
        0 where unused; `masked_lm_ids` int32 `[B, P]`, what stood there; `masked_lm_weights` float32 `[B, P]`, 1 where
        a prediction counts, 0 where unused.

    Raises:
        InputError: an id outside the vocabulary.

    Example:

    >>> masking = Masking.from_vocabulary(["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "a", "b"], max_predictions=2)
    >>> hidden = mask_tokens(np.array([[2, 5, 6, 5, 3, 0]]), masking, np.random.default_rng(1))
    >>> hidden["masked_lm_positions"].tolist(), hidden["masked_lm_ids"].tolist(), hidden["masked_lm_weights"].tolist()
    ([[3, 0]], [[5, 0]], [[1.0, 0.0]])

    Source: Devlin et al. 2018, section 3.1 and appendix A.1; drawn afresh every epoch as in Liu et al. 2019
    (arXiv:1907.11692), section 4.1.
    """
    ids = np.asarray(input_word_ids, np.int32)  # [B, T]
    if ids.size and not 0 <= ids.min() <= ids.max() < len(masking.ordinary):
        raise InputError(f"ids must lie in 0 … {len(masking.ordinary) - 1}. Received: {ids.min()} … {ids.max()}")
    row = np.arange(len(ids))[:, None]  # [B, 1]
    ordinary = masking.ordinary[ids]  # [B, T]

    # 1. Words: the number of the word a token belongs to. Without a table of beginnings every token is a word.
    begins = np.ones_like(ordinary) if masking.word_starts is None else masking.word_starts[ids]
    begins = ordinary & (begins | ~np.pad(ordinary, ((0, 0), (1, 0)))[:, :-1])  # a cut word begins after a special
    word = np.cumsum(begins, axis=1) - 1  # [B, T], -1 before the first
    flat = (row * ids.shape[1] + np.maximum(word, 0)).ravel()
    width = np.bincount(flat, ordinary.ravel(), ids.size).astype(np.int32).reshape(ids.shape)  # [B, W], W = T at most

    # 2. Choose words in random order while they fit into what the row may predict.
    allowed = np.clip(np.round(masking.rate * ordinary.sum(axis=1)), 1, masking.max_predictions).astype(np.int32)  # [B]
    order = np.argsort(np.where(width > 0, rng.random(ids.shape), 2.0), axis=1)  # [B, W], words that are none last
    widths = np.take_along_axis(width, order, axis=1)  # [B, W]
    take = np.zeros(ids.shape, bool)  # [B, W]
    used = np.zeros_like(allowed)
    for rank in range(ids.shape[1]):
        fits = (widths[:, rank] > 0) & (used + widths[:, rank] <= allowed)
        take[:, rank] = fits
        used += fits * widths[:, rank]
        if (used == allowed).all():
            break
    chosen_words = np.zeros(ids.shape, bool)
    np.put_along_axis(chosen_words, order, take, axis=1)
    chosen = ordinary & chosen_words[row, np.maximum(word, 0)]  # [B, T]

    # 3. What stands in their place.
    action = rng.random(ids.shape)
    random_ids = rng.choice(np.flatnonzero(masking.ordinary), ids.shape)
    replacement = np.where(action < 0.8, masking.mask_id, np.where(action < 0.9, random_ids, ids))

    # 4. Gather the chosen positions to the left, in order; a stable sort of "not chosen" does just that.
    positions = np.argsort(~chosen, axis=1, kind="stable")[:, : masking.max_predictions]  # [B, min(P, T)]
    positions = np.pad(positions, ((0, 0), (0, masking.max_predictions - positions.shape[1])))  # [B, P]
    weights = np.arange(masking.max_predictions) < used[:, None]
    positions = np.where(weights, positions, 0)
    return {
        "input_word_ids": np.where(chosen, replacement, ids).astype(np.int32),
        "masked_lm_positions": positions.astype(np.int32),
        "masked_lm_ids": np.where(weights, ids[row, positions], 0).astype(np.int32),
        "masked_lm_weights": weights.astype(np.float32),
    }
