"""Reader of SQuAD 1.1 and 2.0 files."""

import dataclasses
import json
from pathlib import Path

from keras_bert.errors import InputError


@dataclasses.dataclass(frozen=True)
class Question:
    """A question, the text that may answer it, and what people answered.

    Attributes:
        name: its id in the file.
        question, context: strings.
        answers: (text, place of its first character in the context); empty where there is none (SQuAD 2.0).
    """

    name: str
    question: str
    context: str
    answers: tuple[tuple[str, int], ...]


def load_squad(path: str | Path) -> list[Question]:
    """The questions of a SQuAD file.

    Args:
        path: JSON in the layout of SQuAD 1.1 or 2.0.

    Returns:
        A list of `Question`, in the file's order.

    Raises:
        InputError: no such file, no JSON, another layout, a context without a word, an answer that does not
            stand in its context where the file says, two questions of one id, or no question at all.

    Source: Rajpurkar et al. 2016 (arXiv:1606.05250) and 2018 (arXiv:1806.03822).
    """
    try:
        found = json.loads(Path(path).read_text(encoding="utf-8-sig"))
    except (OSError, ValueError, RecursionError) as error:
        raise InputError(f"a SQuAD file is JSON that can be read. Received: {path} ({error})") from None
    questions, names = [], set()
    for article in _field(found, "data", path, list):
        for paragraph in _field(article, "paragraphs", path, list):
            for entry in _field(paragraph, "qas", path, list):
                question = _question(entry, _field(paragraph, "context", path, str), path)
                if question.name in names:
                    raise InputError(f"{path}: each question has an id of its own. Received: {question.name} twice")
                names.add(question.name)
                questions.append(question)
    if not questions:
        raise InputError(f"{path}: questions are expected. Received: none")
    return questions


def _field(holder, name: str, path, *kinds: type):
    """A field of the layout, of one of these types."""
    found = holder.get(name) if isinstance(holder, dict) else None
    if type(found) not in kinds:
        received = f"no {name!r}" if found is None else f"{found!r:.40} as {name!r}"
        raise InputError(f"{path}: SQuAD's layout is data, paragraphs, context, qas. Received: {received}")
    return found


def _question(entry: dict, context: str, path) -> Question:
    name, asked = str(_field(entry, "id", path, str, int)), _field(entry, "question", path, str)
    if not context.strip():
        raise InputError(f"{path}, question {name}: a context holds at least one word. Received: {context[:40]!r}")
    try:
        f"{asked}{context}".encode()
    except UnicodeEncodeError:
        raise InputError(f"{path}, question {name}: text is Unicode. Received: half of a surrogate pair") from None
    answers = []
    for answer in [] if entry.get("is_impossible") else _field(entry, "answers", path, list):
        text, start = _field(answer, "text", path, str), _field(answer, "answer_start", path, int)
        if not text or start < 0 or context[start : start + len(text)] != text:
            stands = context[max(0, start) : max(0, start) + len(text)]
            raise InputError(
                f"{path}, question {name}: an answer stands in its context, at character {start}. "
                f"Received: {text!r} where the context has {stands!r}"
            )
        answers.append((text, start))
    return Question(name, asked, context, tuple(answers))
