"""`keras-bert predict`: predictions for texts, for pairs of texts, or for the rows of a file."""

import itertools
from collections.abc import Iterator
from pathlib import Path

import click

from keras_bert.catalog.bundled import SENTIMENT
from keras_bert.cli.options import model_option, texts_argument
from keras_bert.cli.output import json_output, shorten, show_table
from keras_bert.cli.value_types import positive

OUTPUT_FORMATS = ("tsv", "csv", "jsonl")
TABLE_ROWS = 2048  # predictions per table on a terminal


@click.command()
@model_option("Folder of a fine-tuned or pretrained model, or of an export (SavedModel of text, or ONNX).", SENTIMENT)
@click.option(
    "--input",
    "source",
    type=click.Path(exists=True, dir_okay=False, allow_dash=True),
    metavar="FILE|-",
    help="File of texts instead of TEXT: .tsv, .csv, .jsonl (also .gz or .xz) or .parquet, otherwise one text per "
    "line. - reads standard input. It may be larger than the memory.",
)
@click.option(
    "--input-format",
    type=click.Choice(("text", "tsv", "csv", "jsonl", "parquet")),
    help="Format of --input.  [default: from the suffix]",
)
@click.option(
    "--text-column",
    metavar="NAME",
    help="Column of the text in a table.  [default: text or sentence; sentence1 and sentence2, … for pairs]",
)
@click.option("--text-pair-column", metavar="NAME", help="Column of the second text of a pair, with --text-column.")
@click.option("--output", metavar="FILE|-", help="Write the predictions to this file, .tsv, .csv or .jsonl.")
@click.option(
    "--format",
    "output_format",
    type=click.Choice(OUTPUT_FORMATS),
    help="Format of --output; without --output it is written to standard output.  [default: from the suffix]",
)
@click.option("--top-k", type=positive, help="Also list the k most probable classes, or tokens per mask.")
@click.option("--batch-size", type=positive, default=64, show_default=True, help="Texts per batch.")
@texts_argument(required=False, read_input=False)
@json_output
def predict(console, folder: str, source, output, output_format, top_k, batch_size: int, texts, **columns) -> dict:
    """Predict what a model was trained for: the class of a text and its probability, labels, a number, the answer to a
    question, or a tag for each word.

    A pretrained model fills each [MASK] of a text. Of a pair it predicts whether the second text follows the first one,
    or, after pretraining with --sentence-order, whether the two are in order.

    A tab separates the two texts of a pair, or a question from its context. With - the texts are the lines of standard
    input. A model that was trained on questions without an answer (SQuAD 2.0) may predict "no answer"; then answer,
    start and end are null in JSON and empty in TSV and CSV.

    TSV and CSV have the columns label, probability, probability_CLASS for each class, top_1_label, top_1_probability, …
    with --top-k, and the text at the end. JSON Lines have what kb.Predictor returns. Where standard output is not a
    terminal, TSV is written to it. The predictions have the order of the texts. An output file appears when it is
    complete.

    A SavedModel that takes text is a program: predict runs its graph, also its initializers, with your rights. Use only
    one that you trust (SECURITY.md). Models in the other formats are data.

    Example:  keras-bert predict --model tour/classifier "a fine film" "two hours lost"

    Example:  keras-bert predict --input reviews.csv --text-column review --output predictions.csv

    Example:  cat reviews.txt | keras-bert predict --input - --format jsonl > predictions.jsonl
    """
    from keras_bert.inference import Predictor
    from keras_bert.inference.prediction_files import STANDARD_OUTPUT, check_output, write_predictions

    if texts == ["-"]:
        texts, source, columns["input_format"] = [], "-", columns["input_format"] or "text"
    if bool(texts) == bool(source):
        received = "both" if texts else "neither"
        raise click.UsageError(f"either `TEXT` or `--input` must be given. Received: {received}")
    as_json = click.get_current_context().params["as_json"]
    if output is None and not as_json and (output_format or not console.is_terminal):
        output = STANDARD_OUTPUT
    if as_json and (output == STANDARD_OUTPUT or (output_format and not output)):
        raise click.UsageError(
            "`--json` must be left out where `--format` or `--output -` writes the predictions to standard output. "
            "Received: both"
        )
    if output:
        output_format = check_output(output, output_format)
    count, examples = _examples(texts, source, **columns)
    predictor = Predictor(folder)
    show = bool(source) and (output is not None or as_json)
    predictions = predictor(examples, batch_size, top_k, progress=(count or True) if show else False)
    if output:
        written = write_predictions(output, predictions, output_format)
        if output != STANDARD_OUTPUT:
            console.print(f"{output}: {written:,} predictions", markup=False, soft_wrap=True)
        return {"output": output, "examples": written}
    results = {}
    if as_json:
        results["predictions"] = list(predictions)
        predictions = iter(results["predictions"])
    while chunk := list(itertools.islice(predictions, TABLE_ROWS)):
        rows = ([shorten(console, str(cell)) for cell in predictor.cells(prediction)] for prediction in chunk)
        show_table(console, "", predictor.columns, rows, right=("probability", "value", "score"))
    return results


def _examples(texts: list[str], source: str | None, input_format, **columns) -> tuple[int | None, Iterator]:
    """Return the number of texts, if it is known before they are read, and the texts."""
    from keras_bert.inference.text_files import read_texts
    from keras_bert.inference.text_inputs import text_of_line

    if source is None:
        for name, value in {"input_format": input_format, **columns}.items():
            if value is not None:
                option = f"--{name.replace('_', '-')}"
                raise click.UsageError(f"`{option}` must be left out without `--input`. Received: {option} {value}")
        return len(texts), iter([text_of_line(text, i) for i, text in enumerate(texts, 1)])
    count = None
    if Path(source).is_file():  # a pipe can be read only once
        count = sum(1 for _ in read_texts(source, input_format, **columns))  # rejects a bad line before any prediction
    return count, read_texts(source, input_format, **columns)
