"""`keras-bert inspect`: what a model is made of."""

import dataclasses
from pathlib import Path

import click

from keras_bert.cli.output import json_output, show_table


@click.command()
@click.argument("model", metavar="PRESET|DIR")
@json_output
def inspect(console, model: str) -> dict:
    """Count the parameters of every array, the layers by type, and the bytes on disk.

    Of a folder it says, by SHA-256, whether the files are those of a published model; of a preset, where to have it.

    Example:  keras-bert inspect bert_en_uncased_L-12_H-768_A-12
    """
    from keras_bert.catalog import identify, list_published
    from keras_bert.config import BertConfig
    from keras_bert.errors import InputError
    from keras_bert.models.summary import model_facts, sizes_on_disk
    from keras_bert.weights import load_pretrained

    identity, places = None, []
    if Path(model).exists():
        identity = identify(model) if Path(model).is_dir() else None
        try:
            loaded = load_pretrained(model).model
        except InputError as error:
            if identity is None or identity.has_weights:
                raise
            raise InputError(f"{error}; this is {identity}") from None
        facts = {"name": model, **model_facts(loaded), "files": sizes_on_disk(model)}
    else:
        facts = {"name": model, **model_facts(BertConfig.from_preset(model)), "files": {}}
        places = [p for known in list_published() if known.name in (model, f"small_bert/{model}") for p in known.places]
    facts |= {"published": identity and dataclasses.asdict(identity), "places": places}
    arrays = ((a["name"], " x ".join(map(str, a["shape"])), f"{a['parameters']:,}") for a in facts["arrays"])
    show_table(console, model, ("array", "shape", "parameters"), arrays, right=("shape", "parameters"))
    layers = facts["layers"].items()
    show_table(console, "\nlayers", ("type", "count"), layers, right=("count",))
    if facts["files"]:
        files = ((name, f"{size / 2**20:,.1f}") for name, size in facts["files"].items())
        show_table(console, "\nfiles", ("file", "MiB"), files, right=("MiB",))
    room = facts["parameters"] * 4 / 2**20
    for line in [str(identity)] if identity else places:
        console.print(line, markup=False, soft_wrap=True)
    console.print(f"\n[bold]{facts['parameters']:,}[/bold] parameters, {room:,.1f} MiB as float32")
    return facts
