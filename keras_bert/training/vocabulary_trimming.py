"""Smaller vocabularies and fewer layers: parts of a pretrained encoder that make a smaller one without training."""

from collections.abc import Iterable

import keras
import numpy as np

from keras_bert.constants import SPECIAL_TOKENS
from keras_bert.errors import InputError
from keras_bert.models import BertEncoder
from keras_bert.models.change_config import custom_classes
from keras_bert.models.copy_weights import assign_weights
from keras_bert.models.resize import check_plain_table


def count_pieces(vectorizer, texts: Iterable[str], batch_size: int = 4096) -> np.ndarray:
    """Count how often each piece of a vocabulary occurs in texts.

    Args:
        vectorizer: the `BertTextVectorization` of the vocabulary.
        texts: strings, read once and in batches.
        batch_size: texts per call of the vectorizer.

    Returns:
        int64 `[V]`.

    Example:

    >>> import keras_bert as kb
    >>> vectorizer = kb.BertTextVectorization(["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "a", "film", "##s"])
    >>> count_pieces(vectorizer, ["a film", "films"]).tolist()
    [0, 0, 0, 0, 0, 1, 2, 1]
    """
    counts = np.zeros(vectorizer.vocabulary_size(), np.int64)  # [V]
    batch: list[str] = []

    def add() -> None:
        if batch:
            counts[:] += np.bincount(vectorizer.tokenize(batch).flat_values.numpy(), minlength=len(counts))
            batch.clear()

    for text in texts:
        batch.append(text)
        if len(batch) == batch_size:
            add()
    add()
    return counts


def most_frequent_pieces(vocabulary: list[str], counts, size: int) -> list[str]:
    """Select the special tokens, the ASCII characters and the most frequent other pieces of a vocabulary.

    A word whose piece is left out is split into smaller pieces, down to single characters. Therefore every ASCII
    character is kept, at the start and inside of a word. Other characters are kept if they are frequent enough.

    Args:
        vocabulary: V tokens.
        counts: number `[V]`: how often each piece occurs, or a weighted sum of such counts.
        size: number of tokens to keep.

    Returns:
        `size` tokens: the special tokens, then the pieces from the most to the least frequent. Pieces of equal
        frequency are in the order of the vocabulary.

    Raises:
        InputError: `counts` do not fit the vocabulary, or `size` is smaller than the number of tokens that are always
            kept or larger than the vocabulary.

    Example:

    >>> vocabulary = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "a", "film", "movie", "##s", "##z"]
    >>> most_frequent_pieces(vocabulary, [0, 0, 0, 0, 0, 9, 5, 7, 3, 0], size=9)
    ['[PAD]', '[UNK]', '[CLS]', '[SEP]', '[MASK]', 'a', 'movie', '##s', '##z']
    """
    counts = np.asarray(counts, np.float64)
    if counts.shape != (len(vocabulary),):
        raise InputError(f"`counts` must have one number per token, ({len(vocabulary)},). Received: {counts.shape}")
    always = {i for i, token in enumerate(vocabulary) if token in SPECIAL_TOKENS or _is_ascii_character(token)}
    if not len(always) <= size <= len(vocabulary):
        raise InputError(
            f"`size` must be in {len(always)} … {len(vocabulary)}: the special tokens and ASCII characters are kept. "
            f"Received: size={size}"
        )
    order = np.argsort(-counts, kind="stable")
    others = [i for i in order if i not in always][: size - len(always)]
    pieces = always.union(others)
    ordered = [i for i in order if i in pieces and vocabulary[i] not in SPECIAL_TOKENS]
    return [token for token in vocabulary if token in SPECIAL_TOKENS] + [vocabulary[i] for i in ordered]


def trim_vocabulary(encoder, vocabulary: list[str], kept: list[str]) -> BertEncoder:
    """Create an encoder with a smaller vocabulary and copy all weights; the word embeddings of the kept tokens only.

    For a text whose pieces are all kept, the outputs are the same.

    Args:
        encoder: a `BertEncoder`.
        vocabulary: its V tokens.
        kept: tokens of `vocabulary` in the order of the new ids, for example from `most_frequent_pieces`.

    Returns:
        A `BertEncoder` with `vocab_size=len(kept)`.

    Raises:
        InputError: a token is not in the vocabulary, or the word embeddings are quantized or have LoRA.

    Example:

    >>> import keras_bert as kb
    >>> vocabulary = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "a", "film", "movie"]
    >>> config = kb.BertConfig(vocab_size=8, hidden_size=8, num_layers=1, num_heads=2, intermediate_size=16)
    >>> trim_vocabulary(kb.BertEncoder(config), vocabulary, vocabulary[:6]).config.vocab_size
    6

    Source: Abdaoui et al. 2020 (arXiv:2010.05609), section 3.
    """
    row_of = {token: row for row, token in enumerate(vocabulary)}
    missing = [token for token in kept if token not in row_of]
    if missing:
        raise InputError(f"`kept` must contain tokens of `vocabulary`. Received: {missing[0]!r}, which is not in it")
    check_plain_table(encoder)
    rows = [row_of[token] for token in kept]
    smaller = _new_encoder(encoder, vocab_size=len(kept))
    # The word embeddings are the only weights with one row per token.
    words = encoder.embeddings.word_embeddings.embeddings
    for target, source in zip(smaller.weights, encoder.weights, strict=True):
        values = keras.ops.convert_to_numpy(source)
        assign_weights([target], [values[rows] if source is words else values])
    return smaller


def keep_lowest_layers(encoder, num_layers: int) -> BertEncoder:
    """Create an encoder from the embeddings, the lowest layers and the pooler of another one.

    Args:
        encoder: a `BertEncoder`.
        num_layers: number of layers to keep.

    Returns:
        A `BertEncoder`.

    Raises:
        InputError: `num_layers` is not in 1 … the encoder's number of layers.

    Example:

    >>> import keras_bert as kb
    >>> config = kb.BertConfig(vocab_size=8, hidden_size=8, num_layers=3, num_heads=2, intermediate_size=16)
    >>> keep_lowest_layers(kb.BertEncoder(config), 2).config.num_layers
    2

    Source: Sajjad et al. 2023 (arXiv:2004.03844), section 3.1, "Top-Layer Dropping".
    """
    if not 1 <= num_layers <= encoder.config.num_layers:
        raise InputError(f"`num_layers` must be in 1 … {encoder.config.num_layers}. Received: num_layers={num_layers}")
    shallower = _new_encoder(encoder, num_layers=num_layers)
    parts = [(shallower.embeddings, encoder.embeddings), (shallower.pooler, encoder.pooler)]
    parts += zip(shallower.blocks, encoder.blocks, strict=False)
    for target, source in parts:
        if source is not None:
            assign_weights(target.weights, source.weights)
    return shallower


def _new_encoder(encoder, **changes) -> BertEncoder:
    """Return a new encoder with a changed config, and the same dtypes and replaced sublayers."""
    config = encoder.get_config()
    config["config"] = {**config["config"], **changes}
    names = {part.name for part in encoder.parts[: 1 + config["config"]["num_layers"]]} | {"pooler"}
    config["frozen"] = [name for name in config["frozen"] if name in names]
    for key in ("blocks", "block_states"):
        if key in config:
            config[key] = config[key][: config["config"]["num_layers"]]
    with custom_classes(encoder):
        return type(encoder).from_config(config)


def _is_ascii_character(token: str) -> bool:
    character = token.removeprefix("##") if len(token) > 2 else token
    return len(character) == 1 and character.isascii()
