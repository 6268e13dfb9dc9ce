"""Texts, or pairs of them, to a class, to labels or to a number."""

from keras_bert.data import load_labelled, select
from keras_bert.models import BertClassifier
from keras_bert.tasks.reader import Reader
from keras_bert.training import evaluate


class TextTask:
    """A classifier of texts.

    Args:
        dataset: as for `load_labelled`.
        names: of the classes, or None.
        problem: `"single_label"`, `"multi_label"` or `"regression"`.

    Raises:
        InputError: as `load_labelled`.
    """

    def __init__(self, dataset: str, names=None, problem: str = "single_label"):
        self.data = load_labelled(dataset, names, problem)
        self.label_names = self.data.label_names
        self.sizes = len(self.data.train_labels), len(self.data.dev_labels)

    @property
    def texts(self) -> list[str]:
        """All training texts."""
        texts = self.data.train_texts
        return texts if isinstance(texts, list) else [text for part in texts for text in part]

    def model(self, encoder) -> BertClassifier:
        """The encoder with a classifier; its dropout is the encoder's."""
        classes = max(1, len(self.label_names))
        return BertClassifier(encoder, classes, encoder.config.hidden_dropout, self.data.problem)

    def rows(self, reader: Reader, seed: int, held_out: float) -> tuple:
        """Ids and labels to train on, and to choose by."""
        parts = self.data.hold_out(seed, held_out)
        return tuple(
            (reader.vectorizer(select(self.data.train_texts, part)), self.data.train_labels[part]) for part in parts
        )

    def measure(self, model, reader: Reader) -> dict:
        """`evaluate` on the dev part."""
        return evaluate(model, reader.vectorizer(self.data.dev_texts), self.data.dev_labels)
