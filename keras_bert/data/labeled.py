"""Labeled texts: the bundled samples, SST-2 from TFDS, a folder in the GLUE format, or one file."""

import dataclasses
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from keras_bert.constants import PROBLEM_TYPES, SAMPLES
from keras_bert.data.named import is_dataset_name, load_by_name
from keras_bert.data.samples import sample_files
from keras_bert.data.table import Table
from keras_bert.data.table_reader import read_table
from keras_bert.data.table_rows import SUFFIXES
from keras_bert.errors import InputError

LABELED_SAMPLES = tuple(name for name, (train, _) in SAMPLES.items() if train.endswith(".tsv"))
TRAIN_FILES = ("train", "train-00000-of-00001")
# `dev_matched` is MNLI's; its texts have the genres of train.tsv.
DEV_FILES = ("dev", "dev_matched", "validation", "valid", "val", "validation-00000-of-00001")
SENTIMENT = ("negative", "positive")
Texts = list[str] | tuple[list[str], list[str]]


@dataclasses.dataclass(frozen=True)
class LabeledDataset:
    """Labeled texts in two disjoint parts: one for training, one for evaluation.

    Args:
        train_texts, dev_texts: lists of N texts, or tuples `(first, second)` of two lists for pairs.
        train_labels, dev_labels: for `"single_label"`, int32 `[N]` in 0 … C - 1; for `"multi_label"`, int32 `[N, C]` of
            0 and 1; for `"regression"`, float32 `[N]`.
        label_names: the C names of the classes or labels; empty for regression.
        name: the source of the data.
        problem_type: `"single_label"`, `"multi_label"` or `"regression"`, as for `BertClassifier`.
    """

    train_texts: Texts
    train_labels: np.ndarray
    dev_texts: Texts
    dev_labels: np.ndarray
    label_names: tuple[str, ...]
    name: str
    problem_type: str = "single_label"

    def train_validation_split(self, seed: int = 0, fraction: float = 0.1) -> tuple[np.ndarray, np.ndarray]:
        """Split the training rows into rows to train on and rows to select the best epoch.

        The dev part is only for the final evaluation: a result on the rows that were used to select an epoch or a
        learning rate is too optimistic.

        Args:
            seed: seed of the random split.
            fraction: fraction of the training rows to use for validation; at least one row.

        Returns:
            Two int arrays of row indices, shuffled: for training, for validation.

        Example:

        >>> train, validation = load_labeled("sample").train_validation_split(seed=1)
        >>> len(validation), len(set(train) & set(validation))
        (369, 0)
        """
        order = np.random.default_rng(seed).permutation(len(self.train_labels))
        validation, train = np.split(order, [max(1, round(fraction * len(order)))])
        return train, validation


def select(texts: Texts, rows) -> Texts:
    """Select texts, or pairs of texts, by their indices.

    Args:
        texts: a list of N texts, or a tuple `(first, second)` of two lists for pairs.
        rows: the indices.

    Returns:
        The selected texts, in the form of `texts`.

    Example:

    >>> select((["a", "b"], ["c", "d"]), [1])
    (['b'], ['d'])
    """
    if isinstance(texts, tuple):
        first, second = ([part[i] for i in rows] for part in texts)
        return first, second
    return [texts[i] for i in rows]


