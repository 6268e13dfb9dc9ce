"""Labelled sentences: the embedded sample, SST-2 from TFDS, or a folder in GLUE layout."""

import dataclasses
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from keras_bert.data.files import read_lines
from keras_bert.data.tfds import load_tfds
from keras_bert.errors import InputError

SAMPLE = Path(__file__).parent / "sample"


@dataclasses.dataclass(frozen=True)
class LabelledSet:
    """Sentences with their classes, in two parts that share nothing: one to train on, one to measure on.

    Args:
        train_texts, dev_texts: lists of sentences.
        train_labels, dev_labels: int32 `[N]`, 0 … C - 1.
        label_names: C names.
        name: where it is from.
    """

    train_texts: list[str]
    train_labels: np.ndarray
    dev_texts: list[str]
    dev_labels: np.ndarray
    label_names: tuple[str, ...]
    name: str

    def hold_out(self, seed: int = 0, fraction: float = 0.1) -> tuple[np.ndarray, np.ndarray]:
        """Split the training rows: those to learn from, and those to choose the best weights by.

        The dev part only measures: whatever is chosen by it (an epoch, a rate) makes its number too good.

        Args:
            seed: of the draw.
            fraction: of the training rows to hold out; one at least.

        Returns:
            Two int arrays of row numbers, both shuffled.

        Example:

        >>> rows, held_out = load_labelled("sample").hold_out(seed=1)
        >>> len(held_out), len(set(rows) & set(held_out))
        (136, 0)
        """
        order = np.random.default_rng(seed).permutation(len(self.train_texts))
        held_out, rows = np.split(order, [max(1, round(fraction * len(order)))])
        return rows, held_out


def load_labelled(source: str | Path, label_names: Sequence[str] | None = None) -> LabelledSet:
    """A labelled set by name or from a folder.

    Args:
        source: `"sample"` (ships with the package), `"sst2"` (the Stanford Sentiment Treebank, from TFDS
            `glue/sst2`), or a folder that holds `train.tsv` and `dev.tsv` (see `read_tsv`).
        label_names: the names of a folder's classes; by default `"0"`, `"1"`, ….

    Returns:
        A `LabelledSet`.

    Raises:
        InputError: no such name or folder, a file missing in it, a file that `read_tsv` refuses, or no network.

    Example:

    >>> sample = load_labelled("sample")
    >>> sample.label_names, len(sample.train_texts) == len(sample.train_labels)
    (('negative', 'positive'), True)

    Source: SST-2: Socher et al. 2013; the layout: the GLUE benchmark, Wang et al. 2018 (arXiv:1804.07461).
    """
    if source == "sample":
        return _from_files(SAMPLE / "reviews_train.tsv", SAMPLE / "reviews_dev.tsv", ("negative", "positive"), "sample")
    if source == "sst2":
        return _sst2()
    folder = Path(source)
    if not folder.is_dir():
        found = "a file" if folder.exists() else "a name where nothing is"
        raise InputError(f"a labelled set is sample, sst2 or a folder with train.tsv. Received: {source}, {found}")
    for name in ("train.tsv", "dev.tsv"):
        if not (folder / name).exists():
            raise InputError(f"{folder}: a folder with train.tsv and dev.tsv is expected. Received: no {name}")
    return _from_files(folder / "train.tsv", folder / "dev.tsv", label_names, str(source))


def _from_files(train: Path, dev: Path, label_names: Sequence[str] | None, name: str) -> LabelledSet:
    train_texts, train_labels = read_tsv(train, len(label_names) if label_names else None)
    names = tuple(label_names) if label_names else tuple(map(str, range(int(train_labels.max()) + 1)))
    if len(names) < 2:
        raise InputError(f"{train}: at least two classes are expected. Received: {len(names)}")
    dev_texts, dev_labels = read_tsv(dev, len(names))
    return LabelledSet(train_texts, train_labels, dev_texts, dev_labels, names, name)


def _sst2() -> LabelledSet:
    instead = "give --dataset a folder with train.tsv and dev.tsv (sentence<TAB>label, header line), or use sample"
    parts = []
    for split in ("train", "validation"):
        rows = list(load_tfds("glue/sst2", split, instead).as_numpy_iterator())
        rows.sort(key=lambda row: row["idx"])  # TFDS reads its shards in no fixed order
        parts.append([row["sentence"].decode("utf-8").strip() for row in rows])
        parts.append(np.array([row["label"] for row in rows], np.int32))
    return LabelledSet(*parts, ("negative", "positive"), "sst2")


def read_tsv(path: str | Path, num_classes: int | None = None) -> tuple[list[str], np.ndarray]:
    """Sentences and labels of a file in GLUE layout: a header line that names the columns, then a sentence a line.

    Columns are parted by tabs and found by their names, `sentence` and `label`; further ones are passed over. Quotation
    marks mean nothing. Files may be packed (`.gz`, `.xz`).

    Args:
        path: the file.
        num_classes: C, the labels being 0 … C - 1. None: as many as there are different labels.

    Returns:
        The sentences, and their labels int32 `[N]`.

    Raises:
        InputError: the file cannot be read (see `read_lines`); a column is missing; a line has another number of
            columns, an empty sentence, or a label that is no whole number or outside the range; no line at all.

    Example:

    >>> import tempfile
    >>> path = Path(tempfile.mkdtemp()) / "dev.tsv"
    >>> _ = path.write_text("sentence\\tlabel\\na fine film\\t1\\nno fun\\t0\\n")
    >>> read_tsv(path)
    (['a fine film', 'no fun'], array([1, 0], dtype=int32))
    """
    lines = read_lines(path)
    header = next(lines)[1].split("\t")
    for column in ("sentence", "label"):
        if column not in header:
            shown = " | ".join(header)
            raise InputError(
                f"{path}: the header line must name the columns sentence and label. "
                f"Received: no {column} in {shown[:80]!r}"
            )
    at_sentence, at_label = header.index("sentence"), header.index("label")
    texts, labels, numbers = [], [], []
    for number, line in lines:
        cells = line.split("\t")
        if len(cells) != len(header):
            raise InputError(f"{path}, line {number}: {len(header)} columns are expected. Received: {len(cells)}")
        text, label = cells[at_sentence].strip(), cells[at_label].strip()
        if not text:
            raise InputError(f"{path}, line {number}: a sentence is expected. Received: an empty one")
        # isdecimal alone would take other scripts' digits
        if not (label.removeprefix("-").isdecimal() and label.isascii()):
            raise InputError(f"{path}, line {number}: the label must be a whole number. Received: {label[:40]!r}")
        texts.append(text)
        labels.append(int(label))
        numbers.append(number)
    if not texts:
        raise InputError(f"{path}: sentences are expected. Received: a header line alone")
    classes = num_classes or len(set(labels))
    for label, number in zip(labels, numbers, strict=True):
        if not 0 <= label < classes:
            why = "" if num_classes else f" ({classes} different ones)"
            raise InputError(f"{path}, line {number}: labels must lie in 0 … {classes - 1}{why}. Received: {label}")
    return texts, np.array(labels, np.int32)
