"""Predictions as rows of TSV, CSV and JSON Lines, written one by one."""

import contextlib
import csv
import io
import json
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TextIO

from keras_bert.errors import InputError
from keras_bert.files import atomic_write

FORMATS = ("tsv", "csv", "jsonl")
STANDARD_OUTPUT = "-"
FLUSH_EVERY = 2048  # rows; a program that reads the output gets them this often
# Lists of a prediction that become one cell with this separator. Words and tags contain no space, labels no comma.
SEPARATORS = {"labels": ",", "words": " ", "tags": " "}


def check_output(path: str | Path, file_format: str | None = None) -> str:
    """Return the format of an output: the given one, or that of the suffix; TSV for standard output (`"-"`).

    Raises:
        InputError: the suffix stands for no format and none is given, or the path is a folder.
    """
    suffix = Path(path).suffix[1:]
    found = file_format or ("tsv" if str(path) == STANDARD_OUTPUT else suffix)
    if found not in FORMATS:
        raise InputError(
            f"`--output` must be a file that ends in .{', .'.join(FORMATS)}, unless `--format` is given. "
            f"Received: {path}"
        )
    if Path(path).is_dir():
        raise InputError(f"`--output` must be a file. Received: {path}, which is a folder")
    return found


def write_predictions(path: str | Path, predictions: Iterable[dict], file_format: str | None = None) -> int:
    """Write predictions to a file, which is created only when all of them are written, or to standard output.

    - `tsv`: a header line and one line per prediction, see `flat_row`. A tab or a line break in a cell becomes a space.
    - `csv`: the same columns; cells with commas, quotation marks or line breaks are quoted (RFC 4180).
    - `jsonl`: one JSON object per line, the prediction as `Predictor` returns it.

    Args:
        path: the file to write; an existing one is replaced. `"-"` writes to standard output.
        predictions: the dicts that a `Predictor` returns. They are read one by one.
        file_format: one of the formats above. Default: that of the suffix.

    Returns:
        The number of predictions.

    Raises:
        InputError: see `check_output`; or the predictions have different keys, and the format is not `jsonl`.
    """
    file_format, count = check_output(path, file_format), 0
    with _open(path) as file:
        for line in {"tsv": _tsv_lines, "csv": _csv_lines, "jsonl": _json_lines}[file_format](predictions):
            file.write(line)
            count += 1
            if count % FLUSH_EVERY == 0:
                file.flush()
    return count - (file_format != "jsonl" and count > 0)  # without the header


def flat_row(prediction: dict) -> dict:
    """Return a prediction as one row of a table.

    Probabilities become the columns `probability_<class>`, the k most probable classes `top_1_label`,
    `top_1_probability`, …. The texts come last: `text`, and `text_pair` for the second text of a pair. Labels are
    separated by commas, words and tags by spaces; other lists, such as entities, are JSON. None is an empty cell.

    Args:
        prediction: a dict that a `Predictor` returns.

    Example:

    >>> row = flat_row({"text": "so so", "label": "bad", "probabilities": {"bad": 0.75, "good": 0.25}})
    >>> list(row), list(row.values())
    (['label', 'probability_bad', 'probability_good', 'text'], ['bad', 0.75, 0.25, 'so so'])
    """
    row, texts = {}, {}
    for name, value in prediction.items():
        if name == "text":
            texts["text"] = value
        elif name == "texts":
            texts["text"], texts["text_pair"] = value
        elif name == "probabilities":
            row |= {f"probability_{label}": probability for label, probability in value.items()}
        elif name == "top_k":
            for i, each in enumerate(value, 1):
                row |= {f"top_{i}_{key}": item for key, item in each.items()}
        elif name in SEPARATORS:
            row[name] = SEPARATORS[name].join(value)
        elif isinstance(value, (list, tuple, dict)):
            row[name] = json.dumps(value, ensure_ascii=False)
        else:
            row[name] = "" if value is None else value
    return row | texts


def _rows(predictions: Iterable[dict]) -> Iterator[list]:
    """Yield the names of the columns, then the cells of each prediction."""
    columns = None
    for prediction in predictions:
        row = flat_row(prediction)
        if columns is None:
            columns = list(row)
            yield columns
        if list(row) != columns:
            raise InputError(
                "`--format` must be jsonl where the predictions have different keys. "
                f"Received: {', '.join(columns)[:80]}, then {', '.join(row)[:80]}"
            )
        yield list(row.values())


def _tsv_lines(predictions: Iterable[dict]) -> Iterator[str]:
    for cells in _rows(predictions):
        yield "\t".join(" ".join(str(cell).split()) for cell in cells) + "\n"


def _csv_lines(predictions: Iterable[dict]) -> Iterator[str]:
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\n")
    for cells in _rows(predictions):
        writer.writerow(cells)
        yield buffer.getvalue()
        buffer.seek(0)
        buffer.truncate()


def _json_lines(predictions: Iterable[dict]) -> Iterator[str]:
    for prediction in predictions:
        yield json.dumps(prediction, ensure_ascii=False) + "\n"


@contextlib.contextmanager
def _open(path: str | Path) -> Iterator[TextIO]:
    """Open a new file, which appears at `path` when it is complete, or standard output, as UTF-8."""
    if str(path) != STANDARD_OUTPUT:
        is_device = Path(path).exists() and not Path(path).is_file()  # a device or a pipe is written, not replaced
        target = contextlib.nullcontext(Path(path)) if is_device else atomic_write(path)
        with target as draft, draft.open("w", encoding="utf-8", newline="\n") as file:
            yield file
        return
    if not hasattr(sys.stdout, "buffer"):  # in a notebook
        yield sys.stdout
        return
    sys.stdout.flush()
    file = io.TextIOWrapper(sys.stdout.buffer, encoding="utf-8", newline="\n")
    try:
        yield file
    finally:
        file.detach()  # flushes, and leaves standard output open
