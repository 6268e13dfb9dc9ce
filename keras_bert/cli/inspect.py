"""`keras-bert inspect`: what a model is made of."""

from pathlib import Path

import click

from keras_bert.cli.screen import reporting, show_table


@click.command()
@click.argument("model", metavar="PRESET|DIR")
@reporting
def inspect(console, model: str) -> dict:
    """Count the parameters of every array, the layers by type, and the bytes on disk.

    Example:  keras-bert inspect bert_en_uncased_L-12_H-768_A-12
    """
    from keras_bert.config import BertConfig
    from keras_bert.explain.facts import model_facts, sizes_on_disk
    from keras_bert.weights import load_pretrained

    if Path(model).exists():
        facts = {"name": model, **model_facts(load_pretrained(model).model), "files": sizes_on_disk(model)}
    else:
        facts = {"name": model, **model_facts(BertConfig.from_preset(model)), "files": {}}
    arrays = ((a["name"], " x ".join(map(str, a["shape"])), f"{a['parameters']:,}") for a in facts["arrays"])
    show_table(console, model, ("array", "shape", "parameters"), arrays, right=("shape", "parameters"))
    layers = facts["layers"].items()
    show_table(console, "\nlayers", ("type", "count"), layers, right=("count",))
    if facts["files"]:
        files = ((name, f"{size / 2**20:,.1f}") for name, size in facts["files"].items())
        show_table(console, "\nfiles", ("file", "MiB"), files, right=("MiB",))
    room = facts["parameters"] * 4 / 2**20
    console.print(f"\n[bold]{facts['parameters']:,}[/bold] parameters, {room:,.1f} MiB as float32")
    return facts
