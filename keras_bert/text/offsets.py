"""A pure-Python tokenizer that also returns character offsets.

Answers and entities are parts of the original text, with capitals and accents, but a model predicts token positions.
The graph of `BertTextVectorization` does not compute offsets; its method `tokenize_with_offsets` runs this module.
It pairs each character with its position.
"""

import functools
import itertools
import re
import unicodedata
from collections.abc import Iterable, Iterator

from keras_bert.errors import InputError
from keras_bert.text.added_tokens import exact_tokens, whole_token_pattern
from keras_bert.text.normalization import CJK_BLOCKS
from keras_bert.text.prefixes import longest_token, prefix_table
from keras_bert.text.splitting import ASCII_PUNCTUATION, ORIGINAL, PLAIN_TEXT, Splitting

CharOffsets = list[tuple[str, int]]  # characters, each with its position in the text
_is_plain = re.compile(PLAIN_TEXT).fullmatch
_plain_words = re.compile(f"[0-9A-Za-z]+|[{ASCII_PUNCTUATION}]").findall


class OffsetTokenizer:
    """WordPiece tokenizer of one text at a time, with character offsets.

    The ids equal those of `BertTextVectorization.tokenize`.

    Args:
        vocabulary: list of tokens in the order of their ids.
        lowercase: lowercase the text and strip accents.
        whole_tokens: tokens of the vocabulary that stay whole where a text contains them exactly.
        splitting: the settings that differ from those of the original code.

    Example:

    >>> tokenizer = OffsetTokenizer(["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "cafe", "##s", "!"])
    >>> ids, offsets = tokenizer("Two Cafés!")
    >>> ids, [("Two Cafés!"[start:end]) for start, end in offsets]
    ([1, 5, 6, 7], ['Two', 'Café', 's', '!'])

    Source: `BasicTokenizer` and `WordpieceTokenizer` of github.com/google-research/bert (tokenization.py).
    """

    def __init__(
        self,
        vocabulary: list[str],
        lowercase: bool = True,
        whole_tokens: list[str] = (),
        splitting: Splitting = ORIGINAL,
    ):
        self.lowercase, self.splitting = lowercase, splitting
        exact, self._normalized = exact_tokens(whole_tokens, splitting), normalized_forms(splitting, lowercase)
        self._whole = re.compile(f"({whole_token_pattern(exact)})") if exact else None
        self._whole_normalized = re.compile(f"({whole_token_pattern(self._normalized)})") if self._normalized else None
        self._ids = {token: number for number, token in enumerate(vocabulary)}
        self._unknown = self._ids["[UNK]"]
        self._longest = max(map(len, vocabulary))

    # The tables of a large vocabulary take longer to build than many texts to tokenize. A word of one token needs none.

    @functools.cached_property
    def _first(self) -> dict:
        return prefix_table(self._ids)

    @functools.cached_property
    def _continuation(self) -> dict:
        return prefix_table({token[2:]: i for token, i in self._ids.items() if token.startswith("##")})

    def __call__(self, text: str) -> tuple[list[int], list[tuple[int, int]]]:
        """Tokenize one text.

        Args:
            text: a string.

        Returns:
            The token ids, and for each token its `(start, end)` in the text, with an exclusive end.
        """
        ids, offsets = [], []
        for part, begin, is_whole in self._parts(text):
            if is_whole:
                ids.append(self._ids[part])
                offsets.append((begin, begin + len(part)))
                continue
            for word in self._words(part):
                for token_id, start, end in self._word_tokens("".join(char for char, _ in word)):
                    ids.append(token_id)
                    places = [place for _, place in word[start:end]]  # not ascending where NFD reorders marks
                    offsets.append((begin + min(places), begin + max(places) + 1))
        return ids, offsets

    def plain_words(self, text: str) -> list[str] | None:
        """Find the words of most ASCII texts with one regular expression.

        In a text of printable ASCII characters, tabs and line breaks, no character is removed, decomposed (NFD) or
        Chinese, and `str.lower` replaces each character by one other. Each printable character is a space, a letter, a
        digit or, for BERT, punctuation. So the words of the text are its runs of letters and digits, and its single
        punctuation marks. The ids of the text are those of `word_ids` of these words, one after the other.

        Returns:
            The normalized words. None for a text with another character or with a whole token, and for all texts if
            there are normalized tokens.
        """
        if self._normalized or not _is_plain(text) or (self._whole and self._whole.search(text)):
            return None
        return _plain_words(text.lower() if self.lowercase else text)

    def word_ids(self, word: str) -> list[int]:
        """Return the ids of a normalized word."""
        return [token_id for token_id, _, _ in self._word_tokens(word)]

    def _parts(self, text: str) -> Iterator[tuple[str, int, bool]]:
        """Split a text at the whole tokens: each part, its position, and whether it is such a token."""
        position = 0
        for number, part in enumerate(self._whole.split(text) if self._whole else [text]):
            yield part, position, number % 2 == 1
            position += len(part)

    def _words(self, text: str) -> Iterator[CharOffsets]:
        """Yield the words of a text; one of the normalized tokens is a word, too."""
        for chunk in normalized_chunks(text, self.lowercase, self.splitting):
            if self._whole_normalized is None:
                yield from split_at_punctuation(chunk)
                continue
            position = 0
            for number, part in enumerate(self._whole_normalized.split("".join(char for char, _ in chunk))):
                pairs = chunk[position : position + len(part)]
                position += len(part)
                yield from [pairs] if number % 2 else split_at_punctuation(pairs)

    def _word_tokens(self, word: str) -> list[tuple[int, int, int]]:
        """Split a word by the longest match first: `(id, start, end)` per token, in characters of the word."""
        unknown = [(self._unknown, 0, len(word))]
        if word in self._normalized:
            return [(self._ids[self._normalized[word]], 0, len(word))]
        if len(word) > self.splitting.max_word_length:
            return unknown
        if word in self._ids:
            return [(self._ids[word], 0, len(word))]
        tokens, start = [], 0
        while start < len(word):
            table = self._continuation if start else self._first
            token_id, length = longest_token(table, self._longest, word, start)
            if not length:
                return unknown
            tokens.append((token_id, start, start + length))
            start += length
        return tokens


