"""The best answer to a question, from the start and end logits of its windows."""

import dataclasses
from collections.abc import Sequence

import numpy as np

from keras_bert.text.windows import Windows


@dataclasses.dataclass(frozen=True)
class Answer:
    """The predicted answer to a question.

    Attributes:
        text: a part of the context; empty for no answer.
        start: index of its first character in the context; 0 for no answer.
        end: index after its last character; 0 for no answer.
        score: sum of the start logit and the end logit of the best span.
        null_score: sum of the two logits of `[CLS]`, the minimum over the windows. The higher, the more likely it is
            that the question has no answer.
    """

    text: str
    start: int
    end: int
    score: float
    null_score: float


def best_answers(
    windows: Windows,
    contexts: Sequence[str],
    start_logits,
    end_logits,
    max_answer_length: int = 30,
    n_best_size: int = 20,
    null_score_diff_threshold: float | None = None,
) -> list[Answer]:
    """Return the best valid span of each question over all its windows.

    A span is valid if it does not end before it starts, has at most `max_answer_length` tokens, is a part of the
    context, and if no other window has more context around its first token.

    Args:
        windows: the rows of the questions.
        contexts: one string per question.
        start_logits: float `[N, T]`, for the N rows of `windows`.
        end_logits: float `[N, T]`.
        max_answer_length: maximum length of an answer, in tokens.
        n_best_size: number of start tokens and end tokens to combine in each window, the best first.
        null_score_diff_threshold: return no answer where `null_score - score` is above this value. None always returns
            a span.

    Returns:
        A list of `Answer`, one per question.

    Example:

    >>> from keras_bert.text.windows import make_windows
    >>> vocabulary = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "who", "?", "a", "b", "c", "d"]
    >>> windows = make_windows(["who?"], ["a b c d"], vocabulary, True, 9, 2)
    >>> start_logits, end_logits = np.zeros((2, 1, 9))
    >>> start_logits[0, 5], end_logits[0, 6] = 3, 2
    >>> best_answers(windows, ["a b c d"], start_logits, end_logits)[0].text
    'b c'

    Source: Devlin et al. 2018 (arXiv:1810.04805), sections 4.2 and 4.3; `write_predictions` in `run_squad.py` of
    google-research/bert.
    """
    start_logits, end_logits = (np.asarray(logits, np.float64) for logits in (start_logits, end_logits))  # [N, T]
    answers: list[Answer | None] = [None] * len(contexts)
    null_scores = np.full(len(contexts), np.inf)
    for row, question in enumerate(windows.example_index):
        null_scores[question] = min(null_scores[question], start_logits[row, 0] + end_logits[row, 0])
        in_context = windows.token_to_char[row, :, 0] >= 0  # [T]
        starts = _n_best(start_logits[row], in_context & windows.token_is_max_context[row], n_best_size)  # [S]
        ends = _n_best(end_logits[row], in_context, n_best_size)  # [K]
        length = ends[None, :] - starts[:, None] + 1  # [S, K]
        scores = start_logits[row, starts][:, None] + end_logits[row, ends][None, :]  # [S, K]
        scores = np.where((length >= 1) & (length <= max_answer_length), scores, -np.inf)
        if not scores.size or scores.max() == -np.inf:
            continue
        i, j = np.unravel_index(scores.argmax(), scores.shape)
        if answers[question] is None or scores[i, j] > answers[question].score:
            start, end = int(windows.token_to_char[row, starts[i], 0]), int(windows.token_to_char[row, ends[j], 1])
            answers[question] = Answer(contexts[question][start:end], start, end, float(scores[i, j]), 0.0)
    return [_or_no_answer(answer, float(null_scores[i]), null_score_diff_threshold) for i, answer in enumerate(answers)]


def _n_best(logits: np.ndarray, allowed: np.ndarray, n_best_size: int) -> np.ndarray:
    """Return the indices of the highest allowed logits, the highest first."""
    indices = np.flatnonzero(allowed)
    return indices[np.argsort(-logits[indices], kind="stable")[:n_best_size]]


def _or_no_answer(answer: Answer | None, null_score: float, threshold: float | None) -> Answer:
    """Return the answer with its null score, or an empty answer if there is none or the threshold is exceeded."""
    if answer is None or (threshold is not None and null_score - answer.score > threshold):
        return Answer("", 0, 0, answer.score if answer else float("-inf"), null_score)
    return dataclasses.replace(answer, null_score=null_score)
