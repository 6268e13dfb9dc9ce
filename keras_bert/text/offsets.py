"""A pure-Python tokenizer that also returns character offsets.

Answers and entities are parts of the original text, with capitals and accents, but a model predicts token positions.
The graph of `BertTextVectorization` does not compute offsets; its method `tokenize_with_offsets` runs this module.
It pairs each character with its position.
"""

import itertools
import re
import unicodedata
from collections.abc import Iterator

from keras_bert.text.added_tokens import whole_token_pattern
from keras_bert.text.normalization import CJK_BLOCKS
from keras_bert.text.prefixes import longest_token, prefix_table
from keras_bert.text.wordpiece import MAX_WORD_CHARS

CharOffsets = list[tuple[str, int]]  # characters, each with its position in the text


class OffsetTokenizer:
    """WordPiece tokenizer of one text at a time, with character offsets.

    The ids equal those of `BertTextVectorization.tokenize`.

    Args:
        vocabulary: list of tokens in the order of their ids.
        lowercase: lowercase the text and strip accents.
        whole_tokens: tokens of the vocabulary that stay whole where a text contains them exactly.

    Example:

    >>> tokenizer = OffsetTokenizer(["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "cafe", "##s", "!"])
    >>> ids, offsets = tokenizer("Two Cafés!")
    >>> ids, [("Two Cafés!"[start:end]) for start, end in offsets]
    ([1, 5, 6, 7], ['Two', 'Café', 's', '!'])

    Source: `BasicTokenizer` and `WordpieceTokenizer` of github.com/google-research/bert (tokenization.py).
    """

    def __init__(self, vocabulary: list[str], lowercase: bool = True, whole_tokens: list[str] = ()):
        self.lowercase = lowercase
        self._whole = re.compile(f"({whole_token_pattern(whole_tokens)})") if whole_tokens else None
        self._ids = {token: number for number, token in enumerate(vocabulary)}
        self._unknown = self._ids["[UNK]"]
        self._first = prefix_table(self._ids)
        self._continuation = prefix_table({token[2:]: i for token, i in self._ids.items() if token.startswith("##")})
        self._longest = max(map(len, vocabulary))

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
            for word in split_words(part, self.lowercase):
                for token_id, start, end in self._word_tokens("".join(char for char, _ in word)):
                    ids.append(token_id)
                    offsets.append((begin + word[start][1], begin + word[end - 1][1] + 1))
        return ids, offsets

    def _parts(self, text: str) -> Iterator[tuple[str, int, bool]]:
        """Split a text at the whole tokens: each part, its position, and whether it is such a token."""
        position = 0
        for number, part in enumerate(self._whole.split(text) if self._whole else [text]):
            yield part, position, number % 2 == 1
            position += len(part)

    def _word_tokens(self, word: str) -> list[tuple[int, int, int]]:
        """Split a word by the longest match first: `(id, start, end)` per token, in characters of the word."""
        unknown = [(self._unknown, 0, len(word))]
        if len(word) > MAX_WORD_CHARS:
            return unknown
        tokens, start = [], 0
        while start < len(word):
            table = self._continuation if start else self._first
            token_id, length = longest_token(table, self._longest, word, start)
            if not length:
                return unknown
            tokens.append((token_id, start, start + length))
            start += length
        return tokens


def split_words(text: str, lowercase: bool) -> list[CharOffsets]:
    """Normalize a text and split it into words and punctuation marks.

    Args:
        text: a string.
        lowercase: lowercase the text and strip accents.

    Returns:
        A list of words, each a list of pairs of a character and its position in `text`.
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
        elif any(low <= ord(char) <= high for low, high in CJK_BLOCKS):
            chunks += [[(char, position)], []]  # a CJK character is a word
        else:
            chunks[-1].append((char, position))
    words = []
    for chunk in chunks:
        chunk = _lowercase(chunk) if lowercase else chunk
        for is_punctuation, group in itertools.groupby(chunk, lambda pair: _is_punctuation(pair[0])):
            pairs = list(group)
            words += [[pair] for pair in pairs] if is_punctuation else [pairs]
    return words


def _lowercase(chunk: CharOffsets) -> CharOffsets:
    """Lowercase, decompose (NFD) and strip accents."""
    lowered = "".join(char for char, _ in chunk).lower()  # the whole chunk, because Σ at the end of a word becomes ς
    positions = [position for char, position in chunk for _ in char.lower()]
    decomposed = [
        (part, position)
        for char, position in zip(lowered, positions, strict=True)
        for part in unicodedata.normalize("NFD", char)
    ]
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