def normalized_chunks(text: str, lowercase: bool, splitting: Splitting = ORIGINAL) -> list[CharOffsets]:
    """Normalize a text and split it at spaces and Chinese characters.

    Args:
        text: a string.
        lowercase: lowercase the text and strip accents.
        splitting: the settings that differ from those of the original code.

    Returns:
        A list of chunks, each a list of pairs of a character and its position in `text`.
    """
    chunks: list[CharOffsets] = [[]]
    for position, char in enumerate(text):
        category = unicodedata.category(char)
        if char in "\t\n\r" or category == "Zs":
            chunks.append([])
        elif char in "\0\ufffd" or category in ("Cc", "Cf"):
            continue
        elif char.isspace():
            chunks.append([])
        elif splitting.split_on_cjk and any(low <= ord(char) <= high for low, high in CJK_BLOCKS):
            chunks += [[(char, position)], []]  # a CJK character is a word
        else:
            chunks[-1].append((char, position))
    if lowercase:
        chunks = map(_lowercase, chunks)
    if splitting.strips_accents(lowercase):
        chunks = map(_strip_accents, chunks)
    return list(chunks)


def split_at_punctuation(chunk: CharOffsets) -> list[CharOffsets]:
    """Split a chunk into words and punctuation marks."""
    words = []
    for is_punctuation, group in itertools.groupby(chunk, lambda pair: _is_punctuation(pair[0])):
        pairs = list(group)
        words += [[pair] for pair in pairs] if is_punctuation else [pairs]
    return words


def _lowercase(chunk: CharOffsets) -> CharOffsets:
    lowered = "".join(char for char, _ in chunk).lower()  # the whole chunk, because Σ at the end of a word becomes ς
    positions = [position for char, position in chunk for _ in char.lower()]
    return list(zip(lowered, positions, strict=True))


def _strip_accents(chunk: CharOffsets) -> CharOffsets:
    """Decompose (NFD) and remove nonspacing marks."""
    decomposed = [(part, position) for char, position in chunk for part in unicodedata.normalize("NFD", char)]
    # NFD sorts consecutive marks by their combining class.
    ordered, marks = [], []
    for pair in decomposed:
        if unicodedata.combining(pair[0]):
            marks.append(pair)
            continue
        ordered += sorted(marks, key=lambda pair: unicodedata.combining(pair[0]))
        ordered.append(pair)
        marks = []
    ordered += sorted(marks, key=lambda pair: unicodedata.combining(pair[0]))
    return [pair for pair in ordered if unicodedata.category(pair[0]) != "Mn"]


def _is_punctuation(char: str) -> bool:
    code = ord(char)
    return 33 <= code <= 126 and not char.isalnum() or unicodedata.category(char).startswith("P")


def normalized_forms(splitting: Splitting, lowercase: bool) -> dict[str, str]:
    """Return the normalized form of each of the normalized tokens, with the token.

    Raises:
        InputError: a token has no normalized form, or one with white space, or two tokens have the same.

    Example:

    >>> normalized_forms(Splitting(normalized_tokens=["[E1]"]), lowercase=True)
    {'[e1]': '[E1]'}
    """
    forms = {}
    for token in splitting.normalized_tokens:
        chunks = ["".join(char for char, _ in chunk) for chunk in normalized_chunks(token, lowercase, splitting)]
        form = " ".join(filter(None, chunks))
        if not form or " " in form or form in forms:
            raise InputError(
                "`normalized_tokens` must have different normalized forms without white space. "
                f"Received: {token!r:.60} with the form {form!r:.60}"
            )
        forms[form] = token
    return forms


def check_normalized_tokens(splitting: Splitting, lowercase: bool, added_tokens: Iterable[str]) -> None:
    """Raise InputError if a normalized token is no added token, or has no normalized form of its own."""
    normalized_forms(splitting, lowercase)
    for token in splitting.normalized_tokens:
        if token not in added_tokens:
            raise InputError(f"`normalized_tokens` must be some of `added_tokens`. Received: {token!r:.60}")
