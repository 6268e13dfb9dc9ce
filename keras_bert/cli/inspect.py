"""`keras-bert inspect`: parameters, layers and files of a model, and the list of all pretrained models."""

import dataclasses
from pathlib import Path

import click

from keras_bert.cli.completion import SOURCES, completer
from keras_bert.cli.logging import import_quietly
from keras_bert.cli.output import json_output, show_table


@click.command()
@click.argument(
    "model", required=False, metavar="[NAME|PRESET|DIR|hf://NAME]", shell_complete=completer(*SOURCES, paths="dir")
)
@click.option("--list", "list_all", is_flag=True, help="List the names of all pretrained models and presets.")
@json_output(model=False)  # the list needs no model
def inspect(console, model: str | None, list_all: bool) -> dict:
    """Count the parameters of every array, the layers by type, and the bytes on disk.

    For a folder or an address, it also compares the SHA-256 of the files with those of the published models. For the
    name of a published model, it builds an encoder of that size without a download, and lists the addresses of the
    model.

    Example:  keras-bert inspect bert_en_uncased_L-12_H-768_A-12

    Example:  keras-bert inspect --list
    """
    from keras_bert.errors import InputError

    if list_all == (model is not None):
        received = f"{model} and --list" if model else "neither"
        raise InputError(f"either a model or `--list` must be given. Received: {received}")
    return _list_models(console) if list_all else _inspect(console, model)


def _list_models(console) -> dict:
    """Show the names of all pretrained models, in the order of `kb.list_pretrained()`."""
    from keras_bert.catalog import list_pretrained

    models = list_pretrained()
    rows = [
        (each.name, "-" if each.parameters is None else f"{each.parameters:,}", each.description) for each in models
    ]
    show_table(console, "pretrained models", ("name", "parameters", "description"), rows, right=("parameters",))
    return {"models": [dataclasses.asdict(each) for each in models]}


def _inspect(console, model: str) -> dict:
    import_quietly("tensorflow")
    from keras_bert.catalog import identify
    from keras_bert.catalog.bundled import ENCODER, find_bundled
    from keras_bert.catalog.download import is_address, locate
    from keras_bert.catalog.published_models import find_published
    from keras_bert.config import BertConfig
    from keras_bert.errors import InputError
    from keras_bert.models.summary import model_summary, sizes_on_disk
    from keras_bert.weights import load_pretrained

    match, urls, files = None, [], {}
    published = find_published(model)
    if model == ENCODER and not Path(model).exists():
        source = find_bundled(model)
    else:
        source = model if published else locate(model)
    path = Path(source)
    if is_address(source):  # a TF-Hub handle
        facts = model_summary(load_pretrained(source).model)
    elif path.exists():
        match = identify(path) if path.is_dir() else None
        try:
            loaded = load_pretrained(path).model
        except InputError as error:
            if match is None or match.has_published_weights:
                raise
            raise InputError(f"{error} ({match})") from None
        facts, files = model_summary(loaded), sizes_on_disk(path)
    elif published is not None:
        facts, urls = model_summary(published.config), list(published.urls)
    else:
        facts = model_summary(BertConfig.from_preset(model))
    facts = {"name": model, **facts, "files": files, "published": match and dataclasses.asdict(match), "urls": urls}
    arrays = ((a["name"], " x ".join(map(str, a["shape"])), f"{a['parameters']:,}") for a in facts["arrays"])
    show_table(console, model, ("array", "shape", "parameters"), arrays, right=("shape", "parameters"))
    show_table(console, "\nlayers", ("type", "count"), facts["layers"].items(), right=("count",))
    if files:
        sizes = ((name, f"{size / 2**20:,.1f}") for name, size in files.items())
        show_table(console, "\nfiles", ("file", "MiB"), sizes, right=("MiB",))
    for line in [str(match)] if match else urls:
        console.print(line, markup=False, soft_wrap=True)
    mib = facts["parameters"] * 4 / 2**20
    console.print(f"\n[bold]{facts['parameters']:,}[/bold] parameters, {mib:,.1f} MiB in float32")
    return facts
