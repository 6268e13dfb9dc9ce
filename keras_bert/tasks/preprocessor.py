"""A vocabulary and how texts are read by it: what every task makes its rows with."""

import dataclasses
import functools

from keras_bert.errors import InputError


@dataclasses.dataclass(frozen=True)
class Preprocessor:
    """How texts become ids.

    Attributes:
        vocabulary: tokens; a token's place is its id.
        lowercase: whether text is lower-cased first.
        sequence_length: the longest row, in tokens.
    """

    vocabulary: tuple[str, ...]
    lowercase: bool
    sequence_length: int

    @classmethod
    def of(cls, trained) -> "Preprocessor":
        """How a model's texts become rows, cut where the encoder has no more positions.

        Args:
            trained: the `Pretrained`.
        """
        length = trained.sequence_length or trained.encoder.config.max_position_embeddings
        return cls(tuple(trained.vocabulary), trained.lowercase, length)

    @functools.cached_property
    def vectorizer(self):
        """The `BertTextVectorization`."""
        from keras_bert.text import BertTextVectorization

        return BertTextVectorization(
            list(self.vocabulary), lowercase=self.lowercase, sequence_length=self.sequence_length
        )


def check_two(count: int, what: str) -> None:
    """InputError if there are not two of what is trained on: one at least is held out, to choose the best epoch by."""
    if count < 2:
        raise InputError(f"at least two {what} to train on are expected: a part is held out. Received: {count}")
