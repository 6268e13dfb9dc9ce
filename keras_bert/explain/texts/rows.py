"""The tokens of a text as the model reads them: ids, words and places in the text."""

import dataclasses
from collections.abc import Iterable, Iterator

import numpy as np

from keras_bert.constants import INPUT_KEYS, SPECIAL_TOKENS
from keras_bert.errors import InputError
from keras_bert.models import check_vocabulary_size
from keras_bert.models.encoder_of import encoder_of
from keras_bert.text.offsets import OffsetTokenizer, include_marks


@dataclasses.dataclass(frozen=True)
class Row:
    """One text or pair of texts as tokens.

    Attributes:
        text: the string, or the (first, second) tuple.
        ids: list of T token ids, with [CLS] and [SEP].
        tokens: list of T tokens.
        segments: list of T numbers: 0 for the first text, 1 for the second.
        spans: list of T places `(start, end)` in the characters of the first or the second text; None for [CLS] and
            [SEP].
        words: list of W words as the text has them; [CLS] and [SEP] are words of their own.
        word_ids: list of T numbers: the index in `words` of each token.
        truncated: whether the text was longer than `max_length`.
    """

    text: str | tuple[str, str]
    ids: list[int]
    tokens: list[str]
    segments: list[int]
    spans: list[tuple[int, int] | None]
    words: list[str]
    word_ids: list[int]
    truncated: bool


