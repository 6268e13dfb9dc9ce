"""Overlapping windows over long contexts for question answering, with the character offsets of their tokens."""

import dataclasses
from collections.abc import Sequence

import numpy as np

from keras_bert.constants import INPUT_KEYS
from keras_bert.errors import InputError
from keras_bert.text.marks import include_marks
from keras_bert.text.offsets import OffsetTokenizer
from keras_bert.text.splitting import ORIGINAL, Splitting

MAX_QUERY_LENGTH = 64  # tokens; a longer question is truncated, as in run_squad.py


@dataclasses.dataclass(frozen=True)
class Windows:
    """Rows `[CLS] question [SEP] window of the context [SEP]`, N windows of T tokens (the "doc spans" of run_squad.py).

    Attributes:
        ids: dict of the three model inputs, int32 `[N, T]`.
        example_index: int `[N]`, the index of the question of each row.
        token_to_char: int32 `[N, T, 2]`, the `(start, end)` of each token in the context, with an exclusive end, over
            the marks after it too (see `include_marks`); -1 for tokens outside the context.
        token_is_max_context: bool `[N, T]`, True if no other window has more context around this token.
        truncated_questions: number of questions that were truncated.
    """

    ids: dict[str, np.ndarray]
    example_index: np.ndarray
    token_to_char: np.ndarray
    token_is_max_context: np.ndarray
    truncated_questions: int = 0

    def __len__(self) -> int:
        return len(self.example_index)

    def labels(self, answers: Sequence[tuple[int, int] | None]) -> dict[str, np.ndarray]:
        """Compute the token positions where the answers start and end.

        Args:
            answers: for each question, the `(start, end)` of its answer in characters of the context, with an exclusive
                end; or None for no answer.

        Returns:
            A dict of `start_logits` and `end_logits`, the labels of these outputs, int32 `[N]`; 0, the position of
            [CLS], where a window does not contain the whole answer.
        """
        starts, ends = np.zeros((2, len(self)), np.int32)
        for row, example in enumerate(self.example_index):
            if answers[example] is None:
                continue
            answer_start, answer_end = answers[example]
            context = np.flatnonzero(self.token_to_char[row, :, 0] >= 0)  # token positions
            chars = self.token_to_char[row, context]
            overlaps = (chars[:, 1] > answer_start) & (chars[:, 0] < answer_end)
            # What is before the first token of a context, or after the last one, has no tokens that could be missing.
            is_first = row == 0 or self.example_index[row - 1] != example
            is_last = row == len(self) - 1 or self.example_index[row + 1] != example
            is_whole = (is_first or chars[0, 0] <= answer_start) and (is_last or chars[-1, 1] >= answer_end)
            if overlaps.any() and is_whole:
                starts[row], ends[row] = context[overlaps][0], context[overlaps][-1]
        return {"start_logits": starts, "end_logits": ends}


