"""The task of extractive question answering: an answer that is a part of a context, as in SQuAD 1.1 and 2.0."""

import dataclasses
from collections.abc import Callable, Sequence

import numpy as np

from keras_bert.data.squad import Question, load_squad
from keras_bert.errors import InputError
from keras_bert.metrics import accuracy, cross_entropy, squad_metrics
from keras_bert.tasks.classification import check_range
from keras_bert.tasks.objectives import class_objective
from keras_bert.tasks.registry import register_task
from keras_bert.tasks.span_decoding import Answer, best_answers
from keras_bert.tasks.task import Task, reject_top_k
from keras_bert.tasks.task_data import TaskData, TaskDefaults, TrainedModel, check_at_least_two, check_files
from keras_bert.text.windows import MAX_QUERY_LENGTH, Windows, make_windows

DOC_STRIDE = 128  # tokens; shorter rows have a shorter stride
OUTPUTS = ("start_logits", "end_logits")


@dataclasses.dataclass(frozen=True)
class SpansTask(Task):
    """Extractive question answering with a `BertSpanLabeler`. An example is a `Question`.

    Source: Devlin et al. 2018 (arXiv:1810.04805), sections 4.2 and 4.3; `run_squad.py` of google-research/bert.
    """

    data_files: tuple[str, str] = ("train.json", "dev.json")
    setting_names: tuple[str, ...] = ("no_answer",)
    columns: tuple[str, ...] = ("answer", "score", "question")

    def load(self, dataset: str, label_names: Sequence[str] | None = None) -> TaskData:
        """Read `train.json` and `dev.json`, or the sample `"sample-questions"`. There are no label names."""
        if label_names:
            raise InputError(f"`label_names` must be None for the task spans. Received: {', '.join(label_names)}")
        train_file, dev_file = check_files(dataset, self.data_files, "sample-questions")
        train, dev = load_squad(train_file), load_squad(dev_file)
        contexts = list(dict.fromkeys(each.context for each in train))
        check_at_least_two(len(contexts), "contexts", train_file)
        texts = [*(each.question for each in train), *contexts]
        no_answer = any(not each.answers for each in train)
        return TaskData(str(dataset), train, dev, texts, settings={"no_answer": no_answer})

    def read(self, path, labels: Sequence[str] | None) -> list[Question]:
        """Read a SQuAD file."""
        return load_squad(path)

    def build_model(self, encoder, data: TaskData, **options):
        """Return a `BertSpanLabeler`."""
        from keras_bert.models import BertSpanLabeler

        return BertSpanLabeler(encoder)

    def train_validation_rows(self, data: TaskData, preprocessor, seed: int, fraction: float) -> tuple[tuple, tuple]:
        """Split the questions by their contexts, and return windows with the positions of the first answers."""
        return tuple(span_rows(part, preprocessor) for part in split_questions(data.train, seed, fraction))

    def targets(self, model, ids: dict, labels) -> tuple:
        """Check token positions, a dict of `start_logits` and `end_logits`, int `[N]` each. Return them as int32."""
        rows, length = ids["input_word_ids"].shape
        targets = {}
        for name in OUTPUTS:
            if name not in labels:
                raise InputError(f"`labels` must have the keys {' and '.join(OUTPUTS)}. Received: no {name}")
            positions = np.asarray(labels[name])
            if positions.shape != (rows,) or not np.issubdtype(positions.dtype, np.integer):
                raise InputError(
                    f"`labels` must have one integer position per example ({rows}) in {name}. "
                    f"Received: shape={positions.shape}, dtype={positions.dtype}"
                )
            check_range(positions, 0, length - 1)
            targets[name] = positions.astype(np.int32)
        return targets, None

    def compute_metrics(self, outputs, targets, weights) -> dict:
        """Compute accuracy of starts and ends, exact match of both, and loss, over windows."""
        correct = np.stack([outputs[name].argmax(-1) == targets[name] for name in targets])  # [2, N]
        losses = [cross_entropy(outputs[name], targets[name]).mean() for name in targets]
        return {
            "accuracy": accuracy(True, correct),
            "exact_match": float(correct.all(0).mean()),
            "loss": float(np.mean(losses)),
        }

    def evaluate(self, trained: TrainedModel, examples: Sequence[Question]) -> dict:
        """Compute exact match and F1 over questions. Where some have no answer, the model may return none."""
        version_2 = any(not each.answers for each in examples)
        answers = answer_questions(trained, examples, null_score_diff_threshold=0.0 if version_2 else None)
        expected = {each.name: [text for text, _ in each.answers] for each in examples}
        return squad_metrics(expected, {q.name: answer.text for q, answer in zip(examples, answers, strict=True)})

    def selection_metric(self, trained: TrainedModel, data: TaskData, seed: int, fraction: float) -> Callable:
        """Return a function that computes F1 over the validation questions.

        Accuracy over windows is misleading: most windows contain no answer, and always predicting "no answer" is
        correct for all of them.
        """
        questions = split_questions(data.train, seed, fraction)[1]
        return lambda: self.evaluate(trained, questions)["f1"]

    def predict(self, trained: TrainedModel, texts: list, top_k: int | None = None) -> list[dict]:
        """Return one answer per (question, context) tuple; None where the model returns no answer."""
        reject_top_k(top_k)
        for text in texts:
            if not isinstance(text, tuple):
                raise InputError(
                    "`texts` must be (question, context) pairs for this model. "
                    f"Received: a single text, {text[:40]!r}. On the command line a tab separates the two."
                )
        questions = [Question(str(i), question, context, ()) for i, (question, context) in enumerate(texts)]
        threshold = 0.0 if trained.settings.get("no_answer") else None
        answers = answer_questions(trained, questions, null_score_diff_threshold=threshold)
        return [
            {
                "question": question.question,
                "answer": answer.text or None,
                "start": answer.start if answer.text else None,
                "end": answer.end if answer.text else None,
                "score": answer.score,
                "null_score": answer.null_score,
            }
            for question, answer in zip(questions, answers, strict=True)
        ]

    def cells(self, prediction: dict) -> tuple:
        """Return answer, score and question."""
        score = prediction["score" if prediction["answer"] else "null_score"]
        return prediction["answer"] or "no answer", f"{score:.2f}", prediction["question"]

    def example_text(self, data: TaskData) -> str:
        """Return a question, a tab and a context."""
        return r"$'who knew?\tthe man who knew'"


