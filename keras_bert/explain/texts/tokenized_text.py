"""A text as the encoder reads it, with the place of each token and each word in the original text."""

import dataclasses

import numpy as np

from keras_bert.constants import INPUT_KEYS, SPECIAL_TOKENS
from keras_bert.errors import InputError
from keras_bert.text.offsets import OffsetTokenizer, include_marks
from keras_bert.text.splitting import Splitting

Text = str | tuple[str, str]


@dataclasses.dataclass(frozen=True)
class TokenizedText:
    """The T tokens of a text or a pair of texts, `[CLS] text [SEP]` or `[CLS] first [SEP] second [SEP]`.

    Attributes:
        text: the text, or the pair.
        ids: int `[T]`.
        types: int `[T]`: the segment ids.
        tokens: T strings.
        spans: T pairs of start and exclusive end, in characters of the text that the token is part of; (0, 0) for
            [CLS] and [SEP].
        text_numbers: for each token, 0 or 1 for the first or the second text; None for [CLS] and [SEP].
        word_numbers: for each token, the number of its word. [CLS] and [SEP] are words of their own.
    """

    text: Text
    ids: np.ndarray
    types: np.ndarray
    tokens: list[str]
    spans: list[tuple[int, int]]
    text_numbers: list[int | None]
    word_numbers: list[int]

    @property
    def texts(self) -> tuple[str, ...]:
        """The text, or both."""
        return (self.text,) if isinstance(self.text, str) else self.text

    @property
    def is_special(self) -> np.ndarray:
        """bool `[T]`: the [CLS] and the [SEP] that were added to the text."""
        return np.array([number is None for number in self.text_numbers])

    @property
    def words(self) -> list[str]:
        """The W words, as they are written in the text; [CLS] and [SEP] too."""
        found = []
        for (start, end), first in zip(self.word_spans, self._first_tokens, strict=True):
            number = self.text_numbers[first]
            found.append(self.tokens[first] if number is None else self.texts[number][start:end])
        return found

    @property
    def word_spans(self) -> list[tuple[int, int]]:
        """The start and exclusive end of each word."""
        spans = {}
        for word, (start, end) in zip(self.word_numbers, self.spans, strict=True):
            first, last = spans.get(word, (start, end))
            spans[word] = (min(first, start), max(last, end))
        return list(spans.values())

    @property
    def _first_tokens(self) -> list[int]:
        return np.unique(self.word_numbers, return_index=True)[1].tolist()

    def inputs(self, ids: np.ndarray | None = None, types: np.ndarray | None = None) -> dict:
        """Return the inputs of the encoder, int32 `[B, T]`, with other ids and segment ids in place of the text's."""
        ids = self.ids[None] if ids is None else ids
        types = np.broadcast_to(self.types if types is None else types, ids.shape)
        columns = (ids, np.ones_like(ids), types)
        return {name: column.astype("int32") for name, column in zip(INPUT_KEYS, columns, strict=True)}


class Tokenizer:
    """Tokenizer of one text at a time, which needs no TensorFlow.

    Args:
        vocabulary: list of tokens in the order of their ids.
        lowercase: whether text is lowercased and stripped of accents.
        max_length: the largest number of tokens, [CLS] and [SEP] included.
        whole_tokens: tokens that stay whole in a text.
        splitting: the settings that differ from those of the original code.
    """

    def __init__(self, vocabulary, lowercase: bool, max_length: int, whole_tokens=(), splitting=None):
        self.vocabulary, self.max_length, self.lowercase = list(vocabulary), max_length, lowercase
        self.splitting = splitting or Splitting()
        self._tokenize = OffsetTokenizer(self.vocabulary, lowercase, list(whole_tokens), self.splitting)
        self.pad_id, _, self.cls_id, self.sep_id, self.mask_id = map(self.vocabulary.index, SPECIAL_TOKENS)

    def __call__(self, text: Text) -> TokenizedText:
        """Tokenize a text or a pair of texts.

        Raises:
            InputError: a text is no string or has no tokens, or there are more tokens than the model takes.
        """
        texts = (text,) if isinstance(text, str) else text
        if not isinstance(texts, tuple) or len(texts) not in (1, 2) or not all(isinstance(each, str) for each in texts):
            raise InputError(f"`text` must be a string or a tuple of two strings. Received: text={text!r:.80}")
        strips_accents = self.lowercase if self.splitting.strip_accents is None else self.splitting.strip_accents
        ids, spans, numbers, words, types = [self.cls_id], [(0, 0)], [None], [0], [0]
        for number, each in enumerate(texts):
            found, offsets = self._tokenize(each)
            if not found:
                raise InputError(f"`text` must have a token that is no white space. Received: text={text!r:.80}")
            continues = [bool(i) and self.vocabulary[token_id].startswith("##") for i, token_id in enumerate(found)]
            for continuation in [*continues, False]:  # the last one is [SEP]
                words.append(words[-1] + (not continuation))
            ids += [*found, self.sep_id]
            spans += [*include_marks(each, offsets, strips_accents), (0, 0)]
            numbers += [number] * len(found) + [None]
            types += [number] * (len(found) + 1)
        if len(ids) > self.max_length:
            raise InputError(
                f"`text` must have at most {self.max_length} tokens, [CLS] and [SEP] included, which is what the model "
                f"reads. Received: {len(ids)} tokens. Explain a part of the text."
            )
        tokens = [self.vocabulary[token_id] for token_id in ids]
        text = texts[0] if len(texts) == 1 else texts
        return TokenizedText(text, np.array(ids), np.array(types), tokens, spans, numbers, words)
