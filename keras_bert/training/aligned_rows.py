"""Rows of text in two vocabularies, aligned by their words, for distillation between models with different tokens."""

from collections.abc import Sequence

import keras
import numpy as np

from keras_bert.errors import InputError
from keras_bert.text.documents import TokenizedDocuments
from keras_bert.text.masking import Masking, mask_tokens

SPECIAL_TOKENS_PER_ROW = 2  # [CLS] and [SEP]


class WordRows:
    """The rows of one vocabulary: `[CLS] words [SEP]`, where the words of a row are the same in each vocabulary.

    Args:
        documents: `TokenizedDocuments`.
        vocabulary: V tokens. A token starts a word unless it starts with "##".

    Attributes:
        vocab_size: V.
        word_starts: the index in `documents.ids` where each word starts, then the end, int64 `[words + 1]`.
    """

    def __init__(self, documents: TokenizedDocuments, vocabulary: list[str]):
        self.ids, self.vocab_size = documents.ids, len(vocabulary)
        self.cls_id, self.sep_id, self.pad_id = (vocabulary.index(token) for token in ("[CLS]", "[SEP]", "[PAD]"))
        starts = np.array([not token.startswith("##") for token in vocabulary])[documents.ids]  # [tokens]
        starts[documents.sentence_starts[:-1]] = True
        self.word_starts = np.append(np.flatnonzero(starts), len(documents.ids))

    def rows(self, spans: np.ndarray, length: int) -> tuple[np.ndarray, np.ndarray]:
        """Return the token ids and the word of each token.

        Args:
            spans: the first word and the end of each row, int `[B, 2]`.
            length: T.

        Returns:
            Ids int32 `[B, T]`, and the index of each token's word in its row, int32 `[B, T]`: 0 for [CLS], from 1 for
            the words, the last one for [SEP], and -1 for padding.
        """
        ids = np.full((len(spans), length), self.pad_id, np.int32)  # [B, T]
        words = np.full((len(spans), length), -1, np.int32)  # [B, T]
        for i, (first, end) in enumerate(spans):
            starts = self.word_starts[first : end + 1]
            count = starts[-1] - starts[0]
            ids[i, : count + 2] = [self.cls_id, *self.ids[starts[0] : starts[-1]], self.sep_id]
            words[i, 0] = 0
            words[i, 1 : count + 1] = np.repeat(np.arange(1, end - first + 1), np.diff(starts))
            words[i, count + 1] = end - first + 1
        return ids, words


