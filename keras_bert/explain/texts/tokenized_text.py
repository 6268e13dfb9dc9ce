"""A text as the encoder reads it, with the place of each token and each word in the original text."""

import dataclasses

import numpy as np

from keras_bert.constants import INPUT_KEYS, SPECIAL_TOKENS
from keras_bert.errors import InputError
from keras_bert.text.marks import include_marks
from keras_bert.text.offsets import OffsetTokenizer
from keras_bert.text.splitting import ORIGINAL, Splitting

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
        truncated: whether the text had more tokens.
    """

    text: Text
    ids: np.ndarray
    types: np.ndarray
    tokens: list[str]
    spans: list[tuple[int, int]]
    text_numbers: list[int | None]
    word_numbers: list[int]
    truncated: bool = False

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
        for (start, end), (first, *_) in zip(self.word_spans, self.word_tokens, strict=True):
            number = self.text_numbers[first]
            found.append(self.tokens[first] if number is None else self.texts[number][start:end])
        return found

    @property
    def word_spans(self) -> list[tuple[int, int]]:
        """The start and exclusive end of each word; (0, 0) for [CLS] and [SEP]."""
        places = ([self.spans[token] for token in tokens] for tokens in self.word_tokens)
        return [(min(start for start, _ in each), max(end for _, end in each)) for each in places]

    @property
    def word_tokens(self) -> list[list[int]]:
        """For each word, [CLS] and [SEP] too, the numbers of its tokens."""
        found = {}
        for token, word in enumerate(self.word_numbers):
            found.setdefault(word, []).append(token)
        return list(found.values())

    def inputs(self, ids: np.ndarray | None = None, types: np.ndarray | None = None) -> dict:
        """Return the inputs of the encoder, int32 `[B, T]`, with other ids and segment ids in place of the text's."""
        ids = self.ids[None] if ids is None else ids
        types = np.broadcast_to(self.types if types is None else types, ids.shape)
        columns = (ids, np.ones_like(ids), types)
        return {name: column.astype("int32") for name, column in zip(INPUT_KEYS, columns, strict=True)}


def padded_inputs(texts: list[TokenizedText], pad_id: int, width: int | None = None) -> dict:
    """Return the inputs of the encoder for several texts, int32 `[N, T]`; T is `width`, or the longest text."""
    width = width or max(len(text.ids) for text in texts)
    ids = np.full((len(texts), width), pad_id, np.int32)  # [N, T]
    mask, types = np.zeros_like(ids), np.zeros_like(ids)
    for row, text in enumerate(texts):
        length = len(text.ids)
        ids[row, :length], mask[row, :length], types[row, :length] = text.ids, 1, text.types
    return dict(zip(INPUT_KEYS, (ids, mask, types), strict=True))


class Tokenizer:
    """Tokenizer of one text at a time, which needs no TensorFlow. The ids equal those of `BertTextVectorization`.

    Args:
        vocabulary: list of tokens in the order of their ids.
        lowercase: whether text is lowercased and stripped of accents.
        max_length: the largest number of tokens, [CLS] and [SEP] included.
        whole_tokens: tokens that stay whole in a text.
        splitting: the settings that differ from those of the original code.
    """

    def __init__(self, vocabulary, lowercase: bool, max_length: int, whole_tokens=(), splitting: Splitting = ORIGINAL):
        self.vocabulary, self.max_length = list(vocabulary), max_length
        self._strips_accents = splitting.strips_accents(lowercase)
        self._tokenize = OffsetTokenizer(self.vocabulary, lowercase, list(whole_tokens), splitting)
        self.pad_id, _, self.cls_id, self.sep_id, self.mask_id = map(self.vocabulary.index, SPECIAL_TOKENS)

    def __call__(
        self, text: Text, name: str = "text", max_length: int | None = None, truncate: bool = False
    ) -> TokenizedText:
        """Tokenize a text or a pair of texts.

        Args:
            text: a string, or a (first, second) tuple.
            name: the argument's name, for messages.
            max_length: the largest number of tokens, in place of the tokenizer's.
            truncate: cut a longer text, in place of an error. Tokens are removed from the end of the longer text of a
                pair, as in BERT's packing.

        Raises:
            InputError: a text is no string or has no tokens, or there are more tokens than `max_length`.
        """
        texts = (text,) if isinstance(text, str) else text
        if not isinstance(texts, tuple) or len(texts) not in (1, 2) or not all(isinstance(each, str) for each in texts):
            raise InputError(f"`{name}` must be a string or a (first, second) tuple. Received: {name}={text!r:.80}")
        found = [self._tokenize(each) for each in texts]
        if not all(ids for ids, _ in found):
            raise InputError(f"`{name}` must have at least one token. Received: {text!r:.80}")
        limit = self.max_length if max_length is None else max_length
        excess = sum(len(ids) for ids, _ in found) + len(texts) + 1 - limit
        if excess > 0 and not truncate:
            raise InputError(
                f"`{name}` must have at most {limit} tokens, [CLS] and [SEP] included. "
                f"Received: {limit + excess} tokens in {text!r:.40}. Shorten or divide the text."
            )
        for _ in range(excess):
            longer = found[0] if len(found[0][0]) > len(found[-1][0]) else found[-1]
            longer[0].pop(), longer[1].pop()
        ids, types, spans, numbers, words = [self.cls_id], [0], [(0, 0)], [None], [0]
        for number, (each, (part, offsets)) in enumerate(zip(texts, found, strict=True)):
            for index, token_id in enumerate(part):
                words.append(words[-1] + (index == 0 or not self._continues(token_id)))
            words.append(words[-1] + 1)  # [SEP]
            ids += [*part, self.sep_id]
            types += [number] * (len(part) + 1)
            spans += [*include_marks(each, offsets, self._strips_accents), (0, 0)]
            numbers += [number] * len(part) + [None]
        tokens = [self.vocabulary[token_id] for token_id in ids]
        text = texts[0] if len(texts) == 1 else texts
        return TokenizedText(text, np.array(ids), np.array(types), tokens, spans, numbers, words, excess > 0)

    def split(self, text: str) -> tuple[list[int], list[tuple[int, int]]]:
        """Return the ids of the tokens of a text, without [CLS] and [SEP], and their places as `OffsetTokenizer`."""
        return self._tokenize(text)

    def _continues(self, token_id: int) -> bool:
        token = self.vocabulary[token_id]
        return token.startswith("##") and len(token) > 2


def as_list(texts) -> tuple[list, bool]:
    """Return texts as a list, and whether it was a single text or pair.

    Raises:
        InputError: there is no text, or it is no container of texts.
    """
    if isinstance(texts, str | tuple):
        return [texts], True
    if not hasattr(texts, "__iter__"):
        raise InputError(f"`texts` must be a text, a pair or a list of them. Received: {type(texts).__name__}")
    texts = list(texts)
    if not texts:
        raise InputError("`texts` must have at least one text. Received: none")
    return texts, False
