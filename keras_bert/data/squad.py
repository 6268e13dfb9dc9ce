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
    questions, known_ids = [], set()
    for article in _field(content, "data", path, list):
        for paragraph in _field(article, "paragraphs", path, list):
            for entry in _field(paragraph, "qas", path, list):
                question = _question(entry, _field(paragraph, "context", path, str), path)
                if question.name in known_ids:
                    raise InputError(
                        f"`id` must be different for each question. Received: id={question.name} twice in {path}"
                    )
                known_ids.add(question.name)
                questions.append(question)
    if not questions:
        raise InputError(f"`path` must contain at least one question. Received: path={path} (0 questions)")
    return questions


def _field(parent, name: str, path, *types: type):
    """Return a field of a JSON object; raise InputError if it is missing or has another type."""
    value = parent.get(name) if isinstance(parent, dict) else None
    if type(value) not in types:
        received = f"no {name!r}" if value is None else f"{name!r}: {value!r:.40}"
        raise InputError(
            f"`path` must have SQuAD's fields data, paragraphs, context, qas. Received: path={path}, {received}"
        )
    return value


def _question(entry: dict, context: str, path) -> Question:
    """Convert one entry of the field `qas` to a `Question`, and validate its answers."""
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
            actual = context[max(0, start) : max(0, start) + len(text)]
            raise InputError(
                f"`answer_start` must be the position of the answer {text!r} in the context. "
                f"Received: answer_start={start}, where the context has {actual!r} {where}"
            )
        answers.append((text, start))
    return Question(name, question, context, tuple(answers))
