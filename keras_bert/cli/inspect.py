"""`keras-bert inspect`: summary of a model, and the list of all pretrained models."""

import dataclasses
from pathlib import Path

import click

from keras_bert.cli.completion import SOURCES, completer
from keras_bert.cli.logging import import_quietly
from keras_bert.cli.output import json_output, show_table
from keras_bert.cli.value_types import OutFile, positive


@click.command()
@click.argument(
    "model", required=False, metavar="[NAME|PRESET|DIR|hf://NAME]", shell_complete=completer(*SOURCES, paths="dir")
)
@click.option("--list", "list_all", is_flag=True, help="List the names of all pretrained models and presets.")
@click.option("--batch-size", type=positive, default=32, show_default=True, help="Texts of a batch, for its memory.")
@click.option("--sequence-length", type=positive, metavar="T", help="Tokens of a text, for the costs.  [default: 128]")
@click.option("--speed", is_flag=True, help="Measure the tokens per second on this machine, about four seconds.")
@click.option("--formats", is_flag=True, help="Write the model in every format, and show the sizes on disk.")
@click.option(
    "--out",
    "output",
    type=OutFile(".svg", ".png", ".html", ".json"),
    metavar="FILE.svg|.png|.html|.json",
    help="Write the architecture as a picture, or the whole summary as a page or as JSON.",
)
@json_output(model=False)  # the list needs no model
def inspect(console, model: str | None, list_all: bool, output: Path | None, **options) -> dict:
    """Summarize a model: its layers, the parameters of every array, sizes, multiply-adds and memory.

    For a folder or an address, it also compares the SHA-256 of the files with those of the published models. For the
    name of a published model, it builds an encoder of that size without a download, and lists the addresses of the
    model.

    Example:  keras-bert inspect bert_en_uncased_mini --out mini.svg

    Example:  keras-bert inspect --list
    """
    from keras_bert.errors import InputError

    if list_all == (model is not None):
        received = f"{model} and --list" if model else "neither"
        raise InputError(f"either a model or `--list` must be given. Received: {received}")
    if list_all and (output or options["speed"] or options["formats"]):
        raise InputError("`--out`, `--speed` and `--formats` must be left out with `--list`. Received: both")
    return _list_models(console) if list_all else _inspect(console, model, output, **options)


def _list_models(console) -> dict:
    """Show the names of all pretrained models, in the order of `kb.list_pretrained()`."""
    from keras_bert.catalog import list_pretrained

    models = list_pretrained()
    rows = [
        (each.name, "-" if each.parameters is None else f"{each.parameters:,}", each.description) for each in models
    ]
    show_table(console, "pretrained models", ("name", "parameters", "description"), rows, right=("parameters",))
    return {"models": [dataclasses.asdict(each) for each in models]}


def _inspect(console, model: str, output: Path | None, formats: bool, **options) -> dict:
    import_quietly("tensorflow")
    from keras_bert.catalog import identify
    from keras_bert.catalog.published_models import find_published
    from keras_bert.errors import InputError
    from keras_bert.explain.model.summary import model_path, summary

    path, published = model_path(model), find_published(model)
    match = identify(path) if path is not None and Path(path).is_dir() else None
    try:
        found = summary(model, **options)
    except InputError as error:
        if match is None or match.has_published_weights:
            raise
        raise InputError(f"{error} ({match})") from None
    urls = list(published.urls) if published and path is None else []
    found.facts.update(published=match and dataclasses.asdict(match), urls=urls)
    if formats:
        found.facts["formats"], found.facts["notes"] = _measured_formats(model, path)
    _show(console, found.facts, [str(match)] if match else urls)
    if output is not None:
        found.save(output)
        console.print(f"written: {output}", markup=False, soft_wrap=True)
    return found.facts


def _measured_formats(model: str, path) -> tuple[dict, dict]:
    from keras_bert.cli.model_formats import measure_formats
    from keras_bert.errors import InputError
    from keras_bert.weights import load_pretrained

    if path is None:
        raise InputError(f"`model` must have weights for `--formats`. Received: {model}, the name of a size")
    return measure_formats(load_pretrained(path))


def _show(console, facts: dict, lines: list[str]) -> None:
    """Print the listing, the tables and the costs."""
    from keras_bert.models.layer_tree import layer_listing

    arrays = ((a["name"], " x ".join(map(str, a["shape"])), f"{a['parameters']:,}") for a in facts["arrays"])
    show_table(console, facts["name"], ("array", "shape", "parameters"), arrays, right=("shape", "parameters"))
    show_table(console, "\nlayers", ("type", "count"), facts["layers"].items(), right=("count",))
    console.print()
    console.print(layer_listing(facts["architecture"]), markup=False, soft_wrap=True)
    sizes = {"file": facts["files"], "format": facts.get("formats", {})}
    for what, rows in sizes.items():
        if rows:
            cells = ((name, "-" if size is None else f"{size / 2**20:,.1f}") for name, size in rows.items())
            show_table(console, f"\n{what}s", (what, "MiB"), cells, right=("MiB",))
    for name, reason in facts.get("notes", {}).items():
        console.print(f"{name}: {reason}", markup=False, soft_wrap=True)
    for line in lines:
        console.print(line, markup=False, soft_wrap=True)
    if facts["costs"]:
        show_table(console, "\ncosts", ("quantity", "value", "formula"), _costs(facts), right=("value",))
    mib = facts["bytes"]["float32"] / 2**20
    counts = f"[bold]{facts['parameters']:,}[/bold] parameters, {facts['trainable']:,} trainable"
    console.print(f"\n{counts}, {mib:,.1f} MiB in float32")


def _costs(facts: dict) -> list[tuple[str, str, str]]:
    """Return the rows of the table of costs."""
    costs, speed = facts["costs"], facts["speed"]
    memory, formulas = costs["memory"], costs["formulas"]
    size = f"{costs['batch_size']} x {costs['sequence_length']} tokens"
    rows = [
        (
            f"multiply-adds per token, T = {costs['sequence_length']}",
            f"{costs['multiply_adds_per_token']:,}",
            formulas["multiply_adds_per_token"],
        ),
        (
            f"memory of {size}, inference, at least",
            f"{memory['inference'] / 2**20:,.0f} MiB",
            f"parameters + {formulas['inference']}",
        ),
        (
            f"memory of {size}, training, at least",
            f"{memory['training'] / 2**20:,.0f} MiB",
            f"parameters x 4 + {formulas['training']}",
        ),
    ]
    if speed:
        machine = f"measured: {speed['backend']}, {speed['processors']} processors"
        rows.append((f"tokens per second, {size}", f"{speed['tokens_per_second']:,.0f}", machine))
        rows.append(("one text of T tokens", f"{speed['milliseconds_per_text']:,.1f} ms", machine))
    return rows
