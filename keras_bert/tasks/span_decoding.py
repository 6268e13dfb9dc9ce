"""From scores of tokens to an answer in the words of the text: the best span that can be one."""

import dataclasses

import numpy as np

from keras_bert.text.windows import Windows

TOP = 20  # starts and ends of a window that are looked at, the best first


@dataclasses.dataclass(frozen=True)
class Answer:
    """What a model answers to one question.

    Attributes:
        text: as it stands in the context; empty for no answer.
        start, end: its first character and the one behind; 0, 0 for no answer.
        score: the sum of its two logits.
        none: the sum of the two logits of `[CLS]`, the least over the windows: how strongly the model says none.
    """

    text: str
    start: int
    end: int
    score: float
    none: float


def best_answers(
    windows: Windows,
    contexts,
    start_logits,
    end_logits,
    longest: int = 30,
    null_score_diff_threshold: float | None = None,
) -> list[Answer]:
    """The best valid span of each question, over all its windows.

    A span is valid where it ends no sooner than it starts, has at most `longest` tokens, lies in the context and starts
    at a token that this window shows best.

    Args:
        windows: the rows.
        contexts: a string a question.
        start_logits, end_logits: float `[N, T]`, what a `BertSpanLabeler` gives for the rows.
        longest: tokens.
        null_score_diff_threshold: say that there is no answer where that scores so much higher than the best span; None never does.

    Returns:
        A list of `Answer`, one a question.

    Example:

    >>> from keras_bert.text.windows import make_windows
    >>> vocabulary = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "who", "?", "a", "b", "c", "d"]
    >>> rows = make_windows(["who?"], ["a b c d"], vocabulary, sequence_length=9, doc_stride=2)
    >>> starts, ends = np.zeros((2, 1, 9))
    >>> starts[0, 5], ends[0, 6] = 3, 2
    >>> best_answers(rows, ["a b c d"], starts, ends)[0].text
    'b c'

    Source: Devlin et al. 2018, sections 4.2 and 4.3; `write_predictions` in `run_squad.py` of google-research/bert.
    """
    start_logits, end_logits = (np.asarray(logits, np.float64) for logits in (start_logits, end_logits))  # [N, T]
    found: list[Answer | None] = [None] * len(contexts)
    none = np.full(len(contexts), np.inf)
    for row, number in enumerate(windows.example_index):
        none[number] = min(none[number], start_logits[row, 0] + end_logits[row, 0])
        inside = windows.token_to_char[row, :, 0] >= 0
        starts = _best(start_logits[row], inside & windows.token_is_max_context[row])
        ends = _best(end_logits[row], inside)
        length = ends[None, :] - starts[:, None] + 1  # [S, E]
        scores = start_logits[row, starts][:, None] + end_logits[row, ends][None, :]
        scores = np.where((length >= 1) & (length <= longest), scores, -np.inf)
        if not scores.size or scores.max() == -np.inf:
            continue
        i, j = np.unravel_index(scores.argmax(), scores.shape)
        if found[number] is None or scores[i, j] > found[number].score:
            begin, behind = int(windows.token_to_char[row, starts[i], 0]), int(windows.token_to_char[row, ends[j], 1])
            found[number] = Answer(contexts[number][begin:behind], begin, behind, float(scores[i, j]), 0.0)
    return [_settled(answer, float(none[i]), null_score_diff_threshold) for i, answer in enumerate(found)]


def _best(logits: np.ndarray, allowed: np.ndarray) -> np.ndarray:
    places = np.flatnonzero(allowed)
    return places[np.argsort(-logits[places], kind="stable")[:TOP]]


def _settled(answer: Answer | None, none: float, null_score_diff_threshold: float | None) -> Answer:
    if answer is None or (null_score_diff_threshold is not None and none - answer.score > null_score_diff_threshold):
        return Answer("", 0, 0, answer.score if answer else float("-inf"), none)
    return dataclasses.replace(answer, none=none)
