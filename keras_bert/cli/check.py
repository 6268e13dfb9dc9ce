"""`keras-bert check`: is our encoder the same as another's?"""

import click

from keras_bert.cli.output import json_output, show_table


@click.command()
@click.argument("source")
@click.option(
    "--encoder",
    metavar="DIR",
    type=click.Path(exists=True, file_okay=False),
    help="Compare this trained encoder as it is; otherwise one is built and every tensor of SOURCE copied into it.",
)
@json_output
def check(console, source: str, encoder: str | None) -> dict:
    """Hold our encoder against SOURCE: a TF-Hub handle, a SavedModel with TF-Hub's encoder interface, or weights of any
    format that `convert` reads, which transformers or KerasHub then run.

    Both run on real and random inputs, with padding and pairs. The exit status is 1 where they differ.

    Example:  keras-bert check tour/tfhub_encoder --json
    """
    from keras_bert.parity import check as compare_all
    from keras_bert.weights import load_pretrained

    report = compare_all(source, encoder=load_pretrained(encoder).encoder if encoder else None)
    facts = report.to_dict()
    title = f"largest difference from {source}"
    show_table(console, title, ("output", "difference"), differences(facts), right=("difference",))
    copied = f", {facts['tensors']} tensors copied, each once" if facts["tensors"] else ""
    console.print(
        f"{facts['parameters']:,} parameters{copied}; {facts['examples']} examples, against {report.reference}"
    )
    if facts["published_note"]:
        console.print(facts["published_note"], style="dim", markup=False)
    verdict = "[green]passed[/green]" if facts["passed"] else "[red]not passed[/red]"
    console.print(f"{verdict}: the limit is {facts['tolerance']:.0e}")
    return facts


def differences(facts: dict) -> list[tuple[str, str]]:
    """The rows of a parity table: each output's largest difference, then each layer's."""
    largest = facts["max_abs_difference"]
    rows = [(name, f"{value:.1e}") for name, value in largest.items() if name != "encoder_outputs"]
    layers = largest.get("encoder_outputs", [])
    return rows + [(f"layer {i}", f"{value:.1e}") for i, value in enumerate(layers, 1)]
