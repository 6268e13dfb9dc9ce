"""The text preprocessing that all tasks use: a vocabulary and its settings."""

import dataclasses
import functools

from keras_bert.data.id_arrays import as_id_arrays
from keras_bert.errors import InputError
from keras_bert.tasks.long_texts import LongTexts, count_truncated
from keras_bert.text.added_tokens import check_added_tokens
from keras_bert.text.cached_tokenizer import CachedTokenizer
from keras_bert.text.offsets import check_normalized_tokens
from keras_bert.text.plain_inputs import pack_lists
from keras_bert.text.splitting import ORIGINAL, Splitting


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
        long_texts: counts of the texts that were longer than a row, for a warning about them.
        splitting: the settings of the tokenizer that differ from those of the original code.
    """

    vocabulary: tuple[str, ...]
    lowercase: bool
    sequence_length: int
    added_tokens: tuple[str, ...] = ()
    splitting: Splitting = ORIGINAL
    long_texts: LongTexts = dataclasses.field(default_factory=LongTexts, compare=False, repr=False)

    @classmethod
    def from_pretrained(cls, pretrained) -> "Preprocessor":
        """Return the preprocessor of a loaded model.

        Its `sequence_length` is that of the model, and at most the number of positions of the encoder.

        Args:
            pretrained: what `kb.load_pretrained` returns.
        """
        positions = pretrained.encoder.config.max_position_embeddings
        length = min(pretrained.sequence_length or positions, positions)
        added_tokens, splitting = tuple(pretrained.added_tokens), pretrained.splitting
        return cls(tuple(pretrained.vocabulary), pretrained.lowercase, length, added_tokens, splitting)

    @classmethod
    def from_vectorizer(cls, vectorizer, encoder) -> "Preprocessor":
        """Return the preprocessor with all settings of a vectorizer.

        A vectorizer without a `sequence_length`, or with one above the number of positions of the encoder, truncates
        texts to that number.

        Args:
            vectorizer: a `BertTextVectorization`.
            encoder: the `BertEncoder`.

        Raises:
            InputError: `vectorizer` is no `BertTextVectorization`, or has another number of tokens than the encoder.
        """
        from keras_bert.models import check_vocabulary_size

        if not hasattr(vectorizer, "get_vocabulary") or not hasattr(vectorizer, "lowercase"):
            raise InputError(
                f"`vectorizer` must be a BertTextVectorization. Received: an object of type {type(vectorizer).__name__}"
            )
        vocabulary = tuple(vectorizer.get_vocabulary())
        check_vocabulary_size(encoder, len(vocabulary))
        length, positions = vectorizer.sequence_length, encoder.config.max_position_embeddings
        if length is None or length > positions:
            config = {**vectorizer.get_config(), "sequence_length": positions}
            length, vectorizer = positions, type(vectorizer).from_config(config)
        added_tokens, splitting = tuple(vectorizer.added_tokens), getattr(vectorizer, "splitting", Splitting())
        preprocessor = cls(vocabulary, vectorizer.lowercase, length, added_tokens, splitting)
        preprocessor.__dict__["vectorizer"] = vectorizer  # the value of the cached property
        return preprocessor

    def __call__(self, texts) -> dict:
        ids, truncated = self._rows(texts)
        what = "pairs of texts" if isinstance(texts, tuple) else "texts"
        self.long_texts.add(truncated, len(ids["input_mask"]), self.sequence_length, what)
        return ids

    def _rows(self, texts) -> tuple[dict, int]:
        """Return the inputs, and the number of texts that were truncated."""
        ids = as_id_arrays(self.vectorizer(texts))
        return ids, count_truncated(texts, ids, self.vectorizer, self.sequence_length)

    @functools.cached_property
    def vectorizer(self):
        """The `BertTextVectorization`. It needs TensorFlow, on every Keras backend."""
        from keras_bert.text import BertTextVectorization

        return BertTextVectorization(
            list(self.vocabulary),
            lowercase=self.lowercase,
            sequence_length=self.sequence_length,
            added_tokens=self.added_tokens,
            **self.splitting.changes(),
        )


class PlainPreprocessor(Preprocessor):
    """A `Preprocessor` in Python and NumPy, for models that run without TensorFlow.

    The ids are the same. T is the length of the longest row.

    Example:

    >>> preprocessor = PlainPreprocessor(("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "a", "film"), True, 128)
    >>> preprocessor(["A film", "film"])["input_word_ids"].tolist()
    [[2, 5, 6, 3], [2, 6, 3, 0]]
    """

    def _rows(self, texts) -> tuple[dict, int]:
        columns = texts if isinstance(texts, tuple) else (texts,)
        segments = [[self.tokenizer(text) for text in column] for column in columns]
        return pack_lists(segments, self.sequence_length, *self._special_ids)

    @functools.cached_property
    def tokenizer(self) -> CachedTokenizer:
        """The tokenizer."""
        check_added_tokens(self.added_tokens)
        check_normalized_tokens(self.splitting, self.lowercase, self.added_tokens)
        missing = sorted(set(self.added_tokens) - set(self.vocabulary))
        if missing:
            raise InputError(f"`added_tokens` must be in `vocabulary`. Received: {missing[0]!r:.60}, which is not")
        return CachedTokenizer(list(self.vocabulary), self.lowercase, self.added_tokens, self.splitting)

    @functools.cached_property
    def _special_ids(self) -> list[int]:
        return [self.vocabulary.index(token) for token in ("[CLS]", "[SEP]", "[PAD]")]
