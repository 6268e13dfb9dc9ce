"""Where in a text its tokens stand: the tokenizer once more, a text at a time, with a finger on every character.

Answers and names are parts of the original text, capitals and accents included, while a model speaks of tokens. The
graph of `BertTextVectorization` need not know where a token came from; here each character carries its place along.
"""

import itertools
import unicodedata

from keras_bert.text.normalization import CJK_BLOCKS
from keras_bert.text.wordpiece import MAX_WORD_CHARS

Placed = list[tuple[str, int]]  # characters, each with the place in the text that it came from


class OffsetTokenizer:
    """Token ids of a text and where each stands in it; the ids are those of `BertTextVectorization.tokenize`.

    Args:
        vocabulary: list of tokens; a token's place is its id.
        lowercase: whether text is lower-cased and stripped of accents.

    Example:

    >>> tokenizer = OffsetTokenizer(["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "cafe", "##s", "!"])
    >>> ids, spans = tokenizer("Two Cafés!")
    >>> ids, [("Two Cafés!"[start:end]) for start, end in spans]
    ([1, 5, 6, 7], ['Two', 'Café', 's', '!'])

    Source: `BasicTokenizer` and `WordpieceTokenizer` of github.com/google-research/bert (tokenization.py).
    """

    def __init__(self, vocabulary: list[str], lowercase: bool = True):
        self.lowercase = lowercase
        self._ids = {token: number for number, token in enumerate(vocabulary)}
        self._unknown = self._ids["[UNK]"]

    def __call__(self, text: str) -> tuple[list[int], list[tuple[int, int]]]:
        """Ids, and for each the first place in the text that it covers and the first behind it."""
        ids, spans = [], []
        for word in split_words(text, self.lowercase):
            for piece, start, end in self._pieces("".join(char for char, _ in word)):
                ids.append(piece)
                spans.append((word[start][1], word[end - 1][1] + 1))
        return ids, spans

    def _pieces(self, word: str) -> list[tuple[int, int, int]]:
        whole = [(self._unknown, 0, len(word))]
        if len(word) > MAX_WORD_CHARS:
            return whole
        found, start = [], 0
        while start < len(word):
            prefix = "##" if start else ""
            ends = range(len(word), start, -1)
            end = next((end for end in ends if prefix + word[start:end] in self._ids), None)
            if end is None:
                return whole
            found.append((self._ids[prefix + word[start:end]], start, end))
            start = end
        return found


def split_words(text: str, lowercase: bool) -> list[Placed]:
    """The words and marks of a text, cleaned, each character with its place."""
    chunks: list[Placed] = [[]]
    for place, char in enumerate(text):
        category = unicodedata.category(char)
        if char in "\t\n\r" or category == "Zs":
            chunks.append([])
        elif char in "\0\ufffd" or category in ("Cc", "Cf"):
            continue
        elif char.isspace():
            chunks.append([])
        elif any(low <= ord(char) <= high for low, high in CJK_BLOCKS):
            chunks += [[(char, place)], []]  # a word of its own
        else:
            chunks[-1].append((char, place))
    words = []
    for chunk in chunks:
        chunk = _folded(chunk) if lowercase else chunk
        for is_mark, pairs in itertools.groupby(chunk, lambda pair: _is_mark(pair[0])):
            run = list(pairs)
            words += [[pair] for pair in run] if is_mark else [run]
    return words


def _folded(word: Placed) -> Placed:
    """Lower-cased, decomposed, without accents."""
    lowered = "".join(char for char, _ in word).lower()  # whole, as Σ at a word's end becomes ς
    places = [place for char, place in word for _ in char.lower()]
    decomposed = [
        (part, place)
        for char, place in zip(lowered, places, strict=True)
        for part in unicodedata.normalize("NFD", char)
    ]
    # Marks that follow each other stand in the order of their classes in NFD.
    ordered, run = [], []
    for pair in decomposed:
        if unicodedata.combining(pair[0]):
            run.append(pair)
            continue
        ordered += sorted(run, key=lambda pair: unicodedata.combining(pair[0]))
        ordered.append(pair)
        run = []
    ordered += sorted(run, key=lambda pair: unicodedata.combining(pair[0]))
    return [pair for pair in ordered if unicodedata.category(pair[0]) != "Mn"]


def _is_mark(char: str) -> bool:
    code = ord(char)
    return 33 <= code <= 126 and not char.isalnum() or unicodedata.category(char).startswith("P")
