"""Where the segments A and B of pretraining lie in the tokens of documents, by what is to be told of them."""

import itertools

import numpy as np

from keras_bert.errors import InputError
from keras_bert.text.documents import TokenizedDocuments, offsets_from_lengths, ranges


def sentence_pairs(documents: TokenizedDocuments, room: int, short_rate: float, rng) -> tuple[np.ndarray, np.ndarray]:
    """Where A and B lie in the flat ids: int64 `[N, 4]` (A from, A to, B from, B to), and the labels int8 `[N]`."""
    token = documents.sentence_starts.tolist()  # Python ints: this loop touches them one by one
    document_starts = documents.document_starts.tolist()
    count = len(documents)
    draw = rng.random  # one float in [0, 1); below(n) is then uniform over 0 … n - 1

    def below(n: int) -> int:
        return int(draw() * n)

    spans, labels = [], []
    for index in range(count):
        here, end = document_starts[index], document_starts[index + 1]
        while here < end:
            target = 2 + below(room - 1) if draw() < short_rate else room
            stop = here + 1
            while stop < end and token[stop] - token[here] < target:
                stop += 1
            middle = here + 1 + (below(stop - here - 1) if stop - here > 1 else 0)  # A is never empty
            is_random = stop - here == 1 or draw() < 0.5
            if is_random:
                other = below(count - 1)
                other += other >= index  # any document but this one
                first = document_starts[other] + below(document_starts[other + 1] - document_starts[other])
                last = first + 1
                wanted = target - (token[middle] - token[here])
                while last < document_starts[other + 1] and token[last] - token[first] < wanted:
                    last += 1
                spans.append((token[here], token[middle], token[first], token[last]))
                here = middle  # what B would have been is put back
            else:
                spans.append((token[here], token[middle], token[middle], token[stop]))
                here = stop
            labels.append(is_random)
    return _truncate(np.array(spans, np.int64), room, rng), np.array(labels, np.int8)


def ordered_pairs(documents: TokenizedDocuments, room: int, short_rate: float, rng) -> tuple[np.ndarray, np.ndarray]:
    """As `sentence_pairs`, of two neighbours in one document, in order or swapped."""
    token = documents.sentence_starts.tolist()
    draw = rng.random
    spans, labels = [], []
    for here, end in itertools.pairwise(documents.document_starts.tolist()):
        if end - here == 1:
            continue
        while here < end:
            here = min(here, end - 2)  # two sentences at least
            target = 2 + int(draw() * (room - 1)) if draw() < short_rate else room
            stop = here + 2
            while stop < end and token[stop] - token[here] < target:
                stop += 1
            middle = here + 1 + int(draw() * (stop - here - 1))
            a, b = (token[here], token[middle]), (token[middle], token[stop])
            swapped = draw() < 0.5
            spans.append(b + a if swapped else a + b)
            labels.append(swapped)
            here = stop
    if not spans:
        raise InputError("sentence order needs a document of at least 2 sentences. Received: none")
    # Cut when they are swapped already: what is cut, and how much, then tells nothing of the order.
    return _truncate(np.array(spans, np.int64), room, rng), np.array(labels, np.int8)


def _truncate(spans: np.ndarray, room: int, rng) -> np.ndarray:
    """Shorten the longer member of each pair until both fit, taking each token from the front or the back."""
    a, b = spans[:, 1] - spans[:, 0], spans[:, 3] - spans[:, 2]
    # One token at a time off the longer one ends at equal halves, or where the shorter one leaves room.
    keep_a = np.where(a + b > room, np.maximum(np.minimum(a, (room + 1) // 2), room - b), a)
    keep_b = np.where(a + b > room, np.minimum(b, room - keep_a), b)
    front_a, front_b = rng.binomial(a - keep_a, 0.5), rng.binomial(b - keep_b, 0.5)
    from_a, from_b = spans[:, 0] + front_a, spans[:, 2] + front_b
    return np.stack([from_a, from_a + keep_a, from_b, from_b + keep_b], axis=1)


def single_segments(documents: TokenizedDocuments, room: int) -> np.ndarray:
    """Each document's tokens in pieces of at most `room`: int64 `[N, 4]` with an empty B."""
    bounds = documents.sentence_starts[documents.document_starts]
    starts = ranges(np.zeros(len(documents), np.int64), -(-np.diff(bounds) // room))  # 0, 1, … within each document
    document = np.repeat(np.arange(len(documents)), -(-np.diff(bounds) // room))
    starts = bounds[document] + room * starts
    stops = np.minimum(starts + room, bounds[document + 1])
    return np.stack([starts, stops, stops, stops], axis=1)


def cut_long_sentences(documents: TokenizedDocuments, room: int) -> TokenizedDocuments:
    """The same documents, sentences of more than `room` tokens cut into pieces."""
    lengths = np.diff(documents.sentence_starts)
    pieces = -(-lengths // room)
    if pieces.max() == 1:
        return documents
    within = ranges(np.zeros(len(pieces), np.int64), pieces)
    starts = np.repeat(documents.sentence_starts[:-1], pieces) + room * within
    per_document = np.add.reduceat(pieces, documents.document_starts[:-1])
    return TokenizedDocuments(
        documents.ids, np.append(starts, documents.sentence_starts[-1]), offsets_from_lengths(per_document)
    )
