"""Input and output files of predictions: texts by line, and TSV or JSON Lines."""

import json
from collections.abc import Iterator
from pathlib import Path

from keras_bert.data.files import read_lines
from keras_bert.errors import InputError
from keras_bert.files import atomic_write
from keras_bert.inference.text_inputs import checked_texts, text_of_line

FORMATS = (".tsv", ".jsonl")


def read_texts(path: str | Path) -> Iterator:
    """Yield the texts of a file, one per line; a tab separates the two texts of a pair.

    Args:
        path: a UTF-8 text file, plain, `.gz` or `.xz`.

    Raises:
        InputError: the file cannot be read, or a line is empty. The message contains the line number.
    """
    lines = (text_of_line(line, number) for number, line in read_lines(path))
    try:
        yield from checked_texts(lines)
    except InputError as error:
        prefix = "" if str(path) in str(error) else f"{path}: "
        raise InputError(f"{prefix}{error}") from None


def check_output(path: str | Path) -> Path:
    """Return the path of an output file.

    Raises:
        InputError: the suffix is not `.tsv` or `.jsonl`, or the path is a folder.
    """
    path = Path(path)
    if path.suffix not in FORMATS or path.is_dir():
        raise InputError(f"`--output` must be a file that ends in {' or '.join(FORMATS)}. Received: {path}")
    return path


def write_predictions(path: str | Path, predictor, predictions: Iterator[dict]) -> int:
    """Write predictions to a file, which is created only when all of them are written.

    A `.tsv` file has a header line with the columns of the predictor. A `.jsonl` file has one JSON object per line.

    Args:
        path: the file to write. An existing file is replaced.
        predictor: `Predictor`.
        predictions: iterator of the dicts that the predictor returns.

    Returns:
        The number of predictions.
    """
    path, count = check_output(path), 0
    with atomic_write(path) as draft, draft.open("w", encoding="utf-8", newline="\n") as file:
        if path.suffix == ".tsv":
            file.write("\t".join(predictor.columns) + "\n")
        for prediction in predictions:
            if path.suffix == ".tsv":
                # A tab or a line break in a cell would start a new column or row.
                file.write("\t".join(" ".join(str(cell).split()) for cell in predictor.cells(prediction)) + "\n")
            else:
                file.write(json.dumps(prediction, ensure_ascii=False) + "\n")
            count += 1
    return count
