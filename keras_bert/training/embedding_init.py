"""Where pretraining may start instead of at random: word vectors counted from the corpus itself.

From its usual start a small BERT first learns how frequent words are, and for a while nothing else. Vectors of which
words stand near which are a head start there; tutorial 03 shows it. The architecture is untouched.
"""

import keras
import numpy as np
import scipy.sparse
import scipy.sparse.linalg

from keras_bert.errors import InputError
from keras_bert.text.masking import Masking
from keras_bert.text.packing import PretrainingExamples

WINDOW = 5  # tokens to either side
SMOOTHING = 0.75  # of the context's frequencies: keeps rare words from being everybody's best neighbour
TABLE_STD, POSITIONS_STD = 0.04, 0.03
CHUNK = 20_000  # rows counted at a time
ENOUGH = 200_000  # rows to count, spread over all: a bound on the time it takes


def warm_start_ppmi(pretrainer, examples: PretrainingExamples, masking: Masking, seed: int = 0) -> None:
    """Set a pretrainer's word embeddings from co-occurrences, its MLM bias from frequencies, its positions to waves.

    Word embeddings: counts of neighbours up to 5 tokens away, each weighted by 1 / distance; their positive pointwise
    mutual information with the contexts' frequencies to the power of 0.75; of that matrix the H largest singular
    vectors, times the root of their values; centred, and scaled to a standard deviation of 0.04. Tokens that never
    occur, and the special ones, keep their random start. The MLM bias becomes the log of each token's share, and the
    positions sinusoids of amplitude 0.03.

    Args:
        pretrainer: a `BertPretrainer`; it is changed in place.
        examples: the packed rows it will be trained on, `[N, T]`.
        masking: tells special tokens from others.
        seed: of the vector that the factorisation starts from.

    Raises:
        InputError: H is not below the number of tokens that occur.

    Example:

    >>> import keras_bert as kb
    >>> from keras_bert.text.packing import pack_examples
    >>> vocabulary = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *"abcdefghijkl"]
    >>> rows = pack_examples([[[5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16]] * 3], 16, 2, 3, sentence_task=None)
    >>> config = kb.BertConfig(vocab_size=17, hidden_size=8, num_layers=1, num_heads=2, intermediate_size=16)
    >>> pretrainer = kb.BertPretrainer(kb.BertEncoder(config), sentence_task=None)
    >>> warm_start_ppmi(pretrainer, rows, Masking.from_vocabulary(vocabulary))
    >>> table = keras.ops.convert_to_numpy(pretrainer.encoder.embeddings.word_embeddings.embeddings)
    >>> round(float(table[5:].std()), 3)
    0.04

    Source: Levy, Goldberg and Dagan 2015 (TACL 3), sections 2 and 3, for PPMI, smoothing and the root of the singular
    values; Vaswani et al. 2017, section 3.5, for the sinusoids.
    """
    embeddings = pretrainer.encoder.embeddings
    size, width = embeddings.word_embeddings.embeddings.shape
    examples = examples[:: max(1, len(examples) // ENOUGH)]
    counts, frequencies = cooccurrences(examples, size, masking.maskable)
    seen = np.flatnonzero(counts.sum(axis=1))
    if width >= len(seen):
        raise InputError(
            f"warm start ppmi needs more tokens that occur than the hidden size, {width}. Received: {len(seen)}"
        )
    vectors = factorise(ppmi(counts[seen][:, seen]), width, seed)  # [S, H]
    vectors -= vectors.mean(axis=0)
    table = keras.ops.convert_to_numpy(embeddings.word_embeddings.embeddings).copy()  # [V, H]
    table[seen] = vectors * (TABLE_STD / vectors.std())
    embeddings.word_embeddings.embeddings.assign(table)
    embeddings.position_embeddings.embeddings.assign(
        POSITIONS_STD * sinusoids(embeddings.position_embeddings.embeddings.shape)
    )
    pretrainer.mlm_head.output_bias.assign(np.log((frequencies + 1) / (frequencies.sum() + size)))


def cooccurrences(examples: PretrainingExamples, size: int, ordinary: np.ndarray):
    """How often two tokens stand near each other, and how often each stands at all.

    Args:
        examples: packed rows, `[N, T]`.
        size: V.
        ordinary: bool `[V]`, what is counted; a special token still takes its place between others.

    Returns:
        Symmetric sparse float `[V, V]`, each pair weighted by 1 / distance, and int `[V]`.
    """
    counts = scipy.sparse.csr_array((size, size), dtype=np.float32)
    frequencies = np.zeros(size, np.int64)
    for start in range(0, len(examples), CHUNK):
        ids = np.asarray(examples.input_word_ids[start : start + CHUNK])  # [R, T]
        counted = ordinary[ids]
        frequencies += np.bincount(ids[counted], minlength=size)
        for distance in range(1, min(WINDOW, ids.shape[1] - 1) + 1):
            pairs = counted[:, :-distance] & counted[:, distance:]
            left, right = ids[:, :-distance][pairs], ids[:, distance:][pairs]
            weights = np.full(len(left), 1 / distance, np.float32)
            counts = counts + scipy.sparse.coo_array((weights, (left, right)), shape=(size, size)).tocsr()
    return counts + counts.T, frequencies


def ppmi(counts):
    """max(0, log P(w, c) / (P(w) P(c)^0.75 / sum P^0.75)) of symmetric counts `[S, S]`, both sparse."""
    counts = counts.tocoo()
    sums = np.asarray(counts.sum(axis=1)).ravel()  # [S]
    contexts = sums**SMOOTHING / (sums**SMOOTHING).sum()
    rows, columns = counts.coords
    values = np.log(counts.data / (sums[rows] * contexts[columns]))
    kept = values > 0
    return scipy.sparse.csr_array((values[kept], (rows[kept], columns[kept])), shape=counts.shape)


def factorise(matrix, rank: int, seed: int) -> np.ndarray:
    """The left singular vectors of a sparse matrix `[S, S]` times the root of their values, `[S, rank]`."""
    start = np.random.default_rng(seed).standard_normal(matrix.shape[0])
    vectors, values, _ = scipy.sparse.linalg.svds(matrix.astype(np.float64), k=rank, v0=start)
    return vectors[:, ::-1] * np.sqrt(values[::-1])


def sinusoids(shape: tuple[int, int]) -> np.ndarray:
    """Sines in the first half of the columns, cosines in the second; wavelengths from 2 pi to 10,000 times that."""
    length, width = shape
    angles = np.arange(length)[:, None] / 10_000 ** (np.arange(width // 2) / (width // 2))  # [T, H / 2]
    waves = np.concatenate([np.sin(angles), np.cos(angles)], axis=1)
    return np.pad(waves, ((0, 0), (0, width - waves.shape[1])))  # an odd width's last column stays 0
