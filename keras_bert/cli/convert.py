"""`keras-bert convert`: write weights in another format."""

from pathlib import Path

import click

from keras_bert.cli.completion import SOURCES, complete, completer
from keras_bert.cli.logging import import_quietly
from keras_bert.cli.output import json_output, show_table
from keras_bert.cli.value_types import OutFolder

# The changes that a user can allow, those of `keras_bert.weights.changes.CHANGES`.
CHANGES = ("activation", "layer_norm_epsilon", "pooler", "type_vocab_size", "heads", "added_tokens")
WRITABLE = ("tfhub", "keras", "huggingface", "google_research")


class FormatName(click.ParamType):
    """Name of a format. The formats are imported only when a value is converted, so that `--help` is fast."""

    name = "format"

    def convert(self, value, param, context) -> str:
        """Return the name, or raise a usage error that lists the names."""
        import_quietly("tensorflow")
        from keras_bert.errors import InputError
        from keras_bert.weights.formats import format_named

        try:
            return format_named(value).name
        except InputError as error:
            self.fail(str(error).replace("`to`", "`--to`", 1), param, context)

    def shell_complete(self, context, param, incomplete):
        """Complete the formats that can be written."""
        return complete(incomplete, WRITABLE)


def _check_out(context: click.Context, option: click.Parameter, value: str) -> Path:
    """Return the path of a new folder, or of a folder of the format to write, which is replaced later."""
    from keras_bert.weights.formats import format_named

    return OutFolder(*format_named(context.params["target"]).marker_files).convert(value, option, context)


@click.command()
@click.argument("source", shell_complete=completer(*SOURCES, paths="dir"))
@click.option(
    "--to",
    "target",
    type=FormatName(),
    required=True,
    is_eager=True,
    metavar="FORMAT",
    help=f"Format to write: {', '.join(WRITABLE[:-1])} or {WRITABLE[-1]}.",
)
@click.option(
    "--out",
    required=True,
    metavar="DIR",
    callback=_check_out,
    shell_complete=completer(paths="dir"),
    help="Folder to write. It is created when everything is complete and verified.",
)
@click.option(
    "--allow-change",
    "allowed",
    multiple=True,
    type=click.Choice(CHANGES),
    help="Write the model although the format cannot express this, and measure the difference. May be repeated. "
    "activation: the exact GELU becomes the tanh approximation. layer_norm_epsilon: becomes 1e-12. pooler: an encoder "
    "without one gets one that is not trained. type_vocab_size: segment embeddings of 0 are added. heads: heads that "
    "the format does not store are left out. added_tokens: the tokenizer splits them.",
)
@json_output
def convert(console, source: str, target: str, out: Path, allowed: tuple[str, ...]) -> dict:
    """Write the weights of SOURCE in another format, read them back, and compare every number.

    SOURCE is a model's name, an address (hf://NAME, kaggle://...), a folder of this package, of Hugging Face, of
    KerasHub, of google-research/bert or of the Model Garden, a .keras file, or a SavedModel with TF-Hub's encoder
    interface (its folder or its handle). No code of the source is run. Heads are written too if the format can store
    them.

    What a format cannot express is an error, unless it is allowed. google-research's code has no exact GELU, which the
    models of Hugging Face have.

    Example:  keras-bert convert bert-base-uncased --to google_research --allow-change activation --out bert_google
    """
    from keras_bert.weights.convert import convert as run
    from keras_bert.weights.messages import first_names

    facts = run(source, to=target, out=out, allow_changes=allowed)
    console.print(
        f"{out}: {facts['tensors']} tensors, {facts['parameters']:,} parameters, verified by reading them back"
    )
    if facts["skipped"]:
        console.print(
            f"not written, because the format does not store it: {', '.join(facts['skipped'])}", style="yellow"
        )
    if facts["not_read"]:
        console.print(f"not read: {len(facts['not_read'])} entries, {first_names(facts['not_read'])}", style="yellow")
    for name, values in facts["changes"].items():
        console.print(f"changed {name}: from {values['from']} to {values['to']}", style="yellow", markup=False)
    if facts["difference"]:
        rows = [
            (name, *(f"{values[key]:.1e}" for key in ("max", "mean", "scale")))
            for name, values in facts["difference"].items()
        ]
        columns = ("output", "largest difference", "mean difference", "mean absolute value")
        show_table(console, "\ndifference by the changes", columns, rows, right=columns[1:])
    return facts
