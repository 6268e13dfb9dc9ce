"""Labelled texts: the embedded sample, SST-2 from TFDS, or a folder in GLUE layout."""

import dataclasses
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from keras_bert.constants import PROBLEM_TYPES
from keras_bert.data.table import read_table
from keras_bert.data.tfds import load_tfds
from keras_bert.errors import InputError

SAMPLE = Path(__file__).parent / "sample"
DEV = ("dev.tsv", "dev_matched.tsv")  # the second is MNLI's, of the genres that train.tsv has
Texts = list[str] | tuple[list[str], list[str]]


@dataclasses.dataclass(frozen=True)
class LabeledDataset:
    """Texts with their labels, in two parts that share nothing: one to train on, one to measure on.

    Args:
        train_texts, dev_texts: lists of texts, or pairs of lists, the first and the second of each pair.
        train_labels, dev_labels: int32 `[N]`, 0 … C - 1; 1 or 0 `[N, C]` where several labels may apply; float32 `[N]`.
        label_names: C names; none for numbers.
        name: where it is from.
        problem_type: `"single_label"`, `"multi_label"` or `"regression"`, as a `BertClassifier` has it.
    """

    train_texts: Texts
    train_labels: np.ndarray
    dev_texts: Texts
    dev_labels: np.ndarray
    label_names: tuple[str, ...]
    name: str
    problem_type: str = "single_label"

    def train_validation_split(self, seed: int = 0, fraction: float = 0.1) -> tuple[np.ndarray, np.ndarray]:
        """Split the training rows: those to learn from, and those to choose the best weights by.

        The dev part only measures: whatever is chosen by it (an epoch, a rate) makes its number too good.

        Args:
            seed: of the draw.
            fraction: of the training rows to hold out; one at least.

        Returns:
            Two int arrays of row numbers, both shuffled.

        Example:

        >>> rows, held_out = load_labeled("sample").train_validation_split(seed=1)
        >>> len(held_out), len(set(rows) & set(held_out))
        (136, 0)
        """
        order = np.random.default_rng(seed).permutation(len(self.train_labels))
        held_out, rows = np.split(order, [max(1, round(fraction * len(order)))])
        return rows, held_out


def select(texts: Texts, rows) -> Texts:
    """Some of the texts, or of the pairs, as a vectorizer takes them.

    Example:

    >>> select((["a", "b"], ["c", "d"]), [1])
    (['b'], ['d'])
    """
    if isinstance(texts, tuple):
        first, second = ([part[i] for i in rows] for part in texts)
        return first, second
    return [texts[i] for i in rows]


def load_labeled(
    source: str | Path, label_names: Sequence[str] | None = None, problem_type: str = "single_label"
) -> LabeledDataset:
    """A labelled set by name or from a folder.

    Args:
        source: `"sample"` (ships with the package), `"sst2"` (the Stanford Sentiment Treebank, from TFDS
            `glue/sst2`), or a folder that holds `train.tsv` and `dev.tsv` (see `read_table`), or MNLI's
            `dev_matched.tsv` where there is no `dev.tsv`.
        label_names: the names of a folder's classes or labels, in order; by default what `train.tsv` has.
        problem_type: what the labels are: `"single_label"`, one class of several; `"multi_label"`, parted by commas;
            `"regression"`, numbers.

    Returns:
        A `LabeledDataset`.

    Raises:
        InputError: no such name or folder, names of numbers, a file missing in it, a file that `read_table` refuses,
            labels that are no such labels, a class that only the dev file has, or no network.

    Example:

    >>> sample = load_labeled("sample")
    >>> sample.label_names, len(sample.train_texts) == len(sample.train_labels)
    (('negative', 'positive'), True)

    Source: SST-2: Socher et al. 2013; the layout: the GLUE benchmark, Wang et al. 2018 (arXiv:1804.07461).
    """
    if problem_type not in PROBLEM_TYPES:
        raise InputError(f"a problem is one of {', '.join(PROBLEM_TYPES)}. Received: {problem_type!r}")
    if source in ("sample", "sst2") and problem_type != "single_label":
        raise InputError(
            f"{source} has one class a text, negative or positive. Received: problem_type={problem_type!r}"
        )
    if label_names and problem_type == "regression":
        raise InputError(f"numbers have no names. Received: the names {', '.join(label_names)}")
    if source == "sample":
        names = ("negative", "positive")
        return _from_files(SAMPLE / "reviews_train.tsv", SAMPLE / "reviews_dev.tsv", names, "sample", problem_type)
    if source == "sst2":
        return _sst2()
    folder = Path(source)
    if not folder.is_dir():
        found = "a file" if folder.exists() else "a name where nothing is"
        raise InputError(f"a labelled set is sample, sst2 or a folder with train.tsv. Received: {source}, {found}")
    dev = next((name for name in DEV if (folder / name).exists()), DEV[0])
    for name in ("train.tsv", dev):
        if not (folder / name).exists():
            raise InputError(f"{folder}: a folder with train.tsv and dev.tsv is expected. Received: no {name}")
    return _from_files(folder / "train.tsv", folder / dev, label_names, str(source), problem_type)


def _from_files(
    train: Path, dev: Path, label_names: Sequence[str] | None, name: str, problem_type: str = "single_label"
) -> LabeledDataset:
    tables = read_table(train), read_table(dev)
    if isinstance(tables[0].texts, tuple) != isinstance(tables[1].texts, tuple):
        raise InputError(f"{dev}: pairs or single texts are expected, as in train.tsv. Received: the other kind")
    names: Sequence[str] = label_names or ()
    if problem_type == "regression":
        labels = [table.numbers() for table in tables]
    elif problem_type == "multi_label":
        first, names = tables[0].several(label_names)
        labels = [first, tables[1].several(names)[0]]
    else:
        first, names = tables[0].classes(label_names)
        if len(names) < 2:
            raise InputError(f"{train}: at least two classes are expected. Received: {len(names)}")
        # Names that were found in train.tsv have no order of anyone's: a number in dev.tsv is no class among words.
        labels = [first, tables[1].classes(names, numbers=bool(label_names) or tables[0].numbered)[0]]
    return LabeledDataset(tables[0].texts, labels[0], tables[1].texts, labels[1], tuple(names), name, problem_type)


def _sst2() -> LabeledDataset:
    instead = "give --dataset a folder with train.tsv and dev.tsv (sentence<TAB>label, header line), or use sample"
    parts = []
    for split in ("train", "validation"):
        rows = list(load_tfds("glue/sst2", split, instead).as_numpy_iterator())
        rows.sort(key=lambda row: row["idx"])  # TFDS reads its shards in no fixed order
        parts.append([row["sentence"].decode("utf-8").strip() for row in rows])
        parts.append(np.array([row["label"] for row in rows], np.int32))
    return LabeledDataset(*parts, ("negative", "positive"), "sst2")
