"""`keras-bert fill-mask`: the most probable tokens at every [MASK]."""

import click

from keras_bert.catalog.bundled import ENCODER
from keras_bert.cli.options import model_option, texts_argument
from keras_bert.cli.output import json_output, shorten, show_table
from keras_bert.cli.value_types import positive


@click.command("fill-mask")
@model_option("Folder of a pretrained model.", ENCODER)
@click.option("--top-k", type=positive, default=5, show_default=True, help="Number of tokens per mask.")
@texts_argument()
@json_output
def fill_mask(console, folder: str, top_k: int, texts: list[str]) -> dict:
    """Show the most probable tokens at every [MASK] of a text.

    Example:  keras-bert fill-mask --model tour/encoder "a [MASK] film"
    """
    from keras_bert.inference.fill_mask import fill_mask as fill
    from keras_bert.weights import load_pretrained

    results = fill(load_pretrained(folder), texts, top_k)
    for result in results:
        for number, mask in enumerate(result["masks"], 1):
            title = shorten(console, result["text"]) + (f" (mask {number})" if len(result["masks"]) > 1 else "")
            cells = ((each["token"], f"{each['probability']:.4f}") for each in mask["predictions"])
            show_table(console, title, ("token", "probability"), cells, right=("probability",))
    return {"texts": results}