class AlignedBatches(keras.utils.PyDataset):
    """Batches of the same rows of text in the vocabularies of a student and of a teacher.

    A row has the words of one document that fit into T tokens in both vocabularies. Batch i of epoch e depends only on
    (seed, e, i). An epoch leaves out the rows that do not fill a batch.

    Args:
        student, teacher: `WordRows` of the same documents.
        document_words: the index of the first word of each document, then the end, int `[documents + 1]`.
        length: T, the length of a row in tokens.
        batch_size: B.
        seed: an integer, 0 or more.
        masking: `Masking` of the student's vocabulary to mask the student's rows, or None.
        losses: names of the losses, see `encoder_distillation_model`, except `"masked"`.

    Returns:
        Each batch is `(inputs, targets, weights)`. `inputs` has int32 `[B, T]` each: `input_word_ids`, `input_mask` and
        `input_type_ids` of the student, `student_words`, `teacher_word_ids` and `teacher_words`; with `masking` also
        `masked_lm_positions` and `masked_lm_ids` `[B, P]`. `targets` are zeros; `weights` are 1 for words, masked
        tokens and pooled outputs, by the outputs of `encoder_distillation_model`.

    Raises:
        InputError: the documents do not have the same words in both vocabularies, or there is no complete batch.
    """

    def __init__(
        self,
        student: WordRows,
        teacher: WordRows,
        document_words: np.ndarray,
        length: int,
        batch_size: int = 32,
        seed: int = 0,
        masking: Masking | None = None,
        losses: Sequence[str] = ("hidden",),
    ):
        super().__init__()
        counts = [len(each.word_starts) - 1 for each in (student, teacher)]
        if counts[0] != counts[1]:
            raise InputError(
                "`student` and `teacher` must split texts into the same words: both lowercase or both not. "
                f"Received: {counts[0]:,} and {counts[1]:,} words"
            )
        self.student, self.teacher, self.length = student, teacher, length
        self.masking, self.seed, self.losses = masking, seed, tuple(losses)
        self.spans = _spans((student, teacher), document_words, length - SPECIAL_TOKENS_PER_ROW)  # [N, 2]
        self.batch_size = min(batch_size, len(self.spans))
        if not self.batch_size:
            raise InputError("`documents` must have at least one word that fits into a row. Received: 0 rows")
        self._order = (None, None)

    def __len__(self) -> int:
        """Return the number of batches of an epoch."""
        return len(self.spans) // self.batch_size

    def __getitem__(self, index: int):
        """Return a batch of the first epoch."""
        return self.batch(0, index)

    def batch(self, epoch: int, index: int):
        """Return batch `index` of epoch `epoch`, both counted from 0."""
        if self._order[0] != epoch:
            self._order = (epoch, np.random.default_rng([self.seed, epoch]).permutation(len(self.spans)))
        spans = self.spans[self._order[1][index * self.batch_size : (index + 1) * self.batch_size]]
        ids, words = self.student.rows(spans, self.length)  # [B, T] each
        teacher_ids, teacher_words = self.teacher.rows(spans, self.length)  # [B, T] each
        inputs = {
            "input_word_ids": ids,
            "input_mask": (words >= 0).astype(np.int32),
            "input_type_ids": np.zeros_like(ids),
            "student_words": words,
            "teacher_word_ids": teacher_ids,
            "teacher_words": teacher_words,
        }
        in_row = np.arange(self.length) <= (spans[:, 1] - spans[:, 0] + 1)[:, None]  # [B, W]; W = T
        every_row = np.ones((len(spans), 1), bool)  # [B, 1]
        weights = {name: (every_row if name == "pooled" else in_row).astype(np.float32) for name in self.losses}
        if self.masking is not None:
            masked = mask_tokens(ids, self.masking, np.random.default_rng([self.seed, epoch, index]))
            inputs["input_word_ids"] = masked["input_word_ids"]
            inputs |= {name: masked[name] for name in ("masked_lm_positions", "masked_lm_ids")}
            weights["masked"] = masked["masked_lm_weights"]
        return inputs, {name: np.zeros(weight.shape, np.int32) for name, weight in weights.items()}, weights


def align_documents(
    student: TokenizedDocuments,
    teacher: TokenizedDocuments,
    student_vocabulary: list[str],
    teacher_vocabulary: list[str],
    length: int = 128,
    **settings,
) -> AlignedBatches:
    """Align the same documents, tokenized with two vocabularies, by their words.

    Args:
        student, teacher: the documents, from `tokenize_documents` with either vectorizer.
        student_vocabulary, teacher_vocabulary: the tokens of the vocabularies.
        length: T, the length of a row in tokens.
        **settings: `batch_size`, `seed`, `masking` and `losses` of `AlignedBatches`.

    Returns:
        `AlignedBatches`.

    Raises:
        InputError: the documents do not have the same words in both vocabularies, or there is no complete batch.

    Example:

    >>> special = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
    >>> whole, parts = [*special, "films", "good"], [*special, "film", "##s", "good"]
    >>> documents = [TokenizedDocuments.from_lists([[ids]]) for ids in ([7, 5, 6], [6, 5])]
    >>> inputs, _, _ = align_documents(*documents, parts, whole, length=6, batch_size=1)[0]
    >>> inputs["input_word_ids"].tolist(), inputs["student_words"].tolist(), inputs["teacher_words"].tolist()
    ([[2, 7, 5, 6, 3, 0]], [[0, 1, 2, 2, 3, -1]], [[0, 1, 2, 3, -1, -1]])
    """
    rows = [WordRows(student, student_vocabulary), WordRows(teacher, teacher_vocabulary)]
    first_tokens = student.sentence_starts[student.document_starts]  # [documents + 1]
    return AlignedBatches(*rows, np.searchsorted(rows[0].word_starts, first_tokens), length, **settings)


def _spans(parts, document_words: np.ndarray, length: int) -> np.ndarray:
    """Cut documents into rows of as many words as fit in both vocabularies; a word that is too long is left out."""
    spans = []
    for first, end in zip(document_words[:-1], document_words[1:], strict=True):
        while first < end:
            fits = [
                np.searchsorted(each.word_starts, each.word_starts[first] + length, side="right") - 1 for each in parts
            ]
            stop = min(*fits, end)
            if stop > first:
                spans.append((first, stop))
            first = max(stop, first + 1)
    return np.array(spans, np.int64).reshape(-1, 2)
