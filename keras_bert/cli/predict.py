"""`keras-bert predict`: texts to classes, labels, numbers, answers or tags; pairs to whether they belong together."""

import click

from keras_bert.catalog.bundled import SENTIMENT
from keras_bert.cli.options import model_option, texts_argument
from keras_bert.cli.output import json_output, shorten, show_table


@click.command()
@model_option("The folder of a fine-tuned model, of a pretrained one, or of an export that takes text.", SENTIMENT)
@texts_argument()
@json_output
def predict(console, folder: str, texts: list[str]) -> dict:
    """Say what a model was trained to say of each text: its class and how sure that is, labels, a number, the answer to
    a question, a tag for each word. A model that was only pretrained says of a pair whether the second text follows the
    first or is random or, after --sentence-order, whether they are in order or swapped.

    A model that learned from questions some of which have no answer (SQuAD 2.0) may say so: "no answer" in the table,
    with --json null as answer, start and end.

    With - the texts are the lines of standard input. A tab in a text parts a pair, or a question from its context.

    Example:  keras-bert predict --model tour/classifier "a fine film" "two hours lost"
    """
    from keras_bert.inference.predictor import Predictor

    predictor = Predictor(folder)
    rows, head, cells = SAY[predictor.task](predictor, texts)
    show_table(console, "", head, cells, right=("probability", "number", "score"))
    return {"predictions": rows}


def _classes(predictor, texts: list[str]):
    from keras_bert.inference.predictor import as_pairs, softmax

    logits, named = predictor(as_pairs(texts))
    rows = [
        {"text": text, "label": label, "probability": max(shares), "probabilities": shares}
        for text, label, shares in zip(texts, named, softmax(logits).tolist(), strict=True)
    ]
    cells = ((row["label"], f"{row['probability']:.3f}", shorten(row["text"])) for row in rows)
    return rows, ("label", "probability", "text"), cells


def _labels(predictor, texts: list[str]):
    import numpy as np

    from keras_bert.inference.predictor import as_pairs

    logits, _ = predictor(as_pairs(texts))
    rows = []
    for text, row in zip(texts, (1 / (1 + np.exp(-logits.astype(np.float64)))).tolist(), strict=True):
        shares = dict(zip(predictor.names, row, strict=True))
        rows.append({"text": text, "labels": [name for name in shares if shares[name] > 0.5], "probabilities": shares})
    return rows, ("labels", "text"), ((", ".join(row["labels"]) or "none", shorten(row["text"])) for row in rows)


def _numbers(predictor, texts: list[str]):
    from keras_bert.inference.predictor import as_pairs

    logits, _ = predictor(as_pairs(texts))
    rows = [{"text": text, "number": row[0]} for text, row in zip(texts, logits.tolist(), strict=True)]
    return rows, ("number", "text"), ((f"{row['number']:.3f}", shorten(row["text"])) for row in rows)


def _answers(predictor, texts: list[str]):
    from keras_bert.data.squad import Question
    from keras_bert.errors import InputError
    from keras_bert.tasks.spans import answer

    parts = [text.split("\t") for text in texts]
    for part in parts:
        if len(part) != 2:
            raise InputError(
                f"a question, a tab and its context are expected. Received: {len(part) - 1} tabs in "
                f"{shorten(' '.join(part))!r}"
            )
    questions = [Question(str(i), *part, ()) for i, part in enumerate(parts)]
    null_score_diff_threshold = 0.0 if predictor.trained.no_answer else None
    said = answer(predictor.trained.model, questions, predictor.reader, null_score_diff_threshold)
    rows, cells = [], []
    for asked, a in zip(questions, said, strict=True):
        place = (
            {"answer": a.text, "start": a.start, "end": a.end} if a.text else dict.fromkeys(("answer", "start", "end"))
        )
        rows.append({"question": asked.question, **place, "score": a.score, "none": a.none})
        score = a.score if a.text else a.none
        cells.append((a.text or "no answer", f"{score:.2f}", shorten(asked.question)))
    return rows, ("answer", "score", "question"), cells


def _tags(predictor, texts: list[str]):
    from keras_bert.data.conll import extract_entities
    from keras_bert.tasks.tags import tag

    sentences = [text.split() for text in texts]
    rows = []
    for words, tags in zip(
        sentences, tag(predictor.trained.model, sentences, predictor.names, predictor.reader), strict=True
    ):
        names = [
            {"text": " ".join(words[first : last + 1]), "kind": kind} for kind, first, last in extract_entities(tags)
        ]
        rows.append({"words": words, "tags": tags, "names": names})
    cells = (
        (
            ", ".join(f"{name['text']} ({name['kind']})" for name in row["names"]) or "none",
            shorten(" ".join(row["words"])),
        )
        for row in rows
    )
    return rows, ("names", "text"), cells


SAY = {"classification": _classes, "multi-label": _labels, "regression": _numbers, "spans": _answers, "tokens": _tags}
