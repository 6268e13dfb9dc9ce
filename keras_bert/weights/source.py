"""Weights that were read from any format: config, canonical tensors, vocabulary and labels."""

import dataclasses
import functools
from collections.abc import Callable

from keras_bert.config import BertConfig
from keras_bert.text.splitting import ORIGINAL, Splitting
from keras_bert.weights.canonical_names import model_weights, to_numpy


@dataclasses.dataclass
class Source:
    """Weights that were read from a format, before a model is built.

    A format sets either `tensors` and `read_config`, or a complete `model`.

    Attributes:
        label: the source's name in messages.
        format: the format's name, such as `"huggingface"`.
        tensors: `"encoder"` and heads of `canonical_names.HEADS`, each a dict of canonical name to array.
        read_config: function that returns the `BertConfig`.
        model: a complete Keras model of this package, for formats that store one; None otherwise.
        has_full_config: whether the source contains the config fields that cannot be inferred from shapes, such as the
            activation.
        vocabulary: list of WordPiece tokens, or None.
        vocabulary_problem: the error message if the source has a tokenizer of another kind; or None.
        lowercase: whether text is converted to lower case before tokenization.
        added_tokens: tokens of the vocabulary that stay whole in a text.
        splitting: the settings of the tokenizer that differ from those of the original code.
        labels: names of the classes in the order of the logits, or None.
        problem_type: of a classifier, as in `BertClassifier`.
        classifier_dropout: dropout rate before the head of a text or token classifier; None for the encoder's rate.
        sequence_length: T, to which texts are truncated or padded; None for the longest row of the batch.
        pairs: of a classifier, whether it was trained on pairs of texts; None if unknown.
        no_answer: of a span labeler, whether its training data had questions without an answer; None if unknown.
        pool: of a sentence model, how it pools the vectors of a text's tokens, as in `kb.embed`; None if unknown.
        normalize: of a sentence model, whether its vectors have the length 1.
        skipped: names of what the source contains and was not read: the state of a training, or a head that this
            package does not have.
    """

    label: str
    format: str
    tensors: dict[str, dict] = dataclasses.field(default_factory=dict)
    read_config: Callable[[], BertConfig] | None = None
    model: object | None = None
    has_full_config: bool = True
    vocabulary: list[str] | None = None
    vocabulary_problem: str | None = None
    lowercase: bool = True
    added_tokens: list[str] = dataclasses.field(default_factory=list)
    splitting: Splitting = ORIGINAL
    labels: list[str] | None = None
    problem_type: str = "single_label"
    classifier_dropout: float | None = None
    sequence_length: int | None = None
    pairs: bool | None = None
    no_answer: bool | None = None
    pool: str | None = None
    normalize: bool = False
    skipped: list[str] = dataclasses.field(default_factory=list)

    @property
    def vectorizer_arguments(self) -> dict:
        """The arguments of the source's `BertTextVectorization`."""
        names = ("vocabulary", "lowercase", "sequence_length", "added_tokens")
        return {**{name: getattr(self, name) for name in names}, **self.splitting.changes()}

    @functools.cached_property
    def config(self) -> BertConfig:
        """The encoder's `BertConfig`."""
        return self.read_config() if self.model is None else getattr(self.model, "encoder", self.model).config

    @functools.cached_property
    def parts(self) -> dict[str, dict]:
        """`tensors`, or the weights of `model` in the same form."""
        return self.tensors if self.model is None else to_numpy(model_weights(self.model))
