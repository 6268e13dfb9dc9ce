"""Exact match and F1 of answers, computed as by the official scripts of SQuAD 1.1 and 2.0."""

import collections
import re
import string

from keras_bert.errors import InputError


def squad_metrics(expected: dict[str, list[str]], predicted: dict[str, str]) -> dict:
    """Compute exact match and F1 over a set of questions.

    Where every question has an answer, the rules are those of `evaluate-v1.1.py`, otherwise those of
    `evaluate-v2.0.py`. They differ in two points. In 1.1, a question without a prediction counts as wrong. In 1.1, an
    answer that consists only of articles and punctuation has an exact match with another such answer, but an F1 of 0,
    because the two have no word in common.

    Args:
        expected: question id to the answers of the annotators; an empty list means that there is no answer (SQuAD 2.0).
        predicted: question id to the predicted answer; the empty string means "no answer".

    Returns:
        A dict: `exact_match` and `f1` in percent, `examples` (the number of questions). Where some questions have no
        answer, also `answerable_exact_match`, `answerable_f1`, `unanswerable_exact_match` and `unanswerable_f1`.

    Raises:
        InputError: some questions have no answer, and a question has no prediction.

    Example:

    >>> expected = {"q": ["Paris", "the Paris of old"]}
    >>> squad_metrics(expected, {"q": "The paris"})["exact_match"], squad_metrics(expected, {"q": "old Paris"})["f1"]
    (100.0, 80.0)

    Source: evaluate-v1.1.py and evaluate-v2.0.py, Rajpurkar et al. 2016 (arXiv:1606.05250) and 2018 (arXiv:1806.03822).
    """
    version_2 = any(not answers for answers in expected.values())
    missing = [question for question in expected if question not in predicted]
    if missing and version_2:
        raise InputError(
            "`predicted` must have an answer to each question. "
            f"Received: no answer to {len(missing)} questions, the first is {missing[0]!r}"
        )
    groups = collections.defaultdict(list)
    for question, answers in expected.items():
        scores = answer_scores(predicted.get(question), answers, version_2)
        groups["answerable_" if answers else "unanswerable_"].append(scores)
        groups[""].append(scores)
    metrics = {"examples": len(expected)}
    for prefix in groups if len(groups) > 2 else ("",):
        for i, name in enumerate(("exact_match", "f1")):
            metrics[f"{prefix}{name}"] = 100 * sum(pair[i] for pair in groups[prefix]) / len(groups[prefix])
    return metrics


def answer_scores(predicted: str | None, answers: list[str], version_2: bool) -> tuple[float, float]:
    """Compute exact match and F1 of one predicted answer; the best of the annotators' answers counts.

    Args:
        predicted: the predicted answer; None for no prediction, which counts as wrong.
        answers: the answers of the annotators.
        version_2: use the rules of SQuAD 2.0, where an empty prediction is correct if there is no answer.

    Returns:
        Exact match and F1, each in [0, 1].

    Example:

    >>> answer_scores("", ["the"], version_2=True), answer_scores("", ["the"], version_2=False)
    ((1.0, 1.0), (1.0, 0.0))
    """
    if predicted is None:
        return 0.0, 0.0
    if version_2:
        answers = [text for text in answers if normalize_answer(text)] or [""]
    f1 = [token_f1(predicted, text) for text in answers if version_2 or normalize_answer(text)]
    return max(exact_match(predicted, text) for text in answers), max(f1, default=0.0)


def normalize_answer(text: str) -> str:
    """Lowercase a text, remove punctuation and the words a, an and the, and collapse whitespace.

    Example:

    >>> normalize_answer("The  Cat, a dog!")
    'cat dog'
    """
    text = "".join(char for char in text.lower() if char not in set(string.punctuation))
    return " ".join(re.sub(r"\b(a|an|the)\b", " ", text).split())


def exact_match(predicted: str, expected: str) -> float:
    """Return 1.0 where both texts are equal after `normalize_answer`, otherwise 0.0."""
    return float(normalize_answer(predicted) == normalize_answer(expected))


def token_f1(predicted: str, expected: str) -> float:
    """Compute the F1 of the words of two normalized texts.

    Returns:
        The harmonic mean of precision and recall. Where one text has no words: 1.0 if both have none, otherwise 0.0.

    Example:

    >>> round(token_f1("one two two", "two two three"), 4)
    0.6667
    """
    words, expected_words = normalize_answer(predicted).split(), normalize_answer(expected).split()
    if not words or not expected_words:
        return float(words == expected_words)
    common = sum((collections.Counter(words) & collections.Counter(expected_words)).values())
    if not common:
        return 0.0
    precision, recall = common / len(words), common / len(expected_words)
    return 2 * precision * recall / (precision + recall)
