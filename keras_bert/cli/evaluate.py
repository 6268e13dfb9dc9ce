"""`keras-bert evaluate`: the metrics of a model on a file of labeled examples."""

import click

from keras_bert.catalog.bundled import SENTIMENT
from keras_bert.cli.options import data_options, file_option, model_option
from keras_bert.cli.output import json_output, show_metrics
from keras_bert.cli.value_types import positive


@click.command()
@model_option("Folder of a fine-tuned model, or of an export.", SENTIMENT)
@file_option(
    "--data",
    "Labeled texts: a header line, then sentence<TAB>label, or two texts and a label. For question answering, a SQuAD "
    "file; for tags, a CoNLL file.",
    required=True,
)
@data_options
@click.option("--batch-size", type=positive, default=64, show_default=True, help="Examples per batch.")
@click.option(
    "--bootstrap",
    type=click.IntRange(min=0),
    default=0,
    metavar="N",
    help="Show the 95 % interval of each metric, from N resamples of the examples, such as 1000. For classification, "
    "multi-label classification and regression.",
)
@click.option("--seed", type=click.IntRange(min=0), default=0, show_default=True, help="Seed of the resamples.")
@json_output
def evaluate(console, folder: str, data: str, batch_size: int, bootstrap: int, seed: int, **options) -> dict:
    """Evaluate a model on a file of labeled examples.

    For a classifier: accuracy, macro and weighted averages of precision, recall and F1, Matthews correlation, ROC AUC,
    expected calibration error, the metrics of each class, and the confusion matrix. `majority` is the accuracy of
    always predicting the most frequent class. For tags: precision, recall and F1 of entities or, if the tags mark none
    (parts of speech), of each tag. For the other tasks see `kb.evaluate`.

    A SavedModel that takes text is a program: evaluate runs its graph, also its initializers, with your rights. Use
    only one that you trust (SECURITY.md). Models in the other formats are data.

    Example:  keras-bert evaluate --model tour/classifier --data reviews.tsv --json

    Example:  keras-bert evaluate --data reviews.tsv --bootstrap 1000
    """
    from keras_bert.inference import Predictor
    from keras_bert.metrics import make_bootstrap

    make_bootstrap(bootstrap, seed)  # rejects an invalid value before the model is loaded
    metrics = Predictor(folder).evaluate(data, batch_size, bootstrap=bootstrap, seed=seed, **options)
    show_metrics(console, str(data), metrics)
    return metrics
