"""The text preprocessing that all tasks use: a vocabulary and its settings."""

import dataclasses
import functools

from keras_bert.data.id_arrays import as_id_arrays


@dataclasses.dataclass(frozen=True)
class Preprocessor:
    """Text preprocessing of a model: texts to padded token ids.

    Call it with N strings, or a tuple of two lists of N strings for pairs. It returns the dict of the encoder's inputs,
    numpy int32 `[N, T]`.

    Attributes:
        vocabulary: the tokens; the index of a token is its id.
        lowercase: whether text is lowercased and stripped of accents.
        sequence_length: the maximum length of a row, in tokens.
        added_tokens: tokens of the vocabulary that stay whole in a text.
    """

    vocabulary: tuple[str, ...]
    lowercase: bool
    sequence_length: int
    added_tokens: tuple[str, ...] = ()

    @classmethod
    def from_pretrained(cls, pretrained) -> "Preprocessor":
        """Return the preprocessor of a loaded model.

        Its `sequence_length` is that of the model or, if there is none, the number of positions of the encoder.

        Args:
            pretrained: what `kb.load_pretrained` returns.
        """
        length = pretrained.sequence_length or pretrained.encoder.config.max_position_embeddings
        return cls(tuple(pretrained.vocabulary), pretrained.lowercase, length, tuple(pretrained.added_tokens))

    def __call__(self, texts) -> dict:
        return as_id_arrays(self.vectorizer(texts))

    @functools.cached_property
    def vectorizer(self):
        """The `BertTextVectorization`. It needs TensorFlow, on every Keras backend."""
        from keras_bert.text import BertTextVectorization

        return BertTextVectorization(
            list(self.vocabulary),
            lowercase=self.lowercase,
            sequence_length=self.sequence_length,
            added_tokens=self.added_tokens,
        )
