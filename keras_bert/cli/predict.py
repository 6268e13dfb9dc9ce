"""`keras-bert predict`: texts to classes."""

import click

from keras_bert.cli.options import model_option, texts_argument
from keras_bert.cli.screen import reporting, shorten, show_table
from keras_bert.shipped import SENTIMENT


@click.command()
@model_option("A fine-tuned model's folder, or an exported one that takes text.", SENTIMENT)
@texts_argument()
@reporting
def predict(console, folder: str, texts: list[str]) -> dict:
    """Say which class each text belongs to, and how sure the model is.

    With - the texts are the lines of standard input.

    Example:  keras-bert predict --model tour/classifier "a fine film" "two hours lost"
    """
    from keras_bert.cli.predictor import Predictor, softmax

    logits, labels = Predictor(folder)(texts)
    rows = [
        {"text": text, "label": label, "probability": max(shares), "probabilities": shares}
        for text, label, shares in zip(texts, labels, softmax(logits).tolist(), strict=True)
    ]
    cells = ((row["label"], f"{row['probability']:.3f}", shorten(row["text"])) for row in rows)
    show_table(console, "", ("label", "probability", "text"), cells, right=("probability",))
    return {"predictions": rows}
