"""`keras-bert evaluate`: how often a classifier is right on labelled texts."""

import click

from keras_bert.cli.options import file_option, model_option
from keras_bert.cli.screen import reporting, show_table
from keras_bert.shipped import SENTIMENT


@click.command()
@model_option("A fine-tuned model's folder, or an exported one that takes text.", SENTIMENT)
@file_option(
    "--data", "Labelled texts: a header line, then sentence<TAB>label, or two texts and a label.", required=True
)
@reporting
def evaluate(console, folder: str, data: str) -> dict:
    """Measure a classifier on a file of labelled texts, or pairs of texts.

    Example:  keras-bert evaluate --model tour/classifier --data reviews.tsv --json
    """
    from keras_bert.cli.predictor import Predictor
    from keras_bert.data import read_table

    predictor, table = Predictor(folder), read_table(data)
    facts = _of_classes(predictor, table) if predictor.problem == "single_label" else _of_others(predictor, table)
    shown = [(name, f"{value:.4f}") for name, value in facts.items() if isinstance(value, float)]
    show_table(console, str(data), ("measure", "value"), [*shown, ("examples", f"{len(table):,}")], right=("value",))
    return facts


def _of_classes(predictor, table) -> dict:
    import numpy as np

    from keras_bert.cli.predictor import softmax

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


def _of_others(predictor, table) -> dict:
    from keras_bert.training import evaluate

    labels = table.numbers() if predictor.problem == "regression" else table.several(predictor.names)[0]
    return evaluate(predictor.trained.model, predictor.trained.vectorizer(table.texts), labels)
