"""`keras-bert inspect`: parameters, layers and files of a model."""

import dataclasses
from pathlib import Path

import click

from keras_bert.cli.completion import SOURCES, completer
from keras_bert.cli.output import json_output, show_table


@click.command()
@click.argument("model", metavar="NAME|PRESET|DIR", shell_complete=completer(*SOURCES, paths="dir"))
@json_output
def inspect(console, model: str) -> dict:
    """Count the parameters of every array, the layers by type, and the bytes on disk.

    For a folder, it also compares the SHA-256 of the files with those of the published models. For a preset, it builds
    an encoder of that size, and lists the addresses where the model can be downloaded.

    Example:  keras-bert inspect bert_en_uncased_L-12_H-768_A-12
    """
    from keras_bert.catalog import identify, list_published
    from keras_bert.catalog.bundled import ENCODER, find_bundled
    from keras_bert.config import BertConfig
    from keras_bert.errors import InputError
    from keras_bert.models.summary import model_summary, sizes_on_disk
    from keras_bert.weights import load_pretrained

    match, urls, files = None, [], {}
    path = find_bundled(model) if model == ENCODER and not Path(model).exists() else Path(model)
    if path.exists():
        match = identify(path) if path.is_dir() else None
        try:
            loaded = load_pretrained(path).model
        except InputError as error:
            if match is None or match.has_published_weights:
                raise
            raise InputError(f"{error} ({match})") from None
        facts, files = model_summary(loaded), sizes_on_disk(path)
    else:
        facts = model_summary(BertConfig.from_preset(model))
        urls = [url for each in list_published() if each.name in (model, f"small_bert/{model}") for url in each.urls]
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
