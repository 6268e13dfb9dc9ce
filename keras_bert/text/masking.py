"""Dynamic masking for the masked language model."""

import dataclasses

import numpy as np

from keras_bert.constants import SPECIAL_TOKENS
from keras_bert.errors import InputError


@dataclasses.dataclass(frozen=True)
class Masking:
    """Settings of masking: its rate, the number of predictions per row, and the maskable tokens of the vocabulary.

    Args:
        mask_id: the id of `[MASK]`.
        maskable: bool `[V]`, True for the ids that may be masked or used as random replacements: all ids except those
            of the special tokens.
        word_starts: bool `[V]`, True for the ids that start a word, for whole word masking; None to mask single tokens.
        rate: fraction of the maskable tokens to predict.
        max_predictions: P, the largest number of predictions per row, and the size of the outputs
            (`max_predictions_per_seq` in google-research/bert).

    Raises:
        InputError: `rate` or `max_predictions` is outside its range.

    Source: Devlin et al. 2018, section 3.1; whole word masking: README of google-research/bert, May 2019.
    """

    mask_id: int
    maskable: np.ndarray
    word_starts: np.ndarray | None = None
    rate: float = 0.15
    max_predictions: int = 20

    def __post_init__(self):
        if not 0 < self.rate <= 1:
            raise InputError(f"`rate` must be above 0 and at most 1. Received: rate={self.rate!r}")
        if self.max_predictions < 1:
            raise InputError(
                f"`max_predictions` must be at least 1. Received: max_predictions={self.max_predictions!r}"
            )

    @classmethod
    def from_vocabulary(cls, vocabulary: list[str], whole_words: bool = False, **rates) -> "Masking":
        """Create the settings for a vocabulary in which `##` marks a token that continues a word.

        Args:
            vocabulary: the tokens in the order of their ids.
            whole_words: mask all tokens of a word together (whole word masking).
            **rates: `rate` and `max_predictions`.

        Returns:
            A `Masking`.

        Raises:
            InputError: the vocabulary has no `[MASK]`, or only special tokens.

        Example:

        >>> masking = Masking.from_vocabulary(["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "film", "##s"])
        >>> masking.mask_id, masking.maskable.tolist()
        (4, [False, False, False, False, False, True, True])
        """
        if "[MASK]" not in vocabulary:
            raise InputError(f"`vocabulary` must contain [MASK]. Received: {len(vocabulary)} tokens without it")
        maskable = np.array([token not in SPECIAL_TOKENS for token in vocabulary])
        if not maskable.any():
            raise InputError(
                "`vocabulary` must contain tokens that are not special tokens. "
                f"Received: {len(vocabulary)} special tokens"
            )
        starts = np.array([not token.startswith("##") for token in vocabulary]) if whole_words else None
        return cls(vocabulary.index("[MASK]"), maskable, starts, **rates)


