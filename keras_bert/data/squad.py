"""Reader of SQuAD 1.1 and 2.0."""

import dataclasses
import json
from pathlib import Path

from keras_bert.errors import InputError


@dataclasses.dataclass(frozen=True)
class Question:
    """A question, the context that may contain its answer, and the reference answers.

    Attributes:
        name: the id of the question in the file.
        question, context: strings.
        answers: tuples `(text, answer_start)`, with the character position in the context; empty for a question without
            an answer (SQuAD 2.0).
    """

    name: str
    question: str
    context: str
    answers: tuple[tuple[str, int], ...]


def load_squad(path: str | Path) -> list[Question]:
    """Read the questions of a SQuAD file.

    Args:
        path: a JSON file in the format of SQuAD 1.1 or 2.0.

    Returns:
        A list of `Question`, in the order of the file.

    Raises:
        InputError: the file cannot be read, is not JSON or has another format, a context has no word, an answer is not
            at its position in the context, two questions have the same id, or there is no question.

    Source: Rajpurkar et al. 2016 (arXiv:1606.05250) and 2018 (arXiv:1806.03822).
    """
    try:
        content = json.loads(Path(path).read_text(encoding="utf-8-sig"))
    except (OSError, ValueError, RecursionError) as error:
        raise InputError(f"`path` must be a readable JSON file. Received: path={path} ({error})") from None
    questions, names = [], set()
    for article in _field(content, "data", path, list):
        for paragraph in _field(article, "paragraphs", path, list):
            for entry in _field(paragraph, "qas", path, list):
                question = _question(entry, _field(paragraph, "context", path, str), path)
                if question.name in names:
                    raise InputError(
                        f"`id` must be different for each question. Received: {question.name} twice in {path}"
                    )
                names.add(question.name)
                questions.append(question)
    if not questions:
        raise InputError(f"`path` must contain at least one question. Received: path={path} (0 questions)")
    return questions


def _field(parent, name: str, path, *types: type):
    """Return a field of the JSON format, if it has one of the types."""
    value = parent.get(name) if isinstance(parent, dict) else None
    if type(value) not in types:
        received = f"no {name!r}" if value is None else f"{name!r}: {value!r:.40}"
        raise InputError(
            f"`path` must have SQuAD's fields data, paragraphs, context, qas. Received: path={path}, {received}"
        )
    return value


def _question(entry: dict, context: str, path) -> Question:
    name, question = str(_field(entry, "id", path, str, int)), _field(entry, "question", path, str)
    where = f"({path}, question {name})"
    if not context.strip():
        raise InputError(f"`context` must have at least one word. Received: context={context[:40]!r} {where}")
    try:
        f"{question}{context}".encode()
    except UnicodeEncodeError:
        raise InputError(
            f"`context` and `question` must be valid Unicode. Received: a lone surrogate {where}"
        ) from None
    answers = []
    for answer in [] if entry.get("is_impossible") else _field(entry, "answers", path, list):
        text, start = _field(answer, "text", path, str), _field(answer, "answer_start", path, int)
        if not text or start < 0 or context[start : start + len(text)] != text:
            there = context[max(0, start) : max(0, start) + len(text)]
            raise InputError(
                f"`answer_start` must be the position of the answer {text!r} in the context. "
                f"Received: answer_start={start}, where the context has {there!r} {where}"
            )
        answers.append((text, start))
    return Question(name, question, context, tuple(answers))


def score_answers(questions: list[Question], answers: dict[str, str]) -> dict:
    """Exact match and F1, as SQuAD's official scripts count them.

    Where every question has an answer that is SQuAD 1.1's script, otherwise 2.0's. They differ in two things: to 1.1
    a question without an answer of ours is a wrong one, and words that are nothing but articles and punctuation match
    exactly but share no word, so that their F1 is 0.

    Args:
        questions: what was asked.
        answers: from a question's name to an answer; the empty string says that there is none.

    Returns:
        A dict: `exact_match` and `f1` in percent, `examples`; where some questions have no answer also those of the two
        kinds apart, `answerable_…` and `unanswerable_…`.

    Raises:
        InputError: a question without an answer of ours, where some have no answer (2.0's script stops there too).

    Example:

    >>> asked = [Question("q", "Where?", "In the Paris of old.", (("Paris", 7), ("the Paris of old", 3)))]
    >>> score_answers(asked, {"q": "The paris"})["exact_match"], score_answers(asked, {"q": "old Paris"})["f1"]
    (100.0, 80.0)

    Source: evaluate-v1.1.py and evaluate-v2.0.py of SQuAD: lower case, no punctuation, no articles; the best of what
    people answered counts.
    """
    some_have_none = any(not question.answers for question in questions)
    missing = [question.name for question in questions if question.name not in answers]
    if missing and some_have_none:
        raise InputError(f"an answer to each question is expected. Received: none to {missing[0]}, of {len(missing)}")
    kinds = collections.defaultdict(list)
    for question in questions:
        pair = score(answers.get(question.name), [text for text, _ in question.answers], some_have_none)
        kinds["answerable_" if question.answers else "unanswerable_"].append(pair)
        kinds[""].append(pair)
    found = {"examples": len(questions)}
    for kind in kinds if len(kinds) > 2 else ("",):
        for i, name in enumerate(("exact_match", "f1")):
            found[f"{kind}{name}"] = 100 * sum(pair[i] for pair in kinds[kind]) / len(kinds[kind])
    return found


def score(said: str | None, meant: list[str], none_counts: bool) -> tuple[float, float]:
    """Exact match and F1 of one answer with the best of those that people gave.

    Args:
        said: None where nothing was said, which is wrong.
        meant: what people answered.
        none_counts: as SQuAD 2.0 has it, saying nothing is right where there is nothing to say; 1.1 has no such case.

    >>> score("", ["the"], True), score("", ["the"], False)
    ((1.0, 1.0), (1.0, 0.0))
    """
    if said is None:
        return 0.0, 0.0
    if none_counts:
        meant = [text for text in meant if normalise(text)] or [""]
    shared = [overlap(said, text) for text in meant if none_counts or normalise(text)]
    return max(exact(said, text) for text in meant), max(shared, default=0.0)


def normalise(text: str) -> str:
    """Lower-cased, without punctuation, without a, an and the, one space between words."""
    text = "".join(char for char in text.lower() if char not in set(string.punctuation))
    return " ".join(re.sub(r"\b(a|an|the)\b", " ", text).split())


def exact(said: str, meant: str) -> float:
    """1 where both are the same after `normalise`."""
    return float(normalise(said) == normalise(meant))


def overlap(said: str, meant: str) -> float:
    """The harmonic mean of precision and recall over words; with none on a side, 1 where both have none."""
    ours, theirs = normalise(said).split(), normalise(meant).split()
    if not ours or not theirs:
        return float(ours == theirs)
    common = sum((collections.Counter(ours) & collections.Counter(theirs)).values())
    if not common:
        return 0.0
    precision, recall = common / len(ours), common / len(theirs)
    return 2 * precision * recall / (precision + recall)
