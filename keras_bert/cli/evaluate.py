"""`keras-bert evaluate`: how often a classifier is right on labelled sentences."""

import click

from keras_bert.cli.options import file_option, model_option
from keras_bert.cli.screen import reporting, show_table
from keras_bert.shipped import SENTIMENT


@click.command()
@model_option("A fine-tuned model's folder, or an exported one that takes text.", SENTIMENT)
@file_option("--data", "Labelled sentences: a header line, then sentence<TAB>label.", required=True)
@reporting
def evaluate(console, folder: str, data: str) -> dict:
    """Measure a classifier on a file of labelled sentences.

    Example:  keras-bert evaluate --model tour/classifier --data reviews.tsv --json
    """
    import numpy as np

    from keras_bert.cli.predictor import Predictor, softmax
    from keras_bert.data import read_tsv

    predictor = Predictor(folder)
    texts, labels = read_tsv(data, predictor.classes)
    logits, _ = predictor(texts)
    said = logits.argmax(-1)
    confusion = np.zeros((predictor.classes, predictor.classes), int)  # [truth, said]
    np.add.at(confusion, (labels, said), 1)
    likelihoods = softmax(logits)[np.arange(len(labels)), labels]
    facts = {
        "accuracy": float((said == labels).mean()),
        "examples": len(texts),
        "loss": float(-np.log(np.maximum(likelihoods, 1e-30)).mean()),
        "majority": float(np.bincount(labels).max() / len(labels)),
        "confusion": confusion.tolist(),
    }
    rows = (
        ("accuracy", f"{facts['accuracy']:.4f}"),
        ("always the commonest class", f"{facts['majority']:.4f}"),
        ("loss", f"{facts['loss']:.4f}"),
        ("examples", f"{len(texts):,}"),
    )
    show_table(console, str(data), ("measure", "value"), rows, right=("value",))
    return facts