def mask_tokens(input_word_ids: np.ndarray, masking: Masking, rng: np.random.Generator) -> dict[str, np.ndarray]:
    """Choose random tokens to predict: 80 % become `[MASK]`, 10 % become a random token, 10 % stay unchanged.

    In each row, the fraction `masking.rate` of the maskable tokens is chosen, rounded, at least one and at most P. With
    whole word masking, a word that would exceed this number is skipped. The result depends only on the arguments: a
    generator in the same state gives the same masks.

    Args:
        input_word_ids: ids `[B, T]` with special tokens and padding, which are never masked.
        masking: a `Masking`.
        rng: a NumPy random generator.

    Returns:
        A dict:
        - `input_word_ids`: int32 `[B, T]`, with the tokens masked;
        - `masked_lm_positions`: int32 `[B, P]`, ascending, 0 where unused;
        - `masked_lm_ids`: int32 `[B, P]`, the original ids at these positions, 0 where unused;
        - `masked_lm_weights`: float32 `[B, P]`, 1 for a prediction, 0 where unused.

    Raises:
        InputError: an id is not in the vocabulary.

    Example:

    >>> masking = Masking.from_vocabulary(["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "a", "b"], max_predictions=2)
    >>> masked = mask_tokens(np.array([[2, 5, 6, 5, 3, 0]]), masking, np.random.default_rng(1))
    >>> masked["masked_lm_positions"].tolist(), masked["masked_lm_ids"].tolist(), masked["masked_lm_weights"].tolist()
    ([[3, 0]], [[5, 0]], [[1.0, 0.0]])

    Source: Devlin et al. 2018, section 3.1 and appendix A.1. New masks in every epoch: Liu et al. 2019
    (arXiv:1907.11692), section 4.1.
    """
    ids = np.asarray(input_word_ids, np.int32)  # [B, T]
    if ids.size and not 0 <= ids.min() <= ids.max() < len(masking.maskable):
        raise InputError(
            f"`input_word_ids` must be in 0 … {len(masking.maskable) - 1}. Received: {ids.min()} … {ids.max()}"
        )
    row = np.arange(len(ids))[:, None]  # [B, 1]
    maskable = masking.maskable[ids]  # [B, T]

    # 1. Words: the index of the word that each token belongs to. Without `word_starts`, every token is a word.
    starts = np.ones_like(maskable) if masking.word_starts is None else masking.word_starts[ids]  # [B, T]
    after_special = ~np.pad(maskable, ((0, 0), (1, 0)))[:, :-1]  # [B, T]; the first token of a truncated word
    starts = maskable & (starts | after_special)
    word = np.cumsum(starts, axis=1) - 1  # [B, T], -1 before the first word
    flat = (row * ids.shape[1] + np.maximum(word, 0)).ravel()
    width = np.bincount(flat, maskable.ravel(), ids.size).astype(np.int32).reshape(ids.shape)  # [B, W], W <= T

    # 2. Choose words in random order, as long as they fit into the number of predictions of the row.
    allowed = np.clip(np.round(masking.rate * maskable.sum(axis=1)), 1, masking.max_predictions).astype(np.int32)  # [B]
    order = np.argsort(np.where(width > 0, rng.random(ids.shape), 2.0), axis=1)  # [B, W], empty words last
    widths = np.take_along_axis(width, order, axis=1)  # [B, W]
    take = np.zeros(ids.shape, bool)  # [B, W]
    used = np.zeros_like(allowed)  # [B]
    for rank in range(ids.shape[1]):
        fits = (widths[:, rank] > 0) & (used + widths[:, rank] <= allowed)  # [B]
        take[:, rank] = fits
        used += fits * widths[:, rank]
        if (used == allowed).all():
            break
    chosen_words = np.zeros(ids.shape, bool)  # [B, W]
    np.put_along_axis(chosen_words, order, take, axis=1)
    chosen = maskable & chosen_words[row, np.maximum(word, 0)]  # [B, T]

    # 3. Replacements: 80 % [MASK], 10 % random, 10 % unchanged.
    action = rng.random(ids.shape)  # [B, T]
    random_ids = rng.choice(np.flatnonzero(masking.maskable), ids.shape)  # [B, T]
    replacement = np.where(action < 0.8, masking.mask_id, np.where(action < 0.9, random_ids, ids))  # [B, T]

    # 4. Positions of the chosen tokens, ascending: a stable sort of `~chosen` puts the chosen ones, False, first.
    positions = np.argsort(~chosen, axis=1, kind="stable")[:, : masking.max_predictions]  # [B, min(P, T)]
    positions = np.pad(positions, ((0, 0), (0, masking.max_predictions - positions.shape[1])))  # [B, P]
    weights = np.arange(masking.max_predictions) < used[:, None]  # [B, P]
    positions = np.where(weights, positions, 0)  # [B, P]
    return {
        "input_word_ids": np.where(chosen, replacement, ids).astype(np.int32),
        "masked_lm_positions": positions.astype(np.int32),
        "masked_lm_ids": np.where(weights, ids[row, positions], 0).astype(np.int32),
        "masked_lm_weights": weights.astype(np.float32),
    }
