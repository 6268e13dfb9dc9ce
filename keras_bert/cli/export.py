"""`keras-bert export`: write a trained model as a SavedModel or an ONNX file."""

from pathlib import Path

import click

from keras_bert.cli.completion import completer
from keras_bert.cli.options import OUT_HELP, OutFolder, model_option
from keras_bert.cli.output import json_output, show_table
from keras_bert.errors import InputError

MARKER_FILES = {"saved_model": "saved_model.pb", "onnx": "model.onnx"}  # the file that every folder of a format has
DTYPES = {"saved_model": ("float32", "bfloat16"), "onnx": ("float32", "int8")}


def _check_out(context: click.Context, option: click.Option, value: str) -> Path:
    """Return the path of a new folder, or of a folder of the format to write, which is replaced later."""
    return OutFolder(MARKER_FILES[context.params["format_name"]]).convert(value, option, context)


@click.command()
@model_option()
@click.option(
    "--format",
    "format_name",
    type=click.Choice(list(MARKER_FILES)),
    default="saved_model",
    show_default=True,
    is_eager=True,  # parsed before --out, whose check depends on it
    help="Format to write.",
)
@click.option(
    "--interface",
    type=click.Choice(["text", "tfhub", "preprocess"]),
    help="Interface of a SavedModel: text to outputs, TF-Hub's encoder (ids to features), or TF-Hub's preprocessing "
    "(text to ids).  [default: text]",
)
@click.option(
    "--dtype",
    type=click.Choice(["float32", "bfloat16", "int8"]),
    help="Dtype of the weights and of the computation: bfloat16 for a SavedModel that takes text, int8 for ONNX.  "
    "[default: the model's]",
)
@click.option(
    "--out",
    required=True,
    metavar="DIR",
    callback=_check_out,
    shell_complete=completer(paths="dir"),
    help=OUT_HELP,
)
@json_output
def export(console, folder: str, format_name: str, interface: str | None, dtype: str | None, out: Path) -> dict:
    """Write a SavedModel, which runs with TensorFlow only, or an ONNX file for ONNX Runtime, OpenVINO and others.

    The SavedModel of a classifier takes text and returns probabilities, logits and labels. The SavedModel of a
    pretrained model takes text and returns features. An ONNX file takes token ids. Models of answers (spans) and of
    tags are exported with --format onnx. The folder of an ONNX file contains vocab.txt and config.json for the
    tokenizer.

    Example:  keras-bert export --model tour/classifier --format saved_model --out classifier_saved_model
    """
    from keras_bert.export import export_onnx, export_saved_model
    from keras_bert.models.summary import sizes_on_disk
    from keras_bert.weights import load_pretrained

    if dtype and dtype not in DTYPES[format_name]:
        allowed = " or ".join(DTYPES[format_name])
        raise click.UsageError(f"`--dtype` must be {allowed} for --format {format_name}. Received: --dtype {dtype}")
    if interface and format_name == "onnx":
        raise click.UsageError("`--interface` must be given with --format saved_model only. Received: --format onnx")
    if dtype and interface not in (None, "text"):
        raise click.UsageError(
            f"`--dtype` must be given with --interface text only. Received: --dtype {dtype} --interface {interface}"
        )
    trained = load_pretrained(folder)
    model = trained.encoder if trained.kind == "pretrainer" else trained.model
    if trained.kind in ("span_labeler", "token_classifier") and format_name == "saved_model":
        if interface in (None, "text"):
            raise InputError(
                f"`--model` must be a classifier or an encoder for a SavedModel that takes text. Received: {folder}, a "
                f"{trained.kind}. Use --format onnx, or --interface tfhub for the encoder alone."
            )
    if format_name == "onnx":
        settings = {"pairs": trained.pairs, "no_answer": trained.no_answer}
        export_onnx(model, out, trained.vectorizer, trained.labels, dtype or "float32", **settings)
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
    interface = "ids" if format_name == "onnx" else interface or "text"
    size = sum(files.values())
    return {"out": str(out), "format": format_name, "interface": interface, "bytes": size, "files": files}
