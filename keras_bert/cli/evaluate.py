"""`keras-bert evaluate`: how right a model is on a file of what it was trained for."""

import click

from keras_bert.catalog.bundled import SENTIMENT
from keras_bert.cli.options import file_option, model_option
from keras_bert.cli.output import json_output, show_table


@click.command()
@model_option("A fine-tuned model's folder, or an exported one that takes text.", SENTIMENT)
@file_option(
    "--data",
    "Labelled texts: a header line, then sentence<TAB>label, or two texts and a label; for answers JSON as SQuAD has "
    "it, for tags columns.",
    required=True,
)
@json_output
def evaluate(console, folder: str, data: str) -> dict:
    """Measure a model on a file of what it was trained for.

    Example:  keras-bert evaluate --model tour/classifier --data reviews.tsv --json
    """
    from keras_bert.inference.predictor import Predictor

    predictor = Predictor(folder)
    measure = {"classification": _of_classes, "spans": _of_spans, "tokens": _of_tokens}.get(predictor.task, _of_others)
    facts = measure(predictor, data)
    shown = [(name, f"{value:.4f}") for name, value in facts.items() if isinstance(value, float)]
    shown.append(("examples", f"{facts['examples']:,}"))
    show_table(console, str(data), ("measure", "value"), shown, right=("value",))
    return facts


def _of_classes(predictor, data: str) -> dict:
    import numpy as np

    from keras_bert.data import read_table
    from keras_bert.inference.predictor import softmax

    table = read_table(data)
    logits, named = predictor(table.texts)
    if predictor.names is None and not all(label.isdecimal() for label in table.labels):
        # An exported model says names and does not tell their order: names are compared, and there is no loss.
        names = sorted({*named, *table.labels})
        said = np.array([names.index(name) for name in named])
    else:
        names = predictor.names or [str(i) for i in range(logits.shape[-1])]
        said = logits.argmax(-1)
    labels, names = table.classes(names)
    confusion = np.zeros((len(names), len(names)), int)  # [truth, said]
    np.add.at(confusion, (labels, said), 1)
    facts = {
        "accuracy": float((said == labels).mean()),
        "examples": len(labels),
        "majority": float(np.bincount(labels).max() / len(labels)),
        "confusion": confusion.tolist(),
    }
    if predictor.names or names == tuple(str(i) for i in range(logits.shape[-1])):
        likelihoods = softmax(logits)[np.arange(len(labels)), labels]
        facts["loss"] = float(-np.log(np.maximum(likelihoods, 1e-30)).mean())
    return facts


def _of_others(predictor, data: str) -> dict:
    from keras_bert.data import read_table
    from keras_bert.inference import evaluate

    table = read_table(data)
    predictor.check_pairs(table.texts)
    labels = table.numbers() if predictor.task == "regression" else table.several(predictor.names)[0]
    return evaluate(predictor.trained.model, predictor.trained.vectorizer(table.texts), labels)


def _of_spans(predictor, data: str) -> dict:
    from keras_bert.data.squad import load_squad
    from keras_bert.tasks.spans import score_model

    return score_model(predictor.trained.model, load_squad(data), predictor.reader)


def _of_tokens(predictor, data: str) -> dict:
    from keras_bert.data.conll import entity_f1, load_conll
    from keras_bert.tasks.tags import check_tags, tag

    sentences = load_conll(data)
    check_tags(sentences, predictor.names, data)
    said = tag(predictor.trained.model, [each.words for each in sentences], predictor.names, predictor.reader)
    return {**entity_f1([each.tags for each in sentences], said), "examples": len(sentences)}
