"""`keras-bert convert`: from any published format to another."""

from pathlib import Path

import click

from keras_bert.cli.options import MODEL_FOLDER, OutFolder
from keras_bert.cli.output import json_output

MARKS = {  # files that tell a folder of a format from others
    "tfhub": ("saved_model.pb",),
    "keras": MODEL_FOLDER,
    "huggingface": ("config.json", "model.safetensors"),
    "google": ("bert_model.ckpt.index",),
}


def _folder_of_the_format(context: click.Context, option: click.Option, value: str) -> Path:
    return OutFolder(*MARKS[context.params["target"]]).convert(value, option, context)


@click.command()
@click.argument("source")
@click.option("--to", "target", type=click.Choice(list(MARKS)), required=True, is_eager=True, help="What to write.")
@click.option(
    "--out",
    required=True,
    metavar="DIR",
    callback=_folder_of_the_format,
    help="Folder to write; it appears whole, at the end.",
)
@json_output
def convert(console, source: str, target: str, out: Path) -> dict:
    """Write the weights of SOURCE in another format, read them back, and compare every number.

    SOURCE is a folder of ours, of Hugging Face, of KerasHub or of google-research's TensorFlow 1 checkpoints, a .keras
    file, a SavedModel with TF-Hub's encoder interface, or its handle. No code of it is run. Heads come along where the
    format has them.

    Example:  keras-bert convert path/to/bert-base-uncased --to google --out uncased_L-12_H-768_A-12
    """
    from keras_bert.export.convert import convert as write

    facts = write(source, target, out)
    console.print(f"{out}: {facts['tensors']} tensors, {facts['parameters']:,} parameters, read back the same")
    if facts["left"]:
        console.print(f"without its {', '.join(facts['left'])}, which this format has no place for", style="yellow")
    return facts