def make_windows(
    questions: Sequence[str],
    contexts: Sequence[str],
    vocabulary: list[str],
    lowercase: bool = True,
    sequence_length: int = 384,
    doc_stride: int = 128,
    added_tokens: Sequence[str] = (),
    splitting: Splitting = ORIGINAL,
    max_query_length: int = MAX_QUERY_LENGTH,
) -> Windows:
    """Tokenize questions and contexts into overlapping windows that fit into the sequence length.

    Args:
        questions, contexts: lists of strings of the same length.
        vocabulary: list of tokens in the order of their ids.
        lowercase: lowercase the text and strip accents; the value the encoder was trained with.
        sequence_length: T.
        doc_stride: number of tokens between the starts of two consecutive windows.
        added_tokens: tokens of the vocabulary that stay whole in a text.
        splitting: the settings of the tokenizer that differ from those of the original code.
        max_query_length: number of tokens to truncate questions to.

    Returns:
        `Windows`.

    Raises:
        InputError: the numbers of questions and contexts differ, a context has no token, or `sequence_length` leaves
            less space than `doc_stride` for the context.

    Example:

    >>> vocabulary = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "who", "?", "a", "b", "c", "d"]
    >>> windows = make_windows(["who?"], ["a b c d"], vocabulary, sequence_length=7, doc_stride=1)
    >>> windows.ids["input_word_ids"].tolist()
    [[2, 5, 6, 3, 7, 8, 3], [2, 5, 6, 3, 8, 9, 3], [2, 5, 6, 3, 9, 10, 3]]
    >>> windows.labels([(2, 5)])["start_logits"].tolist()  # only the second window contains the whole answer "b c"
    [0, 4, 0]

    Source: Devlin et al. 2018, section 4.2; `convert_examples_to_features` and `_check_is_max_context` of
    google-research/bert (run_squad.py).
    """
    if len(questions) != len(contexts):
        raise InputError(
            f"`contexts` must have one entry per question ({len(questions)}). Received: {len(contexts)} entries"
        )
    tokenizer = OffsetTokenizer(vocabulary, lowercase, added_tokens, splitting)
    cls_id, sep_id, pad_id = (vocabulary.index(token) for token in ("[CLS]", "[SEP]", "[PAD]"))
    tokenized: dict[str, tuple] = {}  # because several questions can have the same context
    rows, example_index, offsets, max_context, truncated = [], [], [], [], 0
    for index, (question, context) in enumerate(zip(questions, contexts, strict=True)):
        question_ids = tokenizer(question)[0]
        truncated += len(question_ids) > max_query_length
        question_ids = question_ids[:max_query_length]
        window_size = sequence_length - len(question_ids) - 3  # tokens of the context per window
        if window_size < doc_stride or doc_stride < 1:
            raise InputError(
                f"`doc_stride` must be at least 1 and at most {max(0, window_size)}, the number of context tokens per "
                f"window for question {index}, {question[:40]!r}. Received: doc_stride={doc_stride}, "
                f"sequence_length={sequence_length}. "
                "Use a larger sequence_length, a shorter question or a smaller doc_stride."
            )
        if context not in tokenized:
            ids, chars = tokenizer(context)
            tokenized[context] = ids, include_marks(context, chars, splitting.strips_accents(lowercase))
        ids, chars = tokenized[context]
        if not ids:
            raise InputError(
                f"`contexts` must have at least one token each. Received: {context[:40]!r} at index {index}"
            )
        starts = list(range(0, max(1, len(ids) - window_size + doc_stride), doc_stride))
        scores = [_context_scores(start, min(window_size, len(ids) - start), len(ids)) for start in starts]
        best = np.max(scores, axis=0)  # [tokens of the context]
        for start, score in zip(starts, scores, strict=True):
            window = slice(start, start + window_size)
            context_start = 2 + len(question_ids)  # after [CLS], the question and [SEP]
            rows.append([cls_id, *question_ids, sep_id, *ids[window], sep_id])
            example_index.append(index)
            offsets.append([(-1, -1)] * context_start + chars[window])
            max_context.append([False] * context_start + (score[window] == best[window]).tolist())
    lengths = np.array([len(row) for row in rows])  # [N]
    word_ids = np.full((len(rows), sequence_length), pad_id, np.int32)  # [N, T]
    token_to_char = np.full((len(rows), sequence_length, 2), -1, np.int32)  # [N, T, 2]
    token_is_max_context = np.zeros((len(rows), sequence_length), bool)  # [N, T]
    for i, row in enumerate(rows):
        word_ids[i, : len(row)] = row
        token_to_char[i, : len(offsets[i])] = offsets[i]
        token_is_max_context[i, : len(max_context[i])] = max_context[i]
    mask = (np.arange(sequence_length) < lengths[:, None]).astype(np.int32)  # [N, T]
    context_starts = np.argmax(token_to_char[:, :, 0] >= 0, axis=1)  # [N]
    types = (np.arange(sequence_length) >= context_starts[:, None]).astype(np.int32) * mask  # [N, T]
    inputs = dict(zip(INPUT_KEYS, (word_ids, mask, types), strict=True))
    return Windows(inputs, np.array(example_index), token_to_char, token_is_max_context, truncated)


def _context_scores(start: int, length: int, total: int) -> np.ndarray:
    """Score each token of the context by the smaller number of window tokens on its two sides, as in run_squad.py.

    A longer window gets a small bonus. Tokens outside the window have the score -1.
    """
    positions = np.arange(total)
    inside = (positions >= start) & (positions < start + length)
    smaller_side = np.minimum(positions - start, start + length - 1 - positions)
    return np.where(inside, smaller_side + 0.01 * length, -1.0)
