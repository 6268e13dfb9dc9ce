"""Options that decide how texts become rows for pretraining; `pack` and `pretrain` have them."""

import click

from keras_bert.cli.options import add_options
from keras_bert.cli.value_types import FiniteRange, positive


def packing_options(command):
    """Add the options for the length of a row, the sentence task, and the documents that are held out."""
    options = [
        click.option(
            "--sequence-length",
            type=click.IntRange(min=8),
            default=128,
            show_default=True,
            help="Longest sequence, in tokens.",
        ),
        click.option("--no-next-sentence", is_flag=True, help="Train without a sentence task."),
        click.option(
            "--sentence-order",
            is_flag=True,
            help="Predict whether two consecutive segments are swapped (ALBERT), instead of next-sentence prediction.",
        ),
        click.option(
            "--dupe-factor",
            type=positive,
            default=1,
            show_default=True,
            help="How many times the text is packed, each time into different pairs. 5 to 10 help on small corpora.",
        ),
        click.option(
            "--held-out",
            type=FiniteRange(0, 0.5),
            default=0.05,
            show_default=True,
            help="Fraction of the documents used for validation.",
        ),
    ]
    return add_options(options, command)


def sentence_task_of(options: dict) -> str | None:
    """Return the sentence task that the options choose, or raise a usage error."""
    if options["sentence_order"] and options["no_next_sentence"]:
        raise click.UsageError("`--sentence-order` must be left out with `--no-next-sentence`. Received: both")
    return "order" if options["sentence_order"] else None if options["no_next_sentence"] else "next"
