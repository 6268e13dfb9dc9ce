"""Documents of sentences become pretraining examples: `[CLS] A [SEP] B [SEP]`, packed as in the paper."""

import dataclasses
from collections.abc import Iterable, Sequence

import numpy as np

from keras_bert.errors import InputError


@dataclasses.dataclass(frozen=True)
class IdDocuments:
    """Tokenized documents in three flat arrays: millions of sentences without a Python object for each.

    Args:
        ids: all token ids, one after another, `[tokens]`, without special tokens.
        sentence_starts: where each sentence begins in `ids`, and the end, int64 `[sentences + 1]`.
        document_starts: which sentence each document begins with, and the end, int64 `[documents + 1]`.

    Example:

    >>> documents = IdDocuments.from_lists([[[5, 6], [7]], [[8, 9]]])
    >>> len(documents), documents.ids.tolist(), documents.document_starts.tolist()
    (2, [5, 6, 7, 8, 9], [0, 2, 3])
    """

    ids: np.ndarray
    sentence_starts: np.ndarray
    document_starts: np.ndarray

    @classmethod
    def from_lists(cls, documents: Iterable[Sequence[Sequence[int]]]) -> "IdDocuments":
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
        return cls(np.concatenate(parts), _starts(lengths), _starts(counts))

    def __len__(self) -> int:
        return len(self.document_starts) - 1

    def take(self, rows: np.ndarray) -> "IdDocuments":
        """These documents alone, in the order of `rows`."""
        sentences = _ranges(self.document_starts[:-1][rows], self.document_starts[1:][rows])
        tokens = _ranges(self.sentence_starts[:-1][sentences], self.sentence_starts[1:][sentences])
        lengths = np.diff(self.sentence_starts)[sentences]
        return IdDocuments(self.ids[tokens], _starts(lengths), _starts(np.diff(self.document_starts)[rows]))

    def split(self, fraction: float = 0.05, seed: int = 0) -> tuple["IdDocuments", "IdDocuments"]:
        """Two disjoint sets of whole documents: what is trained on, and `fraction` of them (at least two) to validate.

        Raises:
            InputError: fewer than four documents, or a fraction outside 0 to 1.

        Example:

        >>> train, held_out = IdDocuments.from_lists([[[5, 6]]] * 40).split(0.1)
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


@dataclasses.dataclass(frozen=True)
class PretrainingExamples:
    """Packed rows, padded, not yet masked; three bytes a token.

    Args:
        input_word_ids: uint16 `[N, T]` (int32 where an id needs it), 0-padded at the end by `pad_id`.
        input_type_ids: int8 `[N, T]`, 0 for `[CLS] A [SEP]` and pads, 1 for `B [SEP]`.
        lengths: int32 `[N]`, tokens that are no pads.
        next_sentence_labels: int8 `[N]`, 0 where B follows A, 1 where it is random; None without that task.
    """

    input_word_ids: np.ndarray
    input_type_ids: np.ndarray
    lengths: np.ndarray
    next_sentence_labels: np.ndarray | None

    def __len__(self) -> int:
        return len(self.lengths)

    def __getitem__(self, rows) -> "PretrainingExamples":
        labels = self.next_sentence_labels
        return PretrainingExamples(
            self.input_word_ids[rows],
            self.input_type_ids[rows],
            self.lengths[rows],
            None if labels is None else labels[rows],
        )


def pack_examples(
    documents: IdDocuments | Iterable[Sequence[Sequence[int]]],
    sequence_length: int,
    cls_id: int,
    sep_id: int,
    next_sentence: bool = True,
    short_rate: float = 0.1,
    seed: int = 0,
    pad_id: int = 0,
    dupe_factor: int = 1,
) -> PretrainingExamples:
    """Pack documents into rows of at most `sequence_length` tokens.

    With `next_sentence`, sentences of a document are gathered until they fill a row, then cut at a random sentence
    boundary into A and B; half the time B is instead read from a random place of another document, and the sentences
    not used are put back. Too long pairs lose tokens of the longer member, from its front or its back at random.
    Without, each document's tokens are cut into rows `[CLS] … [SEP]`, nothing lost and nothing mixed.

    A sentence longer than a row is first cut into pieces that fit. The share of short rows is drawn for each row (the
    original code draws it once a document, so that a long document is all short or all long).

    Args:
        documents: `IdDocuments`, or lists of documents of sentences of ids, without special tokens.
        sequence_length: T, the length of a row, special tokens included; at least 5.
        cls_id, sep_id, pad_id: the ids of `[CLS]`, `[SEP]`, `[PAD]`.
        next_sentence: make pairs for next-sentence prediction.
        short_rate: the share of rows that aim at a random shorter length, as fine-tuning meets them.
        seed: the same seed gives the same rows.
        dupe_factor: how often all documents are packed, each time with other pairs and cuts, as the original code does
            (10 times). On a small corpus next-sentence prediction otherwise learns the pairs by heart. It needs
            `next_sentence`, since single segments come out the same each time.

    Returns:
        `PretrainingExamples`, in random order.

    Raises:
        InputError: no tokens; a sequence length below 5; one document alone with `next_sentence`; a `dupe_factor` below
            1, or above 1 without `next_sentence`.

    Example:

    >>> rows = pack_examples([[[5, 6, 7], [8, 9]], [[10, 11], [12]]], 8, cls_id=2, sep_id=3, next_sentence=False)
    >>> sorted(rows.input_word_ids.tolist())
    [[2, 5, 6, 7, 8, 9, 3, 0], [2, 10, 11, 12, 3, 0, 0, 0]]

    Source: Devlin et al. 2018, section 3.1 and appendix A.2; create_pretraining_data.py of google-research/bert.
    """
    if sequence_length < 5:
        raise InputError(f"a packed row needs at least 5 tokens. Received: sequence_length={sequence_length}")
    if dupe_factor < 1 or (dupe_factor > 1 and not next_sentence):
        raise InputError(f"dupe_factor is at least 1, and 1 without next_sentence. Received: {dupe_factor!r}")
    if not isinstance(documents, IdDocuments):
        documents = IdDocuments.from_lists(documents)
    if next_sentence and len(documents) < 2:
        raise InputError("next-sentence prediction needs at least 2 documents (a blank line parts them). Received: 1")
    rng = np.random.default_rng(seed)
    if next_sentence:
        room = sequence_length - 3
        cut = _cut_long_sentences(documents, room)
        packed = [_sentence_pairs(cut, room, short_rate, rng) for _ in range(dupe_factor)]
        spans, labels = (np.concatenate(parts) for parts in zip(*packed, strict=True))
    else:
        spans, labels = _single_segments(documents, sequence_length - 2), None
    order = rng.permutation(len(spans))
    rows = _assemble(documents.ids, spans[order], next_sentence, sequence_length, cls_id, sep_id, pad_id)
    return PretrainingExamples(*rows, None if labels is None else labels[order])


def _sentence_pairs(documents: IdDocuments, room: int, short_rate: float, rng) -> tuple[np.ndarray, np.ndarray]:
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


def _truncate(spans: np.ndarray, room: int, rng) -> np.ndarray:
    """Shorten the longer member of each pair until both fit, taking each token from the front or the back."""
    a, b = spans[:, 1] - spans[:, 0], spans[:, 3] - spans[:, 2]
    # One token at a time off the longer one ends at equal halves, or where the shorter one leaves room.
    keep_a = np.where(a + b > room, np.maximum(np.minimum(a, (room + 1) // 2), room - b), a)
    keep_b = np.where(a + b > room, np.minimum(b, room - keep_a), b)
    front_a, front_b = rng.binomial(a - keep_a, 0.5), rng.binomial(b - keep_b, 0.5)
    from_a, from_b = spans[:, 0] + front_a, spans[:, 2] + front_b
    return np.stack([from_a, from_a + keep_a, from_b, from_b + keep_b], axis=1)


def _single_segments(documents: IdDocuments, room: int) -> np.ndarray:
    """Each document's tokens in pieces of at most `room`: int64 `[N, 4]` with an empty B."""
    bounds = documents.sentence_starts[documents.document_starts]
    starts = _ranges(np.zeros(len(documents), np.int64), -(-np.diff(bounds) // room))  # 0, 1, … within each document
    document = np.repeat(np.arange(len(documents)), -(-np.diff(bounds) // room))
    starts = bounds[document] + room * starts
    stops = np.minimum(starts + room, bounds[document + 1])
    return np.stack([starts, stops, stops, stops], axis=1)


def _cut_long_sentences(documents: IdDocuments, room: int) -> IdDocuments:
    lengths = np.diff(documents.sentence_starts)
    pieces = -(-lengths // room)
    if pieces.max() == 1:
        return documents
    within = _ranges(np.zeros(len(pieces), np.int64), pieces)
    starts = np.repeat(documents.sentence_starts[:-1], pieces) + room * within
    per_document = np.add.reduceat(pieces, documents.document_starts[:-1])
    return IdDocuments(documents.ids, np.append(starts, documents.sentence_starts[-1]), _starts(per_document))


def _assemble(ids, spans, pair: bool, length: int, cls_id: int, sep_id: int, pad_id: int):
    """Copy the spans into padded rows with their special tokens, some thousands at a time."""
    words = np.full((len(spans), length), pad_id, compact_ids(np.array([ids.max(), cls_id, sep_id, pad_id])).dtype)
    types = np.zeros((len(spans), length), np.int8)
    column = np.arange(length)  # [T]
    a = (spans[:, 1] - spans[:, 0])[:, None]  # [N, 1]
    b = (spans[:, 3] - spans[:, 2])[:, None]
    lengths = (a + b + (3 if pair else 2))[:, 0].astype(np.int32)
    for row in range(0, len(spans), 8192):
        part = slice(row, row + 8192)
        in_a = (column >= 1) & (column <= a[part])  # [n, T]
        in_b = (column >= a[part] + 2) & (column < a[part] + 2 + b[part])
        source = np.where(in_a, spans[part, :1] + column - 1, spans[part, 2:3] + column - a[part] - 2)
        words[part] = np.where(in_a | in_b, ids[np.where(in_a | in_b, source, 0)], words[part])
        words[part, 0] = cls_id
        words[part] = np.where(column == a[part] + 1, sep_id, words[part])
        if pair:
            words[part] = np.where(column == a[part] + b[part] + 2, sep_id, words[part])
            types[part] = (column > a[part] + 1) & (column <= a[part] + b[part] + 2)
    return words, types, lengths


def compact_ids(ids: np.ndarray) -> np.ndarray:
    """The same ids in two bytes each where they fit, else in four.

    Raises:
        InputError: an id below 0.
    """
    if ids.size and ids.min() < 0:
        raise InputError(f"token ids are 0 or more. Received: {ids.min()}")
    return ids.astype(np.uint16 if not ids.size or ids.max() < 2**16 else np.int32)


def _starts(lengths) -> np.ndarray:
    return np.concatenate([[0], np.cumsum(lengths, dtype=np.int64)])


def _ranges(starts: np.ndarray, stops: np.ndarray) -> np.ndarray:
    """`[start, start + 1, …, stop - 1]` of every pair, one after another."""
    lengths = stops - starts
    offset = np.repeat(starts - _starts(lengths)[:-1], lengths)
    return offset + np.arange(lengths.sum())
