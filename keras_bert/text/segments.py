"""Segments A and B of pretraining examples, as ranges of tokens, for each sentence task."""

import itertools

import numpy as np

from keras_bert.errors import InputError
from keras_bert.text.documents import TokenizedDocuments, concatenated_ranges, offsets_from_lengths


def next_sentence_pairs(
    documents: TokenizedDocuments, max_num_tokens: int, short_seq_prob: float, rng
) -> tuple[np.ndarray, np.ndarray]:
    """Choose segment pairs for next sentence prediction.

    Args:
        documents: `TokenizedDocuments`, at least two.
        max_num_tokens: the largest number of tokens of A and B together.
        short_seq_prob: probability of a random shorter target length for a pair.
        rng: a NumPy random generator.

    Returns:
        The ranges in `documents.ids`, int64 `[N, 4]` (A start, A end, B start, B end), and the labels, int8 `[N]`:
        1 where B is random.
    """
    offset = documents.sentence_starts.tolist()  # Python ints are faster than an array in this loop
    document_starts = documents.document_starts.tolist()
    count = len(documents)
    draw = rng.random  # a float in [0, 1)

    def random_integer(n: int) -> int:
        """Draw an integer from 0 … n - 1."""
        return int(draw() * n)

    spans, labels = [], []
    for index in range(count):
        start, end = document_starts[index], document_starts[index + 1]
        while start < end:
            target = 2 + random_integer(max_num_tokens - 1) if draw() < short_seq_prob else max_num_tokens
            stop = start + 1
            while stop < end and offset[stop] - offset[start] < target:
                stop += 1
            middle = start + 1 + (random_integer(stop - start - 1) if stop - start > 1 else 0)  # A is never empty
            is_random = stop - start == 1 or draw() < 0.5
            if is_random:
                other = random_integer(count - 1)
                other += other >= index  # any other document than this one
                first = document_starts[other] + random_integer(document_starts[other + 1] - document_starts[other])
                last = first + 1
                needed = target - (offset[middle] - offset[start])
                while last < document_starts[other + 1] and offset[last] - offset[first] < needed:
                    last += 1
                spans.append((offset[start], offset[middle], offset[first], offset[last]))
                start = middle  # the sentences not used for B are used again
            else:
                spans.append((offset[start], offset[middle], offset[middle], offset[stop]))
                start = stop
            labels.append(is_random)
    return _truncate(np.array(spans, np.int64), max_num_tokens, rng), np.array(labels, np.int8)


def sentence_order_pairs(
    documents: TokenizedDocuments, max_num_tokens: int, short_seq_prob: float, rng
) -> tuple[np.ndarray, np.ndarray]:
    """Choose segment pairs for sentence order prediction: consecutive segments of one document, in order or swapped.

    Arguments and results are those of `next_sentence_pairs`; the label is 1 where the segments are swapped.

    Raises:
        InputError: no document has two sentences.
    """
    offset = documents.sentence_starts.tolist()
    draw = rng.random
    spans, labels = [], []
    for start, end in itertools.pairwise(documents.document_starts.tolist()):
        if end - start == 1:
            continue
        while start < end:
            start = min(start, end - 2)  # at least two sentences
            target = 2 + int(draw() * (max_num_tokens - 1)) if draw() < short_seq_prob else max_num_tokens
            stop = start + 2
            while stop < end and offset[stop] - offset[start] < target:
                stop += 1
            middle = start + 1 + int(draw() * (stop - start - 1))
            a, b = (offset[start], offset[middle]), (offset[middle], offset[stop])
            swapped = draw() < 0.5
            spans.append(b + a if swapped else a + b)
            labels.append(swapped)
            start = stop
    if not spans:
        raise InputError("`documents` must contain a document of at least 2 sentences. Received: 0 such documents")
    # Truncate after swapping, so that the truncation does not reveal the order.
    return _truncate(np.array(spans, np.int64), max_num_tokens, rng), np.array(labels, np.int8)


def _truncate(spans: np.ndarray, max_num_tokens: int, rng) -> np.ndarray:
    """Shorten the longer segment of each pair until both fit, removing each token from the front or the back."""
    a, b = spans[:, 1] - spans[:, 0], spans[:, 3] - spans[:, 2]  # [N]
    # If single tokens are removed from the longer segment, the result is two halves, or the whole shorter segment
    # and the rest for the longer one.
    keep_a = np.where(
        a + b > max_num_tokens, np.maximum(np.minimum(a, (max_num_tokens + 1) // 2), max_num_tokens - b), a
    )
    keep_b = np.where(a + b > max_num_tokens, np.minimum(b, max_num_tokens - keep_a), b)
    front_a, front_b = rng.binomial(a - keep_a, 0.5), rng.binomial(b - keep_b, 0.5)
    start_a, start_b = spans[:, 0] + front_a, spans[:, 2] + front_b
    return np.stack([start_a, start_a + keep_a, start_b, start_b + keep_b], axis=1)  # [N, 4]


def single_segments(documents: TokenizedDocuments, max_num_tokens: int) -> np.ndarray:
    """Cut each document into segments of at most `max_num_tokens`: int64 `[N, 4]` with an empty B."""
    bounds = documents.sentence_starts[documents.document_starts]
    counts = -(-np.diff(bounds) // max_num_tokens)  # [documents], segments per document
    index = concatenated_ranges(np.zeros(len(documents), np.int64), counts)  # [N], 0, 1, … within each document
    document = np.repeat(np.arange(len(documents)), counts)  # [N]
    starts = bounds[document] + max_num_tokens * index
    stops = np.minimum(starts + max_num_tokens, bounds[document + 1])
    return np.stack([starts, stops, stops, stops], axis=1)


def cut_long_sentences(documents: TokenizedDocuments, max_num_tokens: int) -> TokenizedDocuments:
    """Cut sentences of more than `max_num_tokens` into pieces: `TokenizedDocuments` with more, shorter sentences."""
    lengths = np.diff(documents.sentence_starts)
    pieces = -(-lengths // max_num_tokens)
    if pieces.max() == 1:
        return documents
    within = concatenated_ranges(np.zeros(len(pieces), np.int64), pieces)
    starts = np.repeat(documents.sentence_starts[:-1], pieces) + max_num_tokens * within
    per_document = np.add.reduceat(pieces, documents.document_starts[:-1])
    return TokenizedDocuments(
        documents.ids, np.append(starts, documents.sentence_starts[-1]), offsets_from_lengths(per_document)
    )
