"""Labeled datasets by name: of the Hugging Face Hub with `datasets`, and of TensorFlow Datasets."""

import functools
import re
import warnings
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from keras_bert.data.columns import find_label_column
from keras_bert.data.malformed import Malformed
from keras_bert.data.table import Table
from keras_bert.data.table_reader import table_of
from keras_bert.data.tfds import open_tfds
from keras_bert.errors import InputError, InputWarning
from keras_bert.extras import require

NAME = re.compile(r"(hf|tfds):(?://)?(.+)")
DEV_SPLITS = ("validation", "validation_matched", "dev", "valid", "test")
NO_LABEL = -1  # the label of rows without one, as in GLUE's test splits and in SNLI
HINT = (
    "Or use sample, or a folder with train.tsv and dev.tsv, which have a header line and the columns sentence and "
    "label (on the command line: --dataset FOLDER)."
)


def is_dataset_name(source: str | Path) -> bool:
    """Return whether a source is the name of a dataset, such as `hf://org/name` or `tfds:name`."""
    return isinstance(source, str) and NAME.fullmatch(source) is not None


def load_by_name(
    source: str, problem_type: str | None = None, skip_malformed: bool = False
) -> tuple[Table, Table | None, Sequence[str] | None]:
    """Load a labeled dataset by its name.

    The libraries download it, keep it in their caches, and handle access tokens and offline mode.

    Args:
        source: `"hf://org/name"` or `"hf://org/name:config"`, loaded with `datasets.load_dataset`, which takes the path
            of a folder too; or `"tfds:name"` or `"tfds:name/config"`. The columns have the names that `read_table`
            knows. Rows without a label (-1 where the classes have names) are left out, with a warning.
        problem_type, skip_malformed: see `read_table`.

    Returns:
        The split `train`; the dev split, which is the first of `validation`, `validation_matched`, `dev`, `valid` and
        `test` that exists, or None; and the names of the classes, or None if the dataset has none.

    Raises:
        InputError: the library is not installed, the dataset does not exist or cannot be downloaded, it has no split
            `train`, or its columns or rows do not fit.
    """
    kind, name = NAME.fullmatch(source).groups()
    splits, names_of = (_hugging_face if kind == "hf" else _tfds)(name)
    dev = next((split for split in DEV_SPLITS if split in splits), None)
    if "train" not in splits:
        raise InputError(f"`source` must have the split train. Received: {source} with {', '.join(splits)}")
    class_names = names_of("train")
    tables = [
        None
        if split is None
        else _table(f"{source} {split}", splits[split](), class_names, problem_type, skip_malformed)
        for split in ("train", dev)
    ]
    return *tables, class_names


def _table(source: str, rows: Iterable[dict], class_names, problem_type, skip_malformed: bool) -> Table:
    """Collect the rows of a split."""
    rows = iter(rows)
    first = next(rows, None)
    if first is None:
        raise InputError(f"`source` must have rows. Received: {source} with none")
    header = list(first)
    label, unlabeled = find_label_column(header), 0

    def cells() -> Iterator[tuple[int, list]]:
        nonlocal unlabeled
        for number, row in enumerate(_chain(first, rows), 1):
            values = [_text(row[name]) for name in header]
            if label is not None and class_names:
                if values[label] == NO_LABEL:
                    unlabeled += 1
                    continue
                values[label] = _named(values[label], class_names)
            yield number, values

    table = table_of(source, header, cells(), "row", problem_type, Malformed(source, skip_malformed))
    if unlabeled:
        warnings.warn(f"{source}: rows without a label were left out: {unlabeled:,}.", InputWarning, stacklevel=4)
    return table


def _chain(first: dict, rows: Iterator[dict]) -> Iterator[dict]:
    yield first
    yield from rows


def _text(value):
    """Return a value of a row with strings in place of bytes, and numbers of Python in place of those of NumPy."""
    value = value.tolist() if hasattr(value, "tolist") else value
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else value


def _named(value, class_names: Sequence[str]):
    """Return the names of one class id, or of a list of them."""
    if isinstance(value, list):
        return [_named(each, class_names) for each in value]
    return class_names[value] if isinstance(value, int) else value


def _hugging_face(name: str) -> tuple[dict, object]:
    """Return functions that read the splits of a Hugging Face dataset, and one that returns its class names."""
    datasets = require("datasets", f"the dataset {name}")
    path, _, config = name.partition(":")
    try:
        loaded = datasets.load_dataset(path, config or None)
    except Exception as error:  # the library raises errors of many kinds
        reason = " ".join(str(error).split())[:300].rstrip(".")
        raise InputError(
            f"`source` must be a dataset of the Hugging Face Hub that can be downloaded. Received: hf://{name} "
            f"({type(error).__name__} {reason}). {HINT}"
        ) from None

    def class_names(split: str):
        columns = list(loaded[split].features)
        label = find_label_column(columns)
        feature = None if label is None else loaded[split].features[columns[label]]
        return getattr(feature, "names", None) or getattr(getattr(feature, "feature", None), "names", None)

    return {split: loaded[split].__iter__ for split in loaded}, class_names


def _tfds(name: str) -> tuple[dict, object]:
    """Return functions that read the splits of a TFDS dataset, and one that returns its class names."""
    builder = open_tfds(name, HINT)

    def rows(split: str):
        found = list(builder.as_dataset(split=split).as_numpy_iterator())
        if found and "idx" in found[0]:
            found.sort(key=lambda row: row["idx"])  # TFDS reads its shards in varying order
        return found

    def class_names(split: str):
        label = find_label_column(list(builder.info.features))
        feature = None if label is None else builder.info.features[list(builder.info.features)[label]]
        return getattr(feature, "names", None) or getattr(getattr(feature, "feature", None), "names", None)

    # Where TFDS has no metadata of a dataset, its splits are those that most datasets have.
    splits = list(builder.info.splits) or ["train", "validation"]
    return {split: functools.partial(rows, split) for split in splits}, class_names
