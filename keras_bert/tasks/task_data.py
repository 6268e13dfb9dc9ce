"""The data classes of tasks: default settings, examples and trained models."""

import dataclasses
from collections.abc import Callable, Sequence
from pathlib import Path

from keras_bert.data.samples import sample_files
from keras_bert.errors import InputError


@dataclasses.dataclass(frozen=True)
class TaskDefaults:
    """Default settings of fine-tuning on a task.

    Attributes:
        epochs: number of epochs.
        sequence_length: maximum length of a row, in tokens.
        learning_rate: peak learning rate on a pretrained encoder.
        learning_rate_from_scratch: peak learning rate from random weights.
    """

    epochs: int = 3
    sequence_length: int = 128
    learning_rate: float = 5e-5
    learning_rate_from_scratch: float = 3e-4


@dataclasses.dataclass(frozen=True)
class TaskData:
    """The examples of a task, in two parts.

    Attributes:
        name: name or folder of the dataset.
        train: the examples to train on, a sequence in the form that the task uses.
        dev: the examples to evaluate on, in the same form.
        texts: all training texts, to learn a vocabulary from.
        label_names: C names, in the order of the logits; empty where the task has none.
        settings: settings of the data that `kb.save_pretrained` saves with the labels, such as `pairs`.
    """

    name: str
    train: Sequence
    dev: Sequence
    texts: list[str]
    label_names: tuple[str, ...] = ()
    settings: dict = dataclasses.field(default_factory=dict)


@dataclasses.dataclass(frozen=True)
class LabeledTexts:
    """Texts with their labels.

    Attributes:
        texts: list of N strings, or a tuple of two such lists for pairs.
        labels: array with N rows.
    """

    texts: list[str] | tuple[list[str], list[str]]
    labels: Sequence

    def __len__(self) -> int:
        return len(self.labels)

    @property
    def are_pairs(self) -> bool:
        """Whether the texts are pairs."""
        return isinstance(self.texts, tuple)


@dataclasses.dataclass(frozen=True)
class TrainedModel:
    """A trained model as tasks use it: a function from token ids to outputs, its preprocessor and its settings.

    The function may run a Keras model, an ONNX session or a SavedModel.

    Attributes:
        predict: function of (ids, batch_size) that returns the outputs of all rows: an array, or a dict of arrays.
        preprocessor: `Preprocessor`, or another function from texts to what `predict` takes.
        labels: C names in the order of the logits, or None.
        settings: settings saved with the model, such as `pairs` and `no_answer`; a missing one counts as None.
        batch_size: number of rows per call of the model.
    """

    predict: Callable
    preprocessor: Callable
    labels: Sequence[str] | None = None
    settings: dict = dataclasses.field(default_factory=dict)
    batch_size: int = 64

    def outputs(self, ids):
        """Run the model on rows of token ids, or on texts where the model takes them."""
        return self.predict(ids, self.batch_size)


def check_files(folder: str | Path, names: Sequence[str], sample: str | None = None) -> list[Path]:
    """Return the paths of the data files of a folder, or of a bundled sample.

    Args:
        folder: the folder, or the name of the sample.
        names: the names of the files in the folder.
        sample: the sample that has such files, a key of `SAMPLES`, or None.

    Raises:
        InputError: a file is missing.
    """
    if sample is not None and folder == sample:
        return list(sample_files(sample))
    paths = [Path(folder) / name for name in names]
    for path in paths:
        if not path.is_file():
            expected = "a folder" if sample is None else f"{sample}, or a folder"
            raise InputError(
                f"`dataset` must be {expected} with {' and '.join(names)}. Received: dataset={folder} (no {path.name})"
            )
    return paths


def check_at_least_two(count: int, what: str, path) -> None:
    """Raise InputError if there are fewer than two training examples. At least one is used for validation.

    Args:
        count: number of examples.
        what: name of the examples in the error message, in the plural.
        path: file or name of the dataset.
    """
    if count < 2:
        raise InputError(
            f"`dataset` must have at least two {what} to train on, because some of them are used for validation. "
            f"Received: {count} in {path}"
        )
