"""`keras-bert predict`: predictions for texts, for pairs of texts, or for the lines of a file."""

import click

from keras_bert.catalog.bundled import SENTIMENT
from keras_bert.cli.options import file_option, model_option, positive, texts_argument
from keras_bert.cli.output import json_output, shorten, show_table


@click.command()
@model_option("Folder of a fine-tuned or pretrained model, or of an export (SavedModel of text, or ONNX).", SENTIMENT)
@file_option("--input", "File of texts, one per line, instead of TEXT. It may be larger than the memory.")
@click.option("--output", metavar="FILE.tsv|FILE.jsonl", help="Write the predictions to this file.")
@click.option("--top-k", type=positive, help="Also list the k most probable classes, or tokens per mask.")
@click.option("--batch-size", type=positive, default=64, show_default=True, help="Texts per batch.")
@texts_argument(required=False)
@json_output
def predict(console, folder: str, input: str | None, output: str | None, top_k, batch_size: int, texts) -> dict:
    """Predict what a model was trained for: the class of a text and its probability, labels, a number, the answer to a
    question, or a tag for each word.

    A pretrained model fills each [MASK] of a text. Of a pair it predicts whether the second text follows the first one,
    or, after pretraining with --sentence-order, whether the two are in order.

    A tab separates the two texts of a pair, or a question from its context. With - the texts are the lines of standard
    input. A model that was trained on questions without an answer (SQuAD 2.0) may predict "no answer"; with --json,
    answer, start and end are then null.

    Example:  keras-bert predict --model tour/classifier "a fine film" "two hours lost"

    Example:  keras-bert predict --input reviews.txt --output predictions.tsv
    """
    from keras_bert.inference import Predictor
    from keras_bert.inference.prediction_files import check_output, read_texts, write_predictions
    from keras_bert.inference.text_inputs import text_of_line

    if bool(texts) == bool(input):
        received = "both" if texts else "neither"
        raise click.UsageError(f"either `TEXT` or `--input` must be given. Received: {received}")
    if output:
        check_output(output)
    if input:
        count = sum(1 for _ in read_texts(input))  # reject an invalid line before hours of prediction
        examples = read_texts(input)
    else:
        count, examples = len(texts), iter([text_of_line(text, i) for i, text in enumerate(texts, 1)])
    predictor = Predictor(folder)
    predictions = predictor(examples, batch_size, top_k, progress=count if output else False)
    if output:
        written = write_predictions(output, predictor, predictions)
        console.print(f"{output}: {written:,} predictions", markup=False)
        return {"output": output, "examples": written}
    predictions = list(predictions)
    rows = ([shorten(console, str(cell)) for cell in predictor.cells(prediction)] for prediction in predictions)
    show_table(console, "", predictor.columns, rows, right=("probability", "value", "score"))
    return {"predictions": predictions}
