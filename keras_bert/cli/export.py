"""`keras-bert export`: write a trained model as a SavedModel, an ONNX or a LiteRT file."""

from pathlib import Path

import click

from keras_bert.cli.completion import completer
from keras_bert.cli.options import OUT_HELP, model_option
from keras_bert.cli.output import json_output, show_table
from keras_bert.cli.value_types import OutFolder, positive
from keras_bert.constants import POOLS
from keras_bert.errors import InputError

# The file that every folder of a format has.
MARKER_FILES = {"saved_model": "saved_model.pb", "onnx": "model.onnx", "litert": "model.tflite"}
DTYPES = {"saved_model": ("float32", "bfloat16"), "onnx": ("float32", "int8"), "litert": ("float32", "int8")}


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
    help="Dtype of the weights and of the computation: bfloat16 for a SavedModel that takes text, int8 for ONNX and "
    "LiteRT.  [default: the model's]",
)
@click.option(
    "--pool",
    type=click.Choice(POOLS),
    help="Export an encoder that returns one vector per text, pooled like this; see `keras-bert embed --help`.",
)
@click.option("--normalize", is_flag=True, help="Scale the vectors of --pool to length 1.")
@click.option(
    "--output",
    "outputs",
    multiple=True,
    type=click.Choice(["attentions", "hidden_states"]),
    help="Add the attention probabilities or the hidden states of every layer to the outputs of an ONNX file, or of "
    "the signature encode of a SavedModel. May be given twice.",
)
@click.option(
    "--sequence-length",
    type=click.IntRange(min=3),
    metavar="T",
    help="Length of the rows of a LiteRT file, which is fixed.  [default: that of the model]",
)
@click.option(
    "--max-text-length",
    type=positive,
    metavar="N",
    help="Cut each text after N characters, in a SavedModel that takes text: a bound on the time of one request.",
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
def export(console, folder: str, format_name: str, interface: str | None, out: Path, **options) -> dict:
    """Write a SavedModel, which runs with TensorFlow only, an ONNX file for ONNX Runtime, OpenVINO and others, or a
    LiteRT file for phones and other devices.

    The SavedModel of a classifier takes text and returns probabilities, logits and labels. The SavedModel of a
    pretrained model takes text and returns features, or with --pool one vector per text. ONNX and LiteRT files take
    token ids. Models of answers (spans) and of tags are exported with --format onnx or litert. The folder of an ONNX
    or LiteRT file contains vocab.txt and config.json for the tokenizer.

    Example:  keras-bert export --model tour/classifier --format saved_model --out classifier_saved_model

    Example:  keras-bert export --model tour/encoder --pool mean --normalize --out sentence_vectors

    Example:  keras-bert export --model tour/encoder --format onnx --output attentions --out encoder_onnx
    """
    from keras_bert.export import export_litert, export_onnx, export_saved_model
    from keras_bert.models.summary import sizes_on_disk
    from keras_bert.weights import load_pretrained

    _check_options(format_name, interface, options)
    dtype, max_text_length = options["dtype"], options["max_text_length"]
    pooling = {"pool": options["pool"], "normalize": options["normalize"]}
    trained = load_pretrained(folder)
    model = trained.encoder if trained.kind == "pretrainer" else trained.model
    if options["pool"] and trained.kind not in ("encoder", "pretrainer"):
        raise InputError(
            f"`--pool` must be given for an encoder only. Received: --pool {options['pool']} for {folder}, a "
            f"{trained.kind}"
        )
    if trained.kind in ("span_labeler", "token_classifier") and format_name == "saved_model":
        if interface in (None, "text"):
            raise InputError(
                f"`--model` must be a classifier or an encoder for a SavedModel that takes text. Received: {folder}, a "
                f"{trained.kind}. Use --format onnx or litert, or --interface tfhub for the encoder alone."
            )
    if format_name == "saved_model" and interface == "preprocess":
        export_saved_model(trained.vectorizer, out, max_text_length=max_text_length)
    elif format_name == "saved_model" and interface == "tfhub":
        model = trained.model if trained.kind == "pretrainer" else trained.encoder
        export_saved_model(model, out, vectorizer=trained.vectorizer, interface="tfhub")
    elif format_name == "saved_model":
        settings = {"dtype": dtype, "max_text_length": max_text_length, "outputs": options["outputs"], **pooling}
        export_saved_model(model, out, vectorizer=trained.vectorizer, labels=trained.labels, **settings)
    else:
        settings = {"dtype": dtype or "float32", "pairs": trained.pairs, "no_answer": trained.no_answer, **pooling}
        if format_name == "litert":
            settings["sequence_length"] = options["sequence_length"]
        else:
            settings["outputs"] = options["outputs"]
        write = export_litert if format_name == "litert" else export_onnx
        write(model, out, trained.vectorizer, trained.labels, **settings)
    files = sizes_on_disk(out)
    rows = ((name, f"{size / 2**20:,.1f}") for name, size in files.items())
    show_table(console, str(out), ("file", "MiB"), rows, right=("MiB",))
    interface = interface or "text" if format_name == "saved_model" else "ids"
    size = sum(files.values())
    return {"out": str(out), "format": format_name, "interface": interface, "bytes": size, "files": files}


def _check_options(format_name: str, interface: str | None, options: dict) -> None:
    """Raise a usage error if an option does not belong to the format or the interface."""

    def fail(option: str, expected: str, received: str):
        raise click.UsageError(f"`{option}` must be {expected}. Received: {received}")

    dtype = options["dtype"]
    if dtype and dtype not in DTYPES[format_name]:
        allowed = " or ".join(DTYPES[format_name])
        fail("--dtype", f"{allowed} for --format {format_name}", f"--dtype {dtype}")
    if interface and format_name != "saved_model":
        fail("--interface", "given with --format saved_model only", f"--format {format_name}")
    if dtype and interface not in (None, "text"):
        fail("--dtype", "given with --interface text only", f"--dtype {dtype} --interface {interface}")
    if options["pool"] and interface not in (None, "text"):
        fail("--pool", "given with --interface text only", f"--pool {options['pool']} --interface {interface}")
    if options["normalize"] and not options["pool"]:
        fail("--normalize", "given with --pool only", "--normalize without --pool")
    if options["outputs"] and format_name == "litert":
        fail("--output", "given with --format onnx or saved_model only", "--format litert")
    if options["outputs"] and interface not in (None, "text"):
        fail("--output", "given with --interface text only", f"--interface {interface}")
    if options["sequence_length"] and format_name != "litert":
        fail("--sequence-length", "given with --format litert only", f"--format {format_name}")
    if options["max_text_length"] and (format_name != "saved_model" or interface == "tfhub"):
        received = f"--format {format_name}" + (f" --interface {interface}" if interface else "")
        fail("--max-text-length", "given for a SavedModel that takes text only", received)
