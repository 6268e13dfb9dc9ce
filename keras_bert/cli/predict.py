"""`keras-bert predict`: texts to classes, labels or numbers."""

import click

from keras_bert.cli.options import model_option, texts_argument
from keras_bert.cli.screen import reporting, shorten, show_table
from keras_bert.shipped import SENTIMENT


@click.command()
@model_option("A fine-tuned model's folder, or an exported one that takes text.", SENTIMENT)
@texts_argument()
@reporting
def predict(console, folder: str, texts: list[str]) -> dict:
    """Say which class each text belongs to, and how sure the model is; or which labels apply; or a number.

    With - the texts are the lines of standard input. A tab in a text parts a pair.

    Example:  keras-bert predict --model tour/classifier "a fine film" "two hours lost"
    """
    import numpy as np

    from keras_bert.cli.predictor import Predictor, as_pairs, softmax

    predictor = Predictor(folder)
    logits, named = predictor(as_pairs(texts))
    if predictor.problem == "regression":
        rows = [{"text": text, "number": row[0]} for text, row in zip(texts, logits.tolist(), strict=True)]
        head, cells = ("number", "text"), ((f"{row['number']:.3f}", shorten(row["text"])) for row in rows)
    elif predictor.problem == "multi_label":
        shares = 1 / (1 + np.exp(-logits.astype(np.float64)))
        rows = [
            {
                "text": text,
                "labels": [name for name, share in zip(predictor.names, row, strict=True) if share > 0.5],
                "probabilities": dict(zip(predictor.names, row, strict=True)),
            }
            for text, row in zip(texts, shares.tolist(), strict=True)
        ]
        head, cells = ("labels", "text"), ((", ".join(row["labels"]) or "none", shorten(row["text"])) for row in rows)
    else:
        rows = [
            {"text": text, "label": label, "probability": max(shares), "probabilities": shares}
            for text, label, shares in zip(texts, named, softmax(logits).tolist(), strict=True)
        ]
        head = ("label", "probability", "text")
        cells = ((row["label"], f"{row['probability']:.3f}", shorten(row["text"])) for row in rows)
    show_table(console, "", head, cells, right=("probability", "number"))
    return {"predictions": rows}
