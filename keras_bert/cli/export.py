"""`keras-bert export`: a trained model as one graph that needs nothing of ours."""

from pathlib import Path

import click

from keras_bert.cli.options import model_option, out_option
from keras_bert.cli.screen import reporting, show_table


@click.command()
@model_option()
@click.option("--format", "target", type=click.Choice(["saved_model"]), default="saved_model", show_default=True)
@click.option(
    "--interface",
    type=click.Choice(["text", "tfhub", "preprocess"]),
    default="text",
    show_default=True,
    help="Text in; TF-Hub's encoder (ids in); or TF-Hub's preprocessing (text to ids) alone.",
)
@click.option(
    "--dtype",
    type=click.Choice(["float32", "bfloat16"]),
    help="What a text model's weights are stored and multiplied in.  [default: as the model has it]",
)
@out_option("saved_model.pb")
@reporting
def export(console, folder: str, target: str, interface: str, dtype: str | None, out: Path) -> dict:
    """Write a SavedModel that TensorFlow alone can run.

    A fine-tuned model with --interface text takes strings and gives probabilities, logits and label; any other
    model gives its features.

    Example:  keras-bert export --model tour/classifier --format saved_model --out served
    """
    from keras_bert.explain.facts import sizes_on_disk
    from keras_bert.export import export_saved_model
    from keras_bert.weights import load_pretrained

    if dtype and interface != "text":
        raise click.UsageError("--dtype belongs to --interface text")
    trained = load_pretrained(folder)
    if interface == "preprocess":
        export_saved_model(trained.vectorizer, out)
    elif interface == "tfhub":
        model = trained.encoder if trained.kind == "classifier" else trained.model
        export_saved_model(model, out, vectorizer=trained.vectorizer, interface="tfhub")
    elif trained.kind == "classifier":
        export_saved_model(trained.model, out, vectorizer=trained.vectorizer, labels=trained.labels, dtype=dtype)
    else:
        export_saved_model(trained.encoder, out, vectorizer=trained.vectorizer, dtype=dtype)
    files = sizes_on_disk(out)
    rows = ((name, f"{size / 2**20:,.1f}") for name, size in files.items())
    show_table(console, str(out), ("file", "MiB"), rows, right=("MiB",))
    return {"out": str(out), "format": target, "interface": interface, "bytes": sum(files.values()), "files": files}
