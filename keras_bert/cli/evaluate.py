"""`keras-bert evaluate`: the metrics of a model on a file of labeled examples."""

import click

from keras_bert.catalog.bundled import SENTIMENT
from keras_bert.cli.options import file_option, model_option, positive
from keras_bert.cli.output import json_output, show_table


@click.command()
@model_option("Folder of a fine-tuned model, or of an export.", SENTIMENT)
@file_option(
    "--data",
    "Labeled texts: a header line, then sentence<TAB>label, or two texts and a label. For question answering, a SQuAD "
    "file; for tags, a CoNLL file.",
    required=True,
)
@click.option("--batch-size", type=positive, default=64, show_default=True, help="Examples per batch.")
@json_output
def evaluate(console, folder: str, data: str, batch_size: int) -> dict:
    """Evaluate a model on a file of labeled examples.

    Example:  keras-bert evaluate --model tour/classifier --data reviews.tsv --json
    """
    from keras_bert.inference import Predictor

    metrics = Predictor(folder).evaluate(data, batch_size)
    rows = [(name, f"{value:.4f}") for name, value in metrics.items() if isinstance(value, float)]
    rows.append(("examples", f"{metrics['examples']:,}"))
    show_table(console, str(data), ("metric", "value"), rows, right=("value",))
    return metrics
