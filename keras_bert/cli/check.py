"""`keras-bert check`: compare an encoder with another implementation of the same model."""

import click

from keras_bert.cli.completion import SOURCES, completer
from keras_bert.cli.output import json_output, show_table
from keras_bert.cli.value_types import ModelSource


@click.command()
@click.argument("source", shell_complete=completer(*SOURCES, paths="dir"))
@click.option(
    "--encoder",
    metavar="DIR|NAME|hf://NAME",
    type=ModelSource(),
    help="Compare this trained model's encoder.  [default: an encoder with the weights of SOURCE]",
)
@json_output
def check(console, source: str, encoder: str | None) -> dict:
    """Compare an encoder of this package with SOURCE, layer by layer.

    SOURCE is a TF-Hub handle, a SavedModel with TF-Hub's encoder interface, or weights in a format that `convert`
    reads, which transformers or KerasHub then runs. Both models run on the same real and random inputs, with padding
    and sentence pairs. The exit status is 1 if an output differs by more than the tolerance at a token; padding is
    reported separately.

    A SavedModel is a program: check runs its graph, also its initializers, with your rights. Check only one that you
    trust (SECURITY.md). Models in the other formats are data.

    Example:  keras-bert check tour/tfhub_encoder --json
    """
    from keras_bert.parity import check as check_parity
    from keras_bert.weights import load_pretrained

    report = check_parity(source, encoder=load_pretrained(encoder).encoder if encoder else None)
    facts = report.to_dict()
    title = f"Largest difference from {source}"
    columns = ("output", "at tokens", "at padding")
    show_table(console, title, columns, differences(facts), right=columns[1:])
    copied = f", {facts['tensors']} tensors copied, each exactly once" if facts["tensors"] else ""
    console.print(f"{facts['parameters']:,} parameters{copied}")
    console.print(f"{facts['examples']} examples, compared with {report.reference}")
    if facts["published_note"]:
        console.print(facts["published_note"], style="dim", markup=False)
    verdict = "[green]passed[/green]" if facts["passed"] else "[red]not passed[/red]"
    console.print(f"{verdict}: the tolerance is {facts['tolerance']:.0e}")
    return facts


def differences(facts: dict) -> list[tuple[str, str, str]]:
    """Return the rows of a parity table: the largest differences of each output, then of each layer.

    The second number is that at padding, which does not count; `-` for the pooler and without padding.
    """
    tokens, padding = facts["max_abs_difference"], facts["padding_max_abs_difference"]
    rows = [(name, value, padding.get(name)) for name, value in tokens.items() if name != "encoder_outputs"]
    layers = tokens.get("encoder_outputs", [])
    at_padding = padding.get("encoder_outputs", [None] * len(layers))
    rows += [(f"layer {i}", *pair) for i, pair in enumerate(zip(layers, at_padding, strict=True), 1)]
    return [(name, f"{value:.1e}", "-" if other is None else f"{other:.1e}") for name, value, other in rows]
