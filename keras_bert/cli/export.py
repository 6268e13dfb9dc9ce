"""`keras-bert export`: a trained model as one graph that needs nothing of ours."""

from pathlib import Path

import click

from keras_bert.cli.options import OutFolder, model_option
from keras_bert.cli.output import json_output, show_table
from keras_bert.errors import InputError

MARKS = {"saved_model": "saved_model.pb", "onnx": "model.onnx"}  # the file that tells such a folder from others
DTYPES = {"saved_model": ("float32", "bfloat16"), "onnx": ("float32", "int8")}


def _folder_of_the_format(context: click.Context, option: click.Option, value: str) -> Path:
    return OutFolder(MARKS[context.params["target"]]).convert(value, option, context)


@click.command()
@model_option()
@click.option(
    "--format",
    "target",
    type=click.Choice(list(MARKS)),
    default="saved_model",
    show_default=True,
    is_eager=True,  # read before --out, which depends on it
)
@click.option(
    "--interface",
    type=click.Choice(["text", "tfhub", "preprocess"]),
    help="Of a SavedModel: text in; TF-Hub's encoder (ids in); or TF-Hub's preprocessing (text to ids) alone.  "
    "[default: text]",
)
@click.option(
    "--dtype",
    type=click.Choice(["float32", "bfloat16", "int8"]),
    help="What weights are stored and multiplied in: bfloat16 in a SavedModel of text, int8 in ONNX.  "
    "[default: as the model has it]",
)
@click.option(
    "--out",
    required=True,
    metavar="DIR",
    callback=_folder_of_the_format,
    help="Folder to write; it appears whole, at the end.",
)
@json_output
def export(console, folder: str, target: str, interface: str | None, dtype: str | None, out: Path) -> dict:
    """Write a SavedModel that TensorFlow alone can run, or an ONNX file for ONNX Runtime, OpenVINO and others.

    As a SavedModel, a classifier takes strings and gives probabilities, logits and label; a pretrained model gives its
    features. ONNX takes ids, int32, and is for models of answers and of tags too; vocab.txt and config.json beside it
    are for the tokenizer.

    Example:  keras-bert export --model tour/classifier --format saved_model --out served
    """
    from keras_bert.export import export_onnx, export_saved_model
    from keras_bert.models.summary import sizes_on_disk
    from keras_bert.weights import load_pretrained

    if dtype and dtype not in DTYPES[target]:
        raise click.UsageError(f"--dtype of --format {target} is {' or '.join(DTYPES[target])}. Received: {dtype}")
    if interface and target == "onnx":
        raise click.UsageError("--interface belongs to --format saved_model: an ONNX file takes ids")
    if dtype and interface not in (None, "text"):
        raise click.UsageError("--dtype belongs to --interface text")
    trained = load_pretrained(folder)
    model = trained.encoder if trained.kind == "pretrainer" else trained.model
    if trained.kind in ("span_labeler", "token_classifier") and target == "saved_model" and interface in (None, "text"):
        raise InputError(
            "a SavedModel that takes text is one of a classifier or an encoder; give --format onnx, or --interface "
            f"tfhub for the encoder alone. Received: {folder}, a {trained.kind}"
        )
    if target == "onnx":
        export_onnx(model, out, trained.vectorizer, trained.labels, dtype or "float32")
    elif interface == "preprocess":
        export_saved_model(trained.vectorizer, out)
    elif interface == "tfhub":
        model = trained.model if trained.kind == "pretrainer" else trained.encoder
        export_saved_model(model, out, vectorizer=trained.vectorizer, interface="tfhub")
    else:
        export_saved_model(model, out, vectorizer=trained.vectorizer, labels=trained.labels, dtype=dtype)
    files = sizes_on_disk(out)
    rows = ((name, f"{size / 2**20:,.1f}") for name, size in files.items())
    show_table(console, str(out), ("file", "MiB"), rows, right=("MiB",))
    interface = "ids" if target == "onnx" else interface or "text"
    return {"out": str(out), "format": target, "interface": interface, "bytes": sum(files.values()), "files": files}