class RowBuilder:
    """A model and its tokenizer, for functions that explain what the model computes for a text.

    Texts are tokenized as for predictions, but not truncated to the model's `sequence_length`, only limited by its
    positions. For a pretrainer, special tokens in a text such as `[MASK]` stay whole, as in `kb.fill_mask`.

    Args:
        pretrained: what `kb.load_pretrained` returns, or a tuple of a model and its `BertTextVectorization`.

    Attributes:
        model: the model.
        encoder: its `BertEncoder`.
        vocabulary: list of tokens.
        labels: list of class names, or None.

    Raises:
        InputError: `pretrained` is something else, or model and vectorizer have different numbers of tokens.
    """

    def __init__(self, pretrained):
        if isinstance(pretrained, tuple) and len(pretrained) == 2 and hasattr(pretrained[1], "get_vocabulary"):
            self.model, vectorizer = pretrained
            self.vocabulary, whole_tokens = vectorizer.get_vocabulary(), list(vectorizer.whole_tokens)
            lowercase, splitting = vectorizer.lowercase, vectorizer.splitting
            self.labels = getattr(self.model, "labels", None)
        elif hasattr(pretrained, "encoder") and hasattr(pretrained, "vocabulary"):
            self.model, self.vocabulary, self.labels = pretrained.model, pretrained.vocabulary, pretrained.labels
            special = SPECIAL_TOKENS if pretrained.kind == "pretrainer" else ()
            whole_tokens = [*special, *pretrained.added_tokens]
            lowercase, splitting = pretrained.lowercase, pretrained.splitting
        else:
            raise InputError(
                "`pretrained` must be a result of `kb.load_pretrained`, or a tuple of a model and a "
                f"BertTextVectorization. Received: {type(pretrained).__name__}"
            )
        self.encoder = encoder_of(self.model)
        check_vocabulary_size(self.encoder, len(self.vocabulary))
        self.special_ids = {token: self.vocabulary.index(token) for token in SPECIAL_TOKENS}
        self.strips_accents = splitting.strips_accents(lowercase)
        self._tokenizer = OffsetTokenizer(self.vocabulary, lowercase, whole_tokens, splitting)

    def row(self, text, max_length: int | None = None, number: int = 1) -> Row:
        """Tokenize a text or a pair.

        Args:
            text: a string, or a (first, second) tuple.
            max_length: T, to which a longer text is cut. None raises an error for a text longer than the positions.
            number: which of the texts it is, for the error message.

        Raises:
            InputError: the text is no string or pair, has no token, or more tokens than the encoder has positions.
        """
        parts = (text,) if isinstance(text, str) else text
        if not (isinstance(parts, tuple) and len(parts) in (1, 2) and all(isinstance(part, str) for part in parts)):
            raise InputError(
                f"`text` must be a string or a (first, second) tuple. Received: {type(text).__name__}, number {number}"
            )
        found = [self._tokenizer(part) for part in parts]
        if not all(ids for ids, _ in found):
            raise InputError(f"`text` must have at least one token. Received: {text!r:.80}, number {number}")
        positions = self.encoder.config.max_position_embeddings
        length = sum(len(ids) for ids, _ in found) + len(parts) + 1
        if max_length is None and length > positions:
            raise InputError(
                f"`text` must have at most {positions} tokens, the positions of the model. Received: {length} tokens, "
                f"text number {number}. Divide it into shorter texts."
            )
        excess = 0 if max_length is None else length - max_length
        for _ in range(excess):  # from the end of the longer text, as in BERT's packing
            longer = found[0] if len(found[0][0]) > len(found[-1][0]) else found[-1]
            longer[0].pop(), longer[1].pop()
        cls, sep = self.special_ids["[CLS]"], self.special_ids["[SEP]"]
        ids, segments, spans = [cls], [0], [None]
        words, word_ids = ["[CLS]"], [0]
        for segment, (part, (part_ids, offsets)) in enumerate(zip(parts, found, strict=True)):
            starts = []  # of words: the index in `offsets` of the first token
            offsets = include_marks(part, offsets, self.strips_accents)
            for index, token_id in enumerate(part_ids):
                if not (self.vocabulary[token_id].startswith("##") and starts):
                    starts.append(index)
                word_ids.append(len(words) + len(starts) - 1)
            for begin, end in zip(starts, [*starts[1:], len(offsets)], strict=True):
                words.append(part[offsets[begin][0] : offsets[end - 1][1]])
            ids += [*part_ids, sep]
            spans += [*offsets, None]
            segments += [segment] * (len(part_ids) + 1)
            word_ids.append(len(words))
            words.append("[SEP]")
        return Row(text, ids, [self.vocabulary[i] for i in ids], segments, spans, words, word_ids, excess > 0)

    def batches(self, rows: list[Row], numbers_per_row: int) -> Iterator[tuple[list[Row], dict]]:
        """Yield batches of rows in order, each with the inputs of the encoder, int32 `[B, T]`.

        Args:
            rows: list of N rows.
            numbers_per_row: how many numbers the result for one pair of tokens has; it limits the size of a batch.
        """
        start = 0
        while start < len(rows):
            end, width = start, 0
            while end < len(rows):
                width = max(width, len(rows[end].ids))
                if end > start and (end + 1 - start) * width**2 * numbers_per_row > MAX_NUMBERS:
                    break
                end += 1
            yield rows[start:end], self.inputs(rows[start:end])
            start = end

    def inputs(self, rows: list[Row]) -> dict:
        """Return the encoder's inputs of some rows, int32 `[B, T]`, padded to the longest."""
        shape = len(rows), max(len(row.ids) for row in rows)
        ids = np.full(shape, self.special_ids["[PAD]"], np.int32)  # [B, T]
        mask, types = np.zeros(shape, np.int32), np.zeros(shape, np.int32)  # [B, T]
        for number, row in enumerate(rows):
            length = len(row.ids)
            ids[number, :length], mask[number, :length], types[number, :length] = row.ids, 1, row.segments
        return dict(zip(INPUT_KEYS, (ids, mask, types), strict=True))


MAX_NUMBERS = 2**25  # of attention probabilities in memory at a time: 128 MiB


def texts_of(texts) -> tuple[list, bool]:
    """Return texts as a list, and whether it was a single text or pair.

    Raises:
        InputError: there is no text, or it is no container of texts.
    """
    if isinstance(texts, str | tuple):
        return [texts], True
    if not isinstance(texts, Iterable):
        raise InputError(f"`texts` must be a text, a pair or a list of them. Received: {type(texts).__name__}")
    texts = list(texts)
    if not texts:
        raise InputError("`texts` must have at least one text. Received: none")
    return texts, False
