"""Questions and long contexts as rows that fit: overlapping windows, and the way back from tokens to characters."""

import dataclasses
from collections.abc import Sequence

import numpy as np

from keras_bert.errors import InputError
from keras_bert.text.offsets import OffsetTokenizer

MAX_QUERY_LENGTH = 64  # tokens; what is beyond is cut, as in the original


@dataclasses.dataclass(frozen=True)
class Windows:
    """Rows `[CLS] question [SEP] part of the context [SEP]`, and where each token of the context stands in it.

    Attributes:
        ids: dict of the encoder's three inputs, int32 `[N, T]`.
        question: int `[N]`, the number of the question that a row belongs to.
        spans: int32 `[N, T, 2]`, first character and the one behind; -1 at tokens that are not of the context.
        best: bool `[N, T]`, whether no other window shows this token with more context around it.
    """

    ids: dict[str, np.ndarray]
    question: np.ndarray
    spans: np.ndarray
    best: np.ndarray

    def __len__(self) -> int:
        return len(self.question)

    def labels(self, answers: Sequence[tuple[int, int] | None]) -> dict[str, np.ndarray]:
        """Where answers begin and end in each row, by token; 0, [CLS], where a row does not hold all of it.

        Args:
            answers: for each question its first character and the one behind, or None for no answer.

        Returns:
            dict of `start_logits` and `end_logits`, int32 `[N]`.
        """
        starts, ends = np.zeros((2, len(self)), np.int32)
        for row, number in enumerate(self.question):
            if answers[number] is None:
                continue
            begin, behind = answers[number]
            inside = np.flatnonzero(self.spans[row, :, 0] >= 0)
            spans = self.spans[row, inside]
            covers = (spans[:, 1] > begin) & (spans[:, 0] < behind)
            # All of it: the window reaches from before its first character to behind its last.
            if covers.any() and spans[0, 0] <= begin and spans[-1, 1] >= behind:
                starts[row], ends[row] = inside[covers][0], inside[covers][-1]
        return {"start_logits": starts, "end_logits": ends}


def make_windows(
    questions: Sequence[str],
    contexts: Sequence[str],
    vocabulary: list[str],
    lowercase: bool = True,
    sequence_length: int = 384,
    stride: int = 128,
) -> Windows:
    """Rows for questions about contexts of any length.

    Args:
        questions, contexts: strings, as many of each.
        vocabulary: list of tokens.
        lowercase: as the encoder was trained.
        sequence_length: T.
        stride: tokens from the start of a window to that of the next.

    Returns:
        `Windows`.

    Raises:
        InputError: other numbers of questions and contexts, a context without a token, or a length too short to show
            `stride` tokens beside the longest question.

    Example:

    >>> vocabulary = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "who", "?", "a", "b", "c", "d"]
    >>> rows = make_windows(["who?"], ["a b c d"], vocabulary, sequence_length=7, stride=1)
    >>> rows.ids["input_word_ids"].tolist()
    [[2, 5, 6, 3, 7, 8, 3], [2, 5, 6, 3, 8, 9, 3], [2, 5, 6, 3, 9, 10, 3]]
    >>> rows.labels([(2, 5)])["start_logits"].tolist()  # "b c" is whole in the second window alone
    [0, 4, 0]

    Source: Devlin et al. 2018, section 4.2; `run_squad.py` of google-research/bert for windows and their best tokens.
    """
    if len(questions) != len(contexts):
        raise InputError(f"a context a question is expected, {len(questions)}. Received: {len(contexts)}")
    tokenizer = OffsetTokenizer(vocabulary, lowercase)
    cls, sep, pad = (vocabulary.index(token) for token in ("[CLS]", "[SEP]", "[PAD]"))
    known: dict[str, tuple] = {}  # many questions are asked of one context
    rows, numbers, spans, best = [], [], [], []
    for number, (question, context) in enumerate(zip(questions, contexts, strict=True)):
        asked = tokenizer(question)[0][:MAX_QUERY_LENGTH]
        room = sequence_length - len(asked) - 3
        if room < stride or stride < 1:
            raise InputError(
                f"a row of {sequence_length} tokens has room for {max(0, room)} of the context beside question "
                f"{number}, {question[:40]!r}; a longer row, a shorter question, or windows at most so far apart are "
                f"expected. Received: stride={stride}"
            )
        if context not in known:
            known[context] = tokenizer(context)
        ids, places = known[context]
        if not ids:
            raise InputError(f"a context holds at least one token. Received: {context[:40]!r}")
        starts = list(range(0, max(1, len(ids) - room + stride), stride))
        around = [_context_around(start, min(room, len(ids) - start), len(ids)) for start in starts]
        most = np.max(around, axis=0)  # [tokens of the context]
        for start, each in zip(starts, around, strict=True):
            part = slice(start, start + room)
            before = 2 + len(asked)
            rows.append([cls, *asked, sep, *ids[part], sep])
            numbers.append(number)
            spans.append([(-1, -1)] * before + places[part])
            best.append([False] * before + (each[part] == most[part]).tolist())
    width = sequence_length
    lengths = np.array([len(row) for row in rows])
    word_ids = np.full((len(rows), width), pad, np.int32)
    all_spans, all_best = np.full((len(rows), width, 2), -1, np.int32), np.zeros((len(rows), width), bool)
    for i, row in enumerate(rows):
        word_ids[i, : len(row)] = row
        all_spans[i, : len(spans[i])] = spans[i]
        all_best[i, : len(best[i])] = best[i]
    mask = (np.arange(width) < lengths[:, None]).astype(np.int32)  # [N, T]
    context_begins = np.argmax(all_spans[:, :, 0] >= 0, axis=1)  # [N]
    types = (np.arange(width) >= context_begins[:, None]).astype(np.int32) * mask
    ids = {"input_word_ids": word_ids, "input_mask": mask, "input_type_ids": types}
    return Windows(ids, np.array(numbers), all_spans, all_best)


def _context_around(start: int, length: int, total: int) -> np.ndarray:
    """How many tokens a window shows on the poorer side of each; a little more for a longer window, as the original."""
    places = np.arange(total)
    inside = (places >= start) & (places < start + length)
    poorer = np.minimum(places - start, start + length - 1 - places)
    return np.where(inside, poorer + 0.01 * length, -1.0)