def split_questions(questions: Sequence[Question], seed: int, fraction: float) -> tuple[list, list]:
    """Split questions by their contexts, so that no context is in both parts.

    Args:
        questions: list of `Question`.
        seed: seed of the split.
        fraction: fraction of the contexts to use for validation, at least one context.

    Returns:
        The training questions and the validation questions.
    """
    contexts = list(dict.fromkeys(each.context for each in questions))
    order = np.random.default_rng(seed).permutation(len(contexts))
    validation_contexts = {contexts[i] for i in order[: max(1, round(fraction * len(order)))]}
    train = [each for each in questions if each.context not in validation_contexts]
    validation = [each for each in questions if each.context in validation_contexts]
    return train, validation


def question_windows(questions: Sequence[Question], preprocessor) -> Windows:
    """Return the windows of questions on their contexts. Long questions are truncated, so that a window has space."""
    length = preprocessor.sequence_length
    doc_stride = min(DOC_STRIDE, length // 3)
    max_query_length = min(MAX_QUERY_LENGTH, max(0, length - 3 - doc_stride))
    windows = make_windows(
        [each.question for each in questions],
        [each.context for each in questions],
        list(preprocessor.vocabulary),
        preprocessor.lowercase,
        length,
        doc_stride,
        preprocessor.added_tokens,
        preprocessor.splitting,
        max_query_length,
    )
    preprocessor.long_texts.add(windows.truncated_questions, len(questions), max_query_length, "questions")
    return windows


def span_rows(questions: Sequence[Question], preprocessor) -> tuple[dict, dict]:
    """Return the ids of all windows, and the positions where the first answer of each question starts and ends."""
    windows = question_windows(questions, preprocessor)
    spans: list[tuple[int, int] | None] = []  # start and end of the first answer, in characters of the context
    for question in questions:
        text, start = question.answers[0] if question.answers else (None, None)
        spans.append(None if text is None else (start, start + len(text)))
    return windows.ids, windows.labels(spans)


def answer_questions(
    trained: TrainedModel, questions: Sequence[Question], null_score_diff_threshold: float | None = None
) -> list[Answer]:
    """Return the answer of a model to each question.

    Args:
        trained: `TrainedModel` of a `BertSpanLabeler`.
        questions: list of `Question`; their `answers` are not used.
        null_score_diff_threshold: see `best_answers`.
    """
    windows = question_windows(questions, trained.preprocessor)
    logits = trained.outputs(windows.ids)
    contexts = [each.context for each in questions]
    return best_answers(
        windows,
        contexts,
        *(logits[name] for name in OUTPUTS),
        null_score_diff_threshold=null_score_diff_threshold,
    )


register_task(
    SpansTask(
        name="spans",
        kind="span_labeler",
        objective=class_objective,
        defaults=TaskDefaults(sequence_length=384),
    )
)
