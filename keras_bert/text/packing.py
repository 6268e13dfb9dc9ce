"""Packing of tokenized documents into pretraining examples, `[CLS] A [SEP] B [SEP]`."""

import dataclasses
from collections.abc import Iterable, Sequence

import numpy as np

from keras_bert.config import check_sentence_task
from keras_bert.errors import InputError
from keras_bert.text.documents import TokenizedDocuments, compact_ids
from keras_bert.text.segments import cut_long_sentences, next_sentence_pairs, sentence_order_pairs, single_segments


@dataclasses.dataclass(frozen=True)
class PretrainingExamples:
    """Packed and padded pretraining examples without masking, in arrays of three bytes per token.

    Args:
        input_word_ids: uint16 `[N, T]` (int32 if an id exceeds uint16), padded at the end with `pad_id`.
        input_type_ids: int8 `[N, T]`, 0 for `[CLS] A [SEP]` and padding, 1 for `B [SEP]`.
        lengths: int32 `[N]`, the number of tokens without padding.
        next_sentence_labels: int8 `[N]`, 0 where B follows A, 1 where B is random; None without this task.
        sentence_order_labels: int8 `[N]`, 0 where A and B are in order, 1 where they are swapped; None without this
            task. ALBERT's code (under the name `next_sentence_labels`) and Hugging Face's `sentence_order_label` use
            the same values.
    """

    input_word_ids: np.ndarray
    input_type_ids: np.ndarray
    lengths: np.ndarray
    next_sentence_labels: np.ndarray | None = None
    sentence_order_labels: np.ndarray | None = None

    @property
    def sentence_task(self) -> str | None:
        """The task of the labels: `"next"`, `"order"`, or None without labels."""
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
    short_seq_prob: float = 0.1,
    seed: int = 0,
    pad_id: int = 0,
    dupe_factor: int = 1,
) -> PretrainingExamples:
    """Pack documents into rows of at most `sequence_length` tokens.

    With a sentence task, consecutive sentences of a document are collected until they fill a row, then split at a
    random sentence boundary into A and B. For `"next"`, in half of the examples B is replaced by text from a random
    position of another document, and the sentences not used for B are used again. For `"order"`, in half of the
    examples A and B are swapped; if one sentence remains at the end of a document, it is used together with the
    sentence before it, and a document of one sentence is dropped. From a pair that is too long, tokens of the longer
    segment are removed, from the front or the back at random. Without a sentence task, each document is cut into rows
    `[CLS] … [SEP]`; no token is lost, and no row has tokens of two documents.

    A sentence longer than a row is first cut into pieces that fit. Short target lengths are drawn per row (per
    document in the original code, where either all rows of a long document are short or none is).

    Args:
        documents: `TokenizedDocuments`, or a list of documents, each a list of sentences, each a list of ids without
            special tokens.
        sequence_length: T, the length of a row with its special tokens; at least 5.
        cls_id, sep_id, pad_id: the ids of `[CLS]`, `[SEP]`, `[PAD]`.
        sentence_task: `"next"` or `"order"` packs pairs for this task, None packs single segments.
        short_seq_prob: probability that a row gets a random shorter target length, to match the lengths of fine-tuning.
        seed: random seed; the same seed gives the same rows.
        dupe_factor: how many times all documents are packed, each time with different pairs (10 in the original code).
            Otherwise, a model memorizes the pairs of a small corpus. It must be 1 without a sentence task, because
            single segments are the same each time.

    Returns:
        `PretrainingExamples`, in random order.

    Raises:
        InputError: there is no token; `sequence_length` is below 5; `short_seq_prob` is outside [0, 1]; there is one
            document for `"next"`, or no document with two sentences for `"order"`; `dupe_factor` is below 1, or above 1
            without a sentence task; the sentence task is unknown.

    Example:

    >>> rows = pack_examples([[[5, 6, 7], [8, 9]], [[10, 11], [12]]], 8, cls_id=2, sep_id=3, sentence_task=None)
    >>> sorted(rows.input_word_ids.tolist())
    [[2, 5, 6, 7, 8, 9, 3, 0], [2, 10, 11, 12, 3, 0, 0, 0]]

    Source: Devlin et al. 2018, section 3.1 and appendix A.2; Lan et al. 2019 (arXiv:1909.11942), section 3.1, for
    sentence order; create_pretraining_data.py of google-research/bert and of google-research/albert.
    """
    if sequence_length < 5:
        raise InputError(f"`sequence_length` must be at least 5. Received: sequence_length={sequence_length}")
    if not 0 <= short_seq_prob <= 1:
        raise InputError(f"`short_seq_prob` must be in [0, 1]. Received: short_seq_prob={short_seq_prob!r}")
    sentence_task = check_sentence_task(sentence_task)
    if dupe_factor < 1 or (dupe_factor > 1 and not sentence_task):
        raise InputError(
            f"`dupe_factor` must be at least 1, and 1 without a sentence task. Received: dupe_factor={dupe_factor!r}"
        )
    if not isinstance(documents, TokenizedDocuments):
        documents = TokenizedDocuments.from_lists(documents)
    if sentence_task == "next" and len(documents) < 2:
        raise InputError(
            "`documents` must contain at least 2 documents for next sentence prediction. Received: 1 document. "
            "Separate documents with a blank line, or choose another sentence task."
        )
    rng = np.random.default_rng(seed)
    if sentence_task:
        max_num_tokens = sequence_length - 3
        cut = cut_long_sentences(documents, max_num_tokens)
        make_pairs = next_sentence_pairs if sentence_task == "next" else sentence_order_pairs
        packed = [make_pairs(cut, max_num_tokens, short_seq_prob, rng) for _ in range(dupe_factor)]
        spans, labels = (np.concatenate(parts) for parts in zip(*packed, strict=True))  # [N, 4], [N]
    else:
        spans, labels = single_segments(documents, sequence_length - 2), None  # [N, 4]
    order = rng.permutation(len(spans))
    rows = _assemble(documents.ids, spans[order], sentence_task is not None, sequence_length, cls_id, sep_id, pad_id)
    return PretrainingExamples(
        *rows,
        next_sentence_labels=labels[order] if sentence_task == "next" else None,
        sentence_order_labels=labels[order] if sentence_task == "order" else None,
    )


