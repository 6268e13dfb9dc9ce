"""`keras-bert fill-mask`: what a pretrained model puts in a gap."""

import click

from keras_bert.catalog.bundled import ENCODER
from keras_bert.cli.options import model_option, positive, texts_argument
from keras_bert.cli.output import json_output, shorten, show_table


@click.command("fill-mask")
@model_option("A pretrained model's folder.", ENCODER)
@click.option("--top", type=positive, default=5, show_default=True, help="How many words to show for each gap.")
@texts_argument()
@json_output
def fill_mask(console, folder: str, top: int, texts: list[str]) -> dict:
    """Show the likeliest tokens at every [MASK] of a text.

    Example:  keras-bert fill-mask --model tour/encoder "a [MASK] film"
    """
    from keras_bert.inference.fill_mask import fill_mask as fill
    from keras_bert.weights import load_pretrained

    found = fill(load_pretrained(folder), texts, top)
    for row in found:
        for number, gap in enumerate(row["gaps"], 1):
            title = shorten(row["text"]) + (f" (gap {number})" if len(row["gaps"]) > 1 else "")
            cells = ((guess["token"], f"{guess['probability']:.4f}") for guess in gap["guesses"])
            show_table(console, title, ("token", "probability"), cells, right=("probability",))
    return {"texts": found}
