"""Documents of sentences become pretraining examples: `[CLS] A [SEP] B [SEP]`, packed as in the papers."""

import dataclasses
from collections.abc import Iterable, Sequence

import numpy as np

from keras_bert.config import check_sentence_task
from keras_bert.errors import InputError
from keras_bert.text.documents import TokenizedDocuments, compact_ids
from keras_bert.text.segments import cut_long_sentences, ordered_pairs, sentence_pairs, single_segments


@dataclasses.dataclass(frozen=True)
class PretrainingExamples:
    """Packed rows, padded, not yet masked; three bytes a token.

    Args:
        input_word_ids: uint16 `[N, T]` (int32 where an id needs it), 0-padded at the end by `pad_id`.
        input_type_ids: int8 `[N, T]`, 0 for `[CLS] A [SEP]` and pads, 1 for `B [SEP]`.
        lengths: int32 `[N]`, tokens that are no pads.
        next_sentence_labels: int8 `[N]`, 0 where B follows A, 1 where it is random; None without that task.
        sentence_order_labels: int8 `[N]`, 0 where A and B are in order, 1 where they are swapped; None without that
            task. ALBERT's code (where the field is still called `next_sentence_labels`) and Hugging Face's
            `sentence_order_label` number them so too.
    """

    input_word_ids: np.ndarray
    input_type_ids: np.ndarray
    lengths: np.ndarray
    next_sentence_labels: np.ndarray | None
    sentence_order_labels: np.ndarray | None = None

    @property
    def sentence_task(self) -> str | None:
        """What the labels are for: `"next"`, `"order"`, or None where there are none."""
        if self.next_sentence_labels is not None:
            return "next"
        return None if self.sentence_order_labels is None else "order"

    def __len__(self) -> int:
        return len(self.lengths)

    def __getitem__(self, rows) -> "PretrainingExamples":
        fields = (getattr(self, field.name) for field in dataclasses.fields(PretrainingExamples))
        return PretrainingExamples(*(None if values is None else values[rows] for values in fields))


def pack_examples(
    documents: TokenizedDocuments | Iterable[Sequence[Sequence[int]]],
    sequence_length: int,
    cls_id: int,
    sep_id: int,
    sentence_task: str | None = "next",
    short_rate: float = 0.1,
    seed: int = 0,
    pad_id: int = 0,
    dupe_factor: int = 1,
) -> PretrainingExamples:
    """Pack documents into rows of at most `sequence_length` tokens.

    For a sentence task, sentences of a document are gathered until they fill a row, then cut at a random sentence
    boundary into A and B. For `"next"`, half the time B is instead read from a random place of another document, and
    the sentences not used are put back. For `"order"`, half the time A and B change places; a document's last sentence,
    if it is left alone, comes with the one before it once more, and a document of one sentence is left out. Too long
    pairs lose tokens of the longer member, from its front or its back at random. Without a task, each document's tokens
    are cut into rows `[CLS] … [SEP]`, nothing lost and nothing mixed.

    A sentence longer than a row is first cut into pieces that fit. The share of short rows is drawn for each row (the
    original code draws it once a document, so that a long document is all short or all long).

    Args:
        documents: `TokenizedDocuments`, or lists of documents of sentences of ids, without special tokens.
        sequence_length: T, the length of a row, special tokens included; at least 5.
        cls_id, sep_id, pad_id: the ids of `[CLS]`, `[SEP]`, `[PAD]`.
        sentence_task: `"next"` or `"order"` makes pairs for that prediction, None single segments.
        short_rate: the share of rows that aim at a random shorter length, as fine-tuning meets them.
        seed: the same seed gives the same rows.
        dupe_factor: how often all documents are packed, each time with other pairs and cuts, as the original code does
            (10 times). On a small corpus a sentence task otherwise learns the pairs by heart. It needs such a task,
            since single segments come out the same each time.

    Returns:
        `PretrainingExamples`, in random order.

    Raises:
        InputError: no tokens; a sequence length below 5; one document alone for `"next"`, or none of two sentences for
            `"order"`; a `dupe_factor` below 1, or above 1 without a sentence task; no such task.

    Example:

    >>> rows = pack_examples([[[5, 6, 7], [8, 9]], [[10, 11], [12]]], 8, cls_id=2, sep_id=3, sentence_task=None)
    >>> sorted(rows.input_word_ids.tolist())
    [[2, 5, 6, 7, 8, 9, 3, 0], [2, 10, 11, 12, 3, 0, 0, 0]]

    Source: Devlin et al. 2018, section 3.1 and appendix A.2; Lan et al. 2019 (arXiv:1909.11942), section 3.1, for the
    order; create_pretraining_data.py of google-research/bert and of google-research/albert.
    """
    if sequence_length < 5:
        raise InputError(f"a packed row needs at least 5 tokens. Received: sequence_length={sequence_length}")
    sentence_task = check_sentence_task(sentence_task)
    if dupe_factor < 1 or (dupe_factor > 1 and not sentence_task):
        raise InputError(f"dupe_factor is at least 1, and 1 without a sentence task. Received: {dupe_factor!r}")
    if not isinstance(documents, TokenizedDocuments):
        documents = TokenizedDocuments.from_lists(documents)
    if sentence_task == "next" and len(documents) < 2:
        raise InputError("next-sentence prediction needs at least 2 documents (a blank line parts them). Received: 1")
    rng = np.random.default_rng(seed)
    if sentence_task:
        room = sequence_length - 3
        cut = cut_long_sentences(documents, room)
        pairs = sentence_pairs if sentence_task == "next" else ordered_pairs
        packed = [pairs(cut, room, short_rate, rng) for _ in range(dupe_factor)]
        spans, labels = (np.concatenate(parts) for parts in zip(*packed, strict=True))
    else:
        spans, labels = single_segments(documents, sequence_length - 2), None
    order = rng.permutation(len(spans))
    rows = _assemble(documents.ids, spans[order], sentence_task is not None, sequence_length, cls_id, sep_id, pad_id)
    return PretrainingExamples(
        *rows,
        next_sentence_labels=labels[order] if sentence_task == "next" else None,
        sentence_order_labels=labels[order] if sentence_task == "order" else None,
    )


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
