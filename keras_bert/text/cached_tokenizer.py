"""A tokenizer of many texts without TensorFlow: the ids of each word are computed once."""

import functools
import re
from collections.abc import Callable, Iterable

from keras_bert.text.offsets import OffsetTokenizer
from keras_bert.text.splitting import ORIGINAL, Splitting

# White space that separates words. The other control characters that Python counts as white space are removed by BERT.
_split_at_spaces = re.compile(r"[^\S\x0b\x0c\x1c-\x1f\x85]+").split
MAX_WORDS = 2**13  # in the cache
MAX_LENGTH = 32  # characters of a word in the cache; together the two limit its memory to a few MiB


class CachedTokenizer:
    """WordPiece tokenizer that returns ids only.

    The tokens of a text are those of its words, one after the other, and most words are frequent. If the words of a
    text are not known without its normalization, its parts between white space take their place. The ids equal those of
    `BertTextVectorization.tokenize`.

    Args:
        vocabulary: list of tokens in the order of their ids.
        lowercase: lowercase the text and strip accents.
        whole_tokens: tokens of the vocabulary that stay whole where a text contains them; without white space.
        splitting: the settings that differ from those of the original code.
        max_words: number of words in the cache, and of parts.

    Example:

    >>> tokenizer = CachedTokenizer(["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "cafe", "##s", "!"])
    >>> tokenizer("Two Cafés! Cafés!")
    [1, 5, 6, 7, 5, 6, 7]

    Source: `BasicTokenizer` and `WordpieceTokenizer` of github.com/google-research/bert (tokenization.py).
    """

    def __init__(
        self,
        vocabulary: list[str],
        lowercase: bool = True,
        whole_tokens: Iterable[str] = (),
        splitting: Splitting = ORIGINAL,
        max_words: int = MAX_WORDS,
    ):
        tokenizer = OffsetTokenizer(vocabulary, lowercase, whole_tokens, splitting)

        def part_ids(part: str) -> list[int]:
            words = tokenizer.plain_words(part)
            return tokenizer(part)[0] if words is None else [i for word in words for i in tokenizer.word_ids(word)]

        self._plain_words = tokenizer.plain_words
        self._word_ids, self._part_ids = _Cached(tokenizer.word_ids, max_words), _Cached(part_ids, max_words)

    def __call__(self, text: str) -> list[int]:
        """Tokenize one text and return its ids."""
        words = self._plain_words(text)
        return self._part_ids(_split_at_spaces(text)) if words is None else self._word_ids(words)

    def clear_cache(self) -> None:
        """Empty the cache."""
        for each in (self._word_ids, self._part_ids):
            each.cached.cache_clear()

    def cache_size(self) -> int:
        """Return the number of words and parts in the cache."""
        return sum(each.cached.cache_info().currsize for each in (self._word_ids, self._part_ids))


class _Cached:
    """Function of a list of strings that joins the ids of each.

    Args:
        function: the ids of one string.
        max_strings: number of strings in the cache.
    """

    def __init__(self, function: Callable[[str], list[int]], max_strings: int):
        self.function, self.cached = function, functools.lru_cache(max_strings)(function)

    def __call__(self, strings: list[str]) -> list[int]:
        ids = []
        for string in strings:
            ids += self.cached(string) if len(string) <= MAX_LENGTH else self.function(string)
        return ids
