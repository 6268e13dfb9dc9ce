"""Texts, or pairs of them, to a class, to labels or to a number."""

from keras_bert.data import load_labeled, select
from keras_bert.errors import InputError
from keras_bert.inference import evaluate
from keras_bert.models import BertClassifier
from keras_bert.tasks.preprocessor import Preprocessor, check_two
from keras_bert.tasks.task import Task


class TextTask(Task):
    """A classifier of texts.

    Args:
        dataset: as for `load_labeled`.
        names: of the classes, or None.
        problem_type: `"single_label"`, `"multi_label"` or `"regression"`.

    Raises:
        InputError: as `load_labeled`, one training text alone, or names for a set that has its own.
    """

    def __init__(self, dataset: str, names=None, problem_type: str = "single_label"):
        self.data = load_labeled(dataset, names, problem_type)
        if names and tuple(names) != self.data.label_names:
            raise InputError(
                f"{dataset} has the classes {', '.join(self.data.label_names)}. Received: {', '.join(names)}"
            )
        self.label_names = self.data.label_names
        self.sizes = len(self.data.train_labels), len(self.data.dev_labels)
        check_two(self.sizes[0], f"texts in {self.data.name}")

    @property
    def pairs(self) -> bool:
        """Whether the texts come in pairs."""
        return isinstance(self.data.train_texts, tuple)

    @property
    def texts(self) -> list[str]:
        """All training texts."""
        texts = self.data.train_texts
        return [text for part in texts for text in part] if self.pairs else texts

    def model(self, encoder) -> BertClassifier:
        """The encoder with a classifier; its dropout is the encoder's."""
        classes = max(1, len(self.label_names))
        return BertClassifier(encoder, classes, encoder.config.hidden_dropout, self.data.problem_type)

    def rows(self, reader: Preprocessor, seed: int, held_out: float) -> tuple:
        """Ids and labels to train on, and to choose by."""
        parts = self.data.train_validation_split(seed, held_out)
        return tuple(
            (reader.vectorizer(select(self.data.train_texts, part)), self.data.train_labels[part]) for part in parts
        )

    def measure(self, model, reader: Preprocessor) -> dict:
        """`evaluate` on the dev part."""
        return evaluate(model, reader.vectorizer(self.data.dev_texts), self.data.dev_labels)
