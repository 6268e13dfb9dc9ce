"""The base class of the tasks that map a text, or a pair of texts, to one output."""

import abc
import dataclasses
from collections.abc import Sequence

import numpy as np

from keras_bert.data import LabeledDataset, load_labeled, read_table, select
from keras_bert.errors import InputError
from keras_bert.metrics import Bootstrap
from keras_bert.tasks.task import Task
from keras_bert.tasks.task_data import LabeledTexts, TaskData, TrainedModel, check_at_least_two


@dataclasses.dataclass(frozen=True)
class TextTask(Task):
    """Base class of classification, multi-label classification and regression of texts or pairs of texts."""

    report_options: tuple[str, ...] = ("label_names", "bootstrap")
    data_options: tuple[str, ...] = ("skip_malformed",)
    setting_names: tuple[str, ...] = ("pairs",)

    def load(self, dataset: str, label_names: Sequence[str] | None = None, **options) -> TaskData:
        """Read `train.tsv` and `dev.tsv`, see `kb.load_labeled`."""
        labeled = self.read_labeled(dataset, label_names, **options)
        train = LabeledTexts(labeled.train_texts, labeled.train_labels)
        check_at_least_two(len(train), "texts", labeled.name)
        texts = [text for part in train.texts for text in part] if train.are_pairs else train.texts
        dev = LabeledTexts(labeled.dev_texts, labeled.dev_labels)
        return TaskData(labeled.name, train, dev, texts, labeled.label_names, {"pairs": train.are_pairs})

    def read_labeled(self, dataset: str, label_names: Sequence[str] | None, **options) -> LabeledDataset:
        """Read a dataset with the labels of the problem type."""
        return load_labeled(dataset, label_names, self.problem_type, **options)

    def read(self, path, labels: Sequence[str] | None, **options) -> LabeledTexts:
        """Read a table of texts and labels, see `read_table`."""
        table = read_table(path, self.problem_type, **options)
        return LabeledTexts(table.texts, self.labels_of(table, labels))

    @abc.abstractmethod
    def labels_of(self, table, labels: Sequence[str] | None) -> np.ndarray:
        """Return the labels of a `Table` as an array with N rows."""

    def build_model(self, encoder, data: TaskData, **options):
        """Return a `BertClassifier` of the problem type, with the dropout rate of the encoder."""
        from keras_bert.models import BertClassifier

        classes = max(1, len(data.label_names))
        return BertClassifier(encoder, classes, encoder.config.hidden_dropout, self.problem_type)

    def train_validation_rows(self, data: TaskData, preprocessor, seed: int, fraction: float) -> tuple[tuple, tuple]:
        """Split the texts at random into training and validation texts."""
        return tuple(
            (preprocessor(select(data.train.texts, part)), data.train.labels[part])
            for part in train_validation_indices(len(data.train), seed, fraction)
        )

    def evaluate(self, trained: TrainedModel, examples: LabeledTexts, bootstrap: Bootstrap | None = None) -> dict:
        """Compute the metrics over texts."""
        texts = list(zip(*examples.texts, strict=True)) if examples.are_pairs else examples.texts
        check_pairs(texts, trained.settings.get("pairs"))
        outputs = trained.outputs(trained.preprocessor(examples.texts))  # [N, C]
        labels = np.asarray(examples.labels)
        if labels.ndim < np.ndim(outputs) and labels.dtype.kind == "f":
            labels = labels[:, None]  # [N, 1], the shape of the outputs of regression
        options = {"label_names": trained.labels, "bootstrap": bootstrap}
        options = {name: options[name] for name in self.report_options}
        return {**self.report(outputs, labels, None, **options), "examples": len(examples)}

    def predict(self, trained: TrainedModel, texts: list, top_k: int | None = None) -> list[dict]:
        """Return one dict per text: `text`, or `texts` for a pair, and the keys of `decode`."""
        hint = " On the command line a tab separates the two texts of a pair."
        check_pairs(texts, trained.settings.get("pairs"), hint)
        are_pairs = isinstance(texts[0], tuple)
        columns = tuple(map(list, zip(*texts, strict=True))) if are_pairs else list(texts)
        outputs = trained.outputs(trained.preprocessor(columns))  # [N, C]
        labels = trained.labels or [str(i) for i in range(np.shape(outputs)[-1])]
        return [
            {"texts" if are_pairs else "text": text, **prediction}
            for text, prediction in zip(texts, self.decode(np.asarray(outputs), labels, top_k), strict=True)
        ]

    @abc.abstractmethod
    def decode(self, outputs: np.ndarray, labels: Sequence[str], top_k: int | None) -> list[dict]:
        """Convert outputs `[N, C]` to N dicts."""

    def example_text(self, data: TaskData) -> str:
        """Return a text, or a pair of texts if the data are pairs, quoted for a shell."""
        return r"$'a man sleeps\ta person rests'" if data.settings["pairs"] else '"a fine film"'


def check_pairs(texts: Sequence, expected: bool | None, hint: str = "") -> None:
    """Raise InputError if texts are single and pairs are expected, or the reverse.

    Args:
        texts: strings or (first, second) tuples; all of one kind.
        expected: whether they must be pairs; None allows both.
        hint: last sentence of the message, with a space before it.
    """
    kinds = ("single texts", "pairs of texts")
    are_pairs = bool(len(texts)) and isinstance(texts[0], tuple)
    if expected is not None and expected != are_pairs:
        raise InputError(f"`texts` must be {kinds[expected]} for this model. Received: {kinds[are_pairs]}.{hint}")


def train_validation_indices(count: int, seed: int, fraction: float) -> tuple[np.ndarray, np.ndarray]:
    """Return the indices of the training texts and of the validation texts of `train_validation_rows`.

    >>> [len(part) for part in train_validation_indices(10, seed=1, fraction=0.2)]
    [8, 2]
    """
    order = np.random.default_rng(seed).permutation(count)
    validation_size = max(1, round(fraction * count))
    return order[validation_size:], order[:validation_size]


def shown_text(prediction: dict) -> str:
    """Return the text of a prediction, or both texts of a pair on one line."""
    return " | ".join(prediction["texts"]) if "texts" in prediction else prediction["text"]