def load_labeled(
    source: str | Path,
    label_names: Sequence[str] | None = None,
    problem_type: str = "single_label",
    skip_malformed: bool = False,
) -> LabeledDataset:
    """Load labeled texts by name, from a folder, or from one file.

    Args:
        source: a sample that is bundled with the package: `"sample"` (film reviews in two classes), `"sample-messages"`
            (short messages in three classes) or `"sample-pairs"` (pairs of sentences in two classes); `"sst2"` (the
            Stanford Sentiment Treebank, TFDS's `glue/sst2`); `"hf://org/name"` or `"hf://org/name:config"`, a dataset
            of the Hugging Face Hub, and `"tfds:name/config"`, one of TensorFlow Datasets (see `load_by_name`); a folder
            with `train.tsv` and `dev.tsv` (MNLI's `dev_matched.tsv` if there is no `dev.tsv`; or `validation`), or with
            files that end in `.csv`, `.jsonl` or `.parquet`; or one such file, whose rows are split at random, one
            tenth for the dev part. `read_table` describes the file formats.
        label_names: the names of the classes or labels, in order; by default the labels of the training file, numbers
            in their order and others sorted.
        problem_type: kind of labels: `"single_label"`, one class per text; `"multi_label"`, several labels separated by
            commas; `"regression"`, numbers.
        skip_malformed: whether to skip malformed rows, and warn about their number, in place of an error.

    Returns:
        A `LabeledDataset`.

    Raises:
        InputError: the source does not exist, a file is missing or not valid (see `read_table`), the labels do not fit
            the problem type, the dev file has a class that the training file does not have, `label_names` are given for
            regression or are not two for `sample` and `sst2`, or there is no network.

    Example:

    >>> sample = load_labeled("sample")
    >>> sample.label_names, len(sample.train_texts) == len(sample.train_labels)
    (('negative', 'positive'), True)
    >>> load_labeled("sample-messages").label_names
    ('promotion', 'social', 'spam')

    Source: SST-2: Socher et al. 2013; the file format: the GLUE benchmark, Wang et al. 2018 (arXiv:1804.07461).
    """
    if problem_type not in PROBLEM_TYPES:
        raise InputError(
            f"`problem_type` must be one of {', '.join(PROBLEM_TYPES)}. Received: problem_type={problem_type!r}"
        )
    if label_names and problem_type == "regression":
        raise InputError(f"`label_names` must be None for regression. Received: label_names={list(label_names)}")
    settings = {"problem_type": problem_type, "skip_malformed": skip_malformed}
    if source in ("sample", "sst2"):
        _check_sentiment(source, label_names, problem_type)
    if source in LABELED_SAMPLES:
        train, dev = (read_table(path, **settings) for path in sample_files(source))
        return _from_tables(
            train, dev, label_names or (SENTIMENT if source == "sample" else None), source, problem_type
        )
    if source == "sst2" or is_dataset_name(source):
        train, dev, class_names = load_by_name("tfds:glue/sst2" if source == "sst2" else source, **settings)
        train, dev = _split(train) if dev is None else (train, dev)
        return _from_tables(train, dev, label_names or class_names, source, problem_type)
    path = Path(source)
    if path.is_file():
        return _from_tables(*_split(read_table(path, **settings)), label_names, str(source), problem_type)
    if not path.is_dir():
        reason = "a sample without a label per text" if source in SAMPLES else "does not exist"
        raise InputError(
            f"`source` must be {', '.join(LABELED_SAMPLES)}, sst2, hf://NAME, tfds:NAME, a folder with train.tsv and "
            f"dev.tsv, or a file. Received: source={str(source)!r} ({reason})"
        )
    train, dev = (read_table(_find_file(path, *names), **settings) for names in (TRAIN_FILES, DEV_FILES))
    return _from_tables(train, dev, label_names, str(source), problem_type)


def _check_sentiment(source: str, label_names: Sequence[str] | None, problem_type: str) -> None:
    """Check the arguments for the two datasets of positive and negative sentences."""
    if problem_type != "single_label":
        raise InputError(
            f"`problem_type` must be 'single_label' for the dataset {source}. Received: problem_type={problem_type!r}"
        )
    if label_names and len(label_names) != 2:
        raise InputError(
            f"`label_names` must be two names for the dataset {source}. Received: label_names={list(label_names)}"
        )


def _find_file(folder: Path, *names: str) -> Path:
    """Return the first file of a folder that has one of the names and the ending of a table."""
    files = (folder / f"{name}{suffix}" for name in names for suffix in SUFFIXES)
    found = next((file for file in files if file.exists()), None)
    if found is None:
        raise InputError(
            "`source` must be a folder with train.tsv and dev.tsv, or with .csv, .jsonl or .parquet files. "
            f"Received: source={folder} (no {names[0]}.tsv)"
        )
    return found


def _split(table: Table) -> tuple[Table, Table]:
    """Split a table at random, always in the same way: nine tenths for training, one tenth for the dev part."""
    if len(table) < 2:
        raise InputError(f"`source` must be a file with at least 2 rows. Received: {table.path} with {len(table)}")
    order = np.random.default_rng(0).permutation(len(table))
    dev, train = np.split(order, [max(1, round(0.1 * len(order)))])
    return tuple(
        Table(
            table.path,
            select(table.texts, rows),
            [table.labels[i] for i in rows],
            [table.lines[i] for i in rows],
            table.unit,
        )
        for rows in (np.sort(train), np.sort(dev))
    )


def _from_tables(
    train: Table, dev: Table, label_names: Sequence[str] | None, name: str, problem_type: str = "single_label"
) -> LabeledDataset:
    if isinstance(train.texts, tuple) != isinstance(dev.texts, tuple):
        expected = "pairs of texts" if isinstance(train.texts, tuple) else "single texts"
        raise InputError(f"`source` must have {expected} in both files. Received: other columns in {dev.path}")
    names: Sequence[str] = label_names or ()
    if problem_type == "regression":
        train_labels, dev_labels = train.float_labels(), dev.float_labels()
    elif problem_type == "multi_label":
        train_labels, names = train.multi_hot_labels(label_names)
        dev_labels = dev.multi_hot_labels(names)[0]
    else:
        train_labels, names = train.class_labels(label_names)
        if len(names) < 2:
            raise InputError(f"`source` must have at least two classes. Received: {len(names)} in {train.path}")
        # An integer means the same class in both files. The order of names found in train.tsv is arbitrary, so no
        # integer in dev.tsv stands for one of them.
        integers = train.integers_for(names) if label_names else ()
        dev_labels = dev.class_labels(names, integers)[0]
    return LabeledDataset(train.texts, train_labels, dev.texts, dev_labels, tuple(names), name, problem_type)
