"""Answers that stand in a text: SQuAD 1.1 and 2.0."""

from pathlib import Path

import numpy as np

from keras_bert.data.squad import Question, load_squad, score_answers
from keras_bert.errors import InputError
from keras_bert.inference import predict_logits
from keras_bert.models import BertSpanLabeler
from keras_bert.tasks.preprocessor import Preprocessor, check_two
from keras_bert.tasks.span_decoding import Answer, best_answers
from keras_bert.tasks.task import Task
from keras_bert.text.windows import Windows, make_windows

STRIDE = 128


class SpanTask(Task):
    """A span labeler of questions and contexts.

    Args:
        dataset: a folder with `train.json` and `dev.json` in the layout of SQuAD.
        names: there are none.

    Raises:
        InputError: a file is missing, or `load_squad` refuses it; all training questions are of one context.
    """

    def __init__(self, dataset: str, names=None):
        if names:
            raise InputError(f"answers have no classes. Received: the names {', '.join(names)}")
        folder = Path(dataset)
        for name in ("train.json", "dev.json"):
            if not (folder / name).is_file():
                raise InputError(f"{folder}: a folder with train.json and dev.json is expected. Received: no {name}")
        self.train, self.dev = load_squad(folder / "train.json"), load_squad(folder / "dev.json")
        self.sizes = len(self.train), len(self.dev)
        check_two(len({each.context for each in self.train}), f"contexts in {folder / 'train.json'}")

    @property
    def no_answer(self) -> bool:
        """Whether some training questions have no answer, as in SQuAD 2.0: the model learns to say so."""
        return any(not each.answers for each in self.train)

    @property
    def texts(self) -> list[str]:
        """All training questions, and their contexts once each."""
        return [*(each.question for each in self.train), *dict.fromkeys(each.context for each in self.train)]

    def model(self, encoder) -> BertSpanLabeler:
        """The encoder with a start and an end vector."""
        return BertSpanLabeler(encoder)

    def rows(self, reader: Preprocessor, seed: int, held_out: float) -> tuple:
        """Windows and the places of answers."""
        return tuple(span_rows(part, reader) for part in self.parts(seed, held_out))

    def parts(self, seed: int, held_out: float) -> tuple[list[Question], list[Question]]:
        """Questions to train on, and to choose by: whole contexts are held out, so that none is trained on."""
        contexts = list(dict.fromkeys(each.context for each in self.train))
        order = np.random.default_rng(seed).permutation(len(contexts))
        kept_out = {contexts[i] for i in order[: max(1, round(held_out * len(order)))]}
        return tuple([each for each in self.train if (each.context in kept_out) == out] for out in (False, True))

    def score(self, model, reader: Preprocessor, seed: int, held_out: float):
        """F1 on the held-out questions. Of windows most hold no answer: who always says so has most of them right."""
        questions = self.parts(seed, held_out)[1]
        return lambda: score_model(model, questions, reader)["f1"]

    def measure(self, model, reader: Preprocessor) -> dict:
        """Exact match and F1 on the dev part."""
        return score_model(model, self.dev, reader)


def score_model(model, questions: list[Question], reader: Preprocessor) -> dict:
    """`score_answers` of what a model answers; where some questions have no answer, it may say so."""
    null_score_diff_threshold = 0.0 if any(not each.answers for each in questions) else None
    said = answer(model, questions, reader, null_score_diff_threshold=null_score_diff_threshold)
    return score_answers(questions, {each.name: a.text for each, a in zip(questions, said, strict=True)})


def windows_of(questions: list[Question], reader: Preprocessor) -> Windows:
    """Rows for questions."""
    return make_windows(
        [each.question for each in questions],
        [each.context for each in questions],
        list(reader.vocabulary),
        reader.lowercase,
        reader.sequence_length,
        min(STRIDE, reader.sequence_length // 3),
    )


def span_rows(questions: list[Question], reader: Preprocessor) -> tuple[dict, dict]:
    """Ids of all windows, and where the first answer of each question begins and ends in them."""
    windows = windows_of(questions, reader)
    spans = [(a[0][1], a[0][1] + len(a[0][0])) if (a := each.answers) else None for each in questions]
    return windows.ids, windows.labels(spans)


def answer(
    model, questions: list[Question], reader: Preprocessor, null_score_diff_threshold: float | None = None
) -> list[Answer]:
    """What a model answers to questions.

    Args:
        model: a `BertSpanLabeler`.
        questions: their `answers` are not looked at.
        reader: `Preprocessor`.
        null_score_diff_threshold: see `best_answers`.
    """
    windows = windows_of(questions, reader)
    logits = predict_logits(model, windows.ids)
    contexts = [each.context for each in questions]
    return best_answers(
        windows,
        contexts,
        logits["start_logits"],
        logits["end_logits"],
        null_score_diff_threshold=null_score_diff_threshold,
    )