def _assemble(ids, spans, pair: bool, length: int, cls_id: int, sep_id: int, pad_id: int):
    """Copy the spans into padded rows with special tokens, 8,192 rows at a time to limit memory."""
    words = np.full((len(spans), length), pad_id, compact_ids(np.array([ids.max(), cls_id, sep_id, pad_id])).dtype)
    types = np.zeros((len(spans), length), np.int8)  # [N, T]
    column = np.arange(length)  # [T]
    a = (spans[:, 1] - spans[:, 0])[:, None]  # [N, 1], tokens of A
    b = (spans[:, 3] - spans[:, 2])[:, None]  # [N, 1], tokens of B
    lengths = (a + b + (3 if pair else 2))[:, 0].astype(np.int32)  # [N]
    for row in range(0, len(spans), 8192):
        part = slice(row, row + 8192)
        in_a = (column >= 1) & (column <= a[part])  # [n, T]
        in_b = (column >= a[part] + 2) & (column < a[part] + 2 + b[part])  # [n, T]
        source = np.where(in_a, spans[part, :1] + column - 1, spans[part, 2:3] + column - a[part] - 2)  # [n, T]
        words[part] = np.where(in_a | in_b, ids[np.where(in_a | in_b, source, 0)], words[part])
        words[part, 0] = cls_id
        words[part] = np.where(column == a[part] + 1, sep_id, words[part])
        if pair:
            words[part] = np.where(column == a[part] + b[part] + 2, sep_id, words[part])
            types[part] = (column > a[part] + 1) & (column <= a[part] + b[part] + 2)
    return words, types, lengths
