"""Examples for training and evaluation: texts or token ids with labels, from every container that holds them."""

import dataclasses

import numpy as np

from keras_bert.constants import INPUT_KEYS
from keras_bert.data.columns import find_label_column, find_text_columns
from keras_bert.data.containers import ACCEPTED, as_labels, as_table, as_texts, is_dataset, to_numpy
from keras_bert.data.datasets import read_dataset
from keras_bert.data.id_arrays import as_id_arrays
from keras_bert.data.labeled import Texts, select
from keras_bert.errors import InputError


@dataclasses.dataclass(frozen=True)
class Examples:
    """N texts, pairs of texts or rows of token ids, with their labels.

    Attributes:
        texts: list of N strings, or a tuple of two such lists for pairs; None if there are ids.
        ids: dict of the encoder's inputs, int32 `[N, T]` each; None if there are texts.
        labels: an array with N rows, a dict of such arrays, a list of N lists of names, or None.
        weights: float `[N]`, or None.
        label_names: names of the classes that the container has, or None.
    """

    texts: Texts | None
    ids: dict | None
    labels: object = None
    weights: np.ndarray | None = None
    label_names: list[str] | None = None

    def __len__(self) -> int:
        if self.ids is not None:
            return len(self.ids["input_word_ids"])
        return len(self.texts[0] if isinstance(self.texts, tuple) else self.texts)

    @property
    def are_pairs(self) -> bool | None:
        """Whether the texts are pairs; None if there are ids."""
        return None if self.texts is None else isinstance(self.texts, tuple)

    def select(self, rows) -> "Examples":
        """Return the examples of the given indices, int `[n]`."""
        return dataclasses.replace(
            self,
            texts=None if self.texts is None else select(self.texts, rows),
            ids=None if self.ids is None else {key: array[rows] for key, array in self.ids.items()},
            labels=_select(self.labels, rows),
            weights=None if self.weights is None else self.weights[rows],
        )


def read_examples(inputs, labels=None, weights=None, name: str = "inputs") -> Examples:
    """Read texts or token ids, and labels, from one of many containers.

    Args:
        inputs: N texts as a list, a NumPy array or a string tensor; a pandas Series; a column of a Hugging Face
            dataset. Pairs of texts as a list of (first, second), as a tuple (firsts, seconds) of two of these
            containers, as an array `[N, 2]` or a DataFrame of two columns. Token ids as a dict of `input_word_ids`,
            `input_mask` and `input_type_ids`, `[N, T]` each. Or a dataset that has the labels too: a `tf.data.Dataset`
            or a `keras.utils.PyDataset` of (inputs, labels) or (inputs, labels, weights); a DataFrame or a Hugging Face
            `Dataset` with a text column such as `text` or `sentence1` and `sentence2`, and a column `label`.
        labels: any of these containers of labels, or None if `inputs` has them.
        weights: N numbers, or None.
        name: the argument's name, for messages.

    Returns:
        `Examples`.

    Raises:
        InputError: the type is none of these, an entry is not a text, numbers of entries differ, or a dataset is
            infinite.

    Example:

    >>> read_examples([("a", "b"), ("c", "d")], [0, 1]).texts
    (['a', 'c'], ['b', 'd'])
    """
    label_names = None
    if is_dataset(inputs):
        inputs, found, found_weights = read_dataset(inputs, name)
        labels = _only_one(labels, found, "labels", name)
        weights = _only_one(weights, found_weights, "sample_weight", name)
    elif labels is None and (table := as_table(inputs)) is not None:
        inputs, labels, label_names = _columns(table, name)
    if isinstance(inputs, dict):
        if not any(key in inputs for key in INPUT_KEYS):
            raise InputError(f"`{name}` must be {ACCEPTED}. Received: a dict with the keys {list(inputs)!r:.80}")
        texts, ids = None, as_id_arrays({key: to_numpy(value) for key, value in inputs.items()})
    else:
        texts, ids = as_texts(inputs, name), None
    examples = Examples(texts, ids, as_labels(labels), None if weights is None else to_numpy(weights), label_names)
    for what, values in (("labels", examples.labels), ("sample_weight", examples.weights)):
        for part in values.values() if isinstance(values, dict) else () if values is None else (values,):
            if (isinstance(part, np.ndarray) and not part.ndim) or len(part) != len(examples):
                shape = f"shape={np.shape(part)}" if isinstance(part, np.ndarray) else f"{len(part)} entries"
                raise InputError(f"`{what}` must have one entry per example ({len(examples)}). Received: {shape}")
    return examples


def _only_one(given, found, what: str, name: str):
    """Return the labels or weights that are given as an argument or found in a dataset; not both."""
    if given is not None and found is not None:
        raise InputError(f"`{what}` must be None for a dataset that has them. Received: both {what} and `{name}`")
    return found if given is None else given


def _columns(table: dict, name: str) -> tuple:
    """Return the text columns, the label column and the names of the classes of a table."""
    keys = list(table)
    columns, label = find_text_columns(keys, name), find_label_column(keys, name)
    if columns is None or label is None:
        raise InputError(
            f"`{name}` must have a text column (text, sentence, or sentence1 and sentence2) and a column label, or "
            f"give its columns as `{name}` and `labels`. Received: the columns {', '.join(map(str, table))}"
        )
    texts = [table[keys[i]]() for i in columns]
    labels, class_names = table[keys[label]](), getattr(table[keys[label]], "class_names", None)
    return texts[0] if len(texts) == 1 else tuple(texts), labels, class_names


def _select(labels, rows):
    if isinstance(labels, dict):
        return {key: array[rows] for key, array in labels.items()}
    if isinstance(labels, list):
        return [labels[i] for i in rows]
    return None if labels is None else labels[rows]
