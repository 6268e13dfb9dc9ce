"""Initialization of token embeddings from PPMI co-occurrence statistics of the training text.

A small BERT with random embeddings first learns only the frequencies of the tokens. Embeddings from co-occurrences
shorten this phase (tutorials/07_what_pretraining_needs.py measures it). The architecture does not change. S is the number of tokens that occur.
"""

import keras
import numpy as np

from keras_bert.errors import InputError
from keras_bert.extras import require
from keras_bert.text.masking import Masking
from keras_bert.text.packing import PretrainingExamples

WINDOW = 5  # tokens to the left and to the right
SMOOTHING = 0.75  # context-distribution smoothing (Levy et al. 2015, section 3.2)
EMBEDDING_STD, POSITION_AMPLITUDE = 0.04, 0.03
CHUNK_SIZE = 20_000  # examples counted at a time; this limits the memory
MAX_EXAMPLES = 200_000  # evenly spaced examples that are counted; this limits the time


def initialize_embeddings(pretrainer, examples: PretrainingExamples, masking: Masking, seed: int = 0) -> None:
    """Set the word embeddings, the position embeddings and the output bias of a pretrainer before training.

    The word embeddings become `ppmi_embeddings`, centered and scaled to a standard deviation of 0.04. Special tokens
    and tokens that do not occur keep their random values. The output bias of the masked-LM head becomes the log of
    the token frequencies, and the position embeddings become sinusoids with an amplitude of 0.03.

    Args:
        pretrainer: a `BertPretrainer`. It is changed in place.
        examples: the packed examples of the training, `[N, T]`.
        masking: `Masking` of the same vocabulary. Its `maskable` excludes the special tokens.
        seed: seed of the start vector of the factorization.

    Raises:
        InputError: the embedding size is not below the number of tokens that occur, or scipy is not installed.

    Example:

    >>> import keras_bert as kb
    >>> from keras_bert.text.packing import pack_examples
    >>> vocabulary = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *"abcdefghijkl"]
    >>> examples = pack_examples([[[5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16]] * 3], 16, 2, 3, sentence_task=None)
    >>> config = kb.BertConfig(vocab_size=17, hidden_size=8, num_layers=1, num_heads=2, intermediate_size=16)
    >>> pretrainer = kb.BertPretrainer(kb.BertEncoder(config), sentence_task=None)
    >>> initialize_embeddings(pretrainer, examples, Masking.from_vocabulary(vocabulary))
    >>> table = keras.ops.convert_to_numpy(pretrainer.encoder.embeddings.word_embeddings.embeddings)
    >>> round(float(table[5:].std()), 3)
    0.04

    Source: Levy, Goldberg and Dagan 2015 (TACL 3), sections 2 and 3, for PPMI, smoothing and the root of the singular
    values; Vaswani et al. 2017 (arXiv:1706.03762), section 3.5, for the sinusoids.
    """
    embeddings = pretrainer.encoder.embeddings
    vocab_size, embedding_size = embeddings.word_embeddings.embeddings.shape
    examples = examples[:: max(1, len(examples) // MAX_EXAMPLES)]
    counts, frequencies = cooccurrences(examples, vocab_size, masking.maskable)
    seen = np.flatnonzero(counts.sum(axis=1))  # [S]
    if embedding_size >= len(seen):
        raise InputError(
            f"`embedding_init` must be None unless more tokens occur than the embedding size, {embedding_size}. "
            f"Received: embedding_init='ppmi' with {len(seen)} tokens that occur"
        )
    vectors = ppmi_embeddings(counts[seen][:, seen], embedding_size, seed)  # [S, E]
    vectors -= vectors.mean(axis=0)
    table = keras.ops.convert_to_numpy(embeddings.word_embeddings.embeddings).copy()  # [V, E]
    table[seen] = vectors * (EMBEDDING_STD / vectors.std())
    embeddings.word_embeddings.embeddings.assign(table)
    positions = embeddings.position_embeddings.embeddings
    positions.assign(POSITION_AMPLITUDE * sinusoids(positions.shape))
    pretrainer.mlm_head.output_bias.assign(np.log((frequencies + 1) / (frequencies.sum() + vocab_size)))  # [V]


def ppmi_embeddings(counts, embedding_size: int, seed: int = 0) -> np.ndarray:
    """Compute token vectors from co-occurrence counts.

    Args:
        counts: symmetric sparse counts `[S, S]` from `cooccurrences`, every row with at least one count.
        embedding_size: E, below S.
        seed: seed of the start vector of the factorization.

    Returns:
        float64 `[S, E]`: the left singular vectors of the PPMI matrix for the E largest singular values, times the
        square root of the values.
    """
    return factorize(ppmi(counts), embedding_size, seed)


def cooccurrences(examples: PretrainingExamples, vocab_size: int, ordinary: np.ndarray):
    """Count how often two tokens occur within 5 tokens of each other, and how often each token occurs.

    Args:
        examples: packed examples, `[N, T]`.
        vocab_size: V.
        ordinary: bool `[V]`, True for the tokens that are counted. Other tokens only add to the distance.

    Returns:
        Symmetric sparse float `[V, V]`, each pair weighted by 1 / distance, and int `[V]`.
    """
    sparse = require("scipy.sparse", "embedding_init='ppmi'")
    counts = sparse.csr_array((vocab_size, vocab_size), dtype=np.float32)
    frequencies = np.zeros(vocab_size, np.int64)
    for start in range(0, len(examples), CHUNK_SIZE):
        ids = np.asarray(examples.input_word_ids[start : start + CHUNK_SIZE])  # [R, T]
        counted = ordinary[ids]  # [R, T]
        frequencies += np.bincount(ids[counted], minlength=vocab_size)
        for distance in range(1, min(WINDOW, ids.shape[1] - 1) + 1):
            pairs = counted[:, :-distance] & counted[:, distance:]  # [R, T - distance]
            left, right = ids[:, :-distance][pairs], ids[:, distance:][pairs]
            weights = np.full(len(left), 1 / distance, np.float32)
            shape = (vocab_size, vocab_size)
            counts = counts + sparse.coo_array((weights, (left, right)), shape=shape).tocsr()
    return counts + counts.T, frequencies


def ppmi(counts):
    """Compute max(0, log P(w, c) / (P(w) P(c)^0.75 / sum P^0.75)) of symmetric counts `[S, S]`, both sparse."""
    from scipy.sparse import csr_array

    counts = counts.tocoo()
    sums = np.asarray(counts.sum(axis=1)).ravel()  # [S]
    contexts = sums**SMOOTHING / (sums**SMOOTHING).sum()  # [S]
    rows, columns = counts.coords
    values = np.log(counts.data / (sums[rows] * contexts[columns]))
    positive = values > 0
    return csr_array((values[positive], (rows[positive], columns[positive])), shape=counts.shape)


def factorize(matrix, rank: int, seed: int) -> np.ndarray:
    """Compute the left singular vectors of a sparse `[S, S]` times the root of the singular values, `[S, rank]`."""
    from scipy.sparse.linalg import svds

    start = np.random.default_rng(seed).standard_normal(matrix.shape[0])
    vectors, values, _ = svds(matrix.astype(np.float64), k=rank, v0=start)
    return vectors[:, ::-1] * np.sqrt(values[::-1])


def sinusoids(shape: tuple[int, int]) -> np.ndarray:
    """Compute sines (first half of the columns) and cosines (second half), with wavelengths from 2 pi to 20,000 pi.

    Args:
        shape: (T, E).
    """
    length, width = shape
    angles = np.arange(length)[:, None] / 10_000 ** (np.arange(width // 2) / (width // 2))  # [T, E / 2]
    waves = np.concatenate([np.sin(angles), np.cos(angles)], axis=1)
    return np.pad(waves, ((0, 0), (0, width - waves.shape[1])))  # the last column of an odd width stays 0
