"""Inputs for the comparison of two encoders."""

import numpy as np

from keras_bert.constants import INPUT_KEYS
from keras_bert.errors import InputError

RANDOM_ROWS = 8
SENTENCES = (
    "A fine film, and a brave one.",
    "Nothing in it is new; everything in it is true.",
    "I'd not see it twice.",
    "The plot? Unbelievable, in the bad sense of the word, and it takes two hours and forty minutes to say so.",
)
PAIRS = (
    ("Who wrote it?", "She did, over eleven years, mostly at night."),
    ("He paints.", "The sea was gray and nobody spoke until the boat had gone behind the rocks."),
    ("It was raining when we left the cinema.", "Good."),
)


def parity_inputs(config, vectorizer=None, sequence_length: int = 64, seed: int = 0) -> dict:
    """Create inputs that show mistakes of a BERT: padding of any length, two segments, ids of the whole vocabulary.

    Args:
        config: the encoder's `BertConfig`. It limits the ids, segments and length.
        vectorizer: a `BertTextVectorization` of the encoder's vocabulary, which adds real sentences and sentence pairs;
            or None.
        sequence_length: T, reduced to the encoder's positions if those are fewer.
        seed: the seed of the random rows.

    Returns:
        A dict of the three encoder inputs, int32 `[B, T]`: 7 rows of text with a vectorizer, then 8 random rows.

    Raises:
        InputError: the vectorizer has more tokens than the encoder.

    Example:

    >>> import keras_bert as kb
    >>> from keras_bert.parity import parity_inputs
    >>> parity_inputs(kb.BertConfig(vocab_size=100), sequence_length=16)["input_word_ids"].shape
    (8, 16)
    """
    length = min(sequence_length, config.max_position_embeddings)
    parts = []
    if vectorizer is not None:
        if vectorizer.vocabulary_size() > config.vocab_size:
            raise InputError(
                f"`vectorizer` must have at most as many tokens as the encoder, vocab_size={config.vocab_size}. "
                f"Received: a vectorizer of {vectorizer.vocabulary_size()} tokens"
            )
        parts += [vectorizer(list(SENTENCES)), vectorizer(tuple(list(side) for side in zip(*PAIRS, strict=True)))]
    rng = np.random.default_rng(seed)
    lengths = np.linspace(1, length, RANDOM_ROWS).astype(int)[:, None]  # [8, 1]
    positions = np.arange(length)[None, :]  # [1, T]
    mask = positions < lengths  # [8, T]
    segments = rng.integers(0, max(1, config.type_vocab_size), (RANDOM_ROWS, length)) * mask  # [8, T]
    # Every second row has its segments in two contiguous parts, as real pairs have.
    segments[::2] = (positions >= lengths[::2] // 2) & mask[::2] & (config.type_vocab_size > 1)
    ids = rng.integers(0, config.vocab_size, (RANDOM_ROWS, length)) * mask  # [8, T]
    parts.append(dict(zip(INPUT_KEYS, (ids, mask, segments), strict=True)))
    return {
        key: np.concatenate([fit_length(part[key], length) for part in parts]).astype("int32") for key in INPUT_KEYS
    }


def fit_length(rows, length: int) -> np.ndarray:
    """Truncate rows to a length, or pad them with zeros: `[B, any]` to `[B, T]`."""
    rows = np.asarray(rows)[:, :length]
    return np.pad(rows, ((0, 0), (0, length - rows.shape[1])))
