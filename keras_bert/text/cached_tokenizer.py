"""A tokenizer of many texts without TensorFlow: the ids of each word are computed once."""

import functools
import re
from collections.abc import Iterable

from keras_bert.text.offsets import OffsetTokenizer
from keras_bert.text.splitting import ORIGINAL, Splitting

# White space that separates words. The other control characters that Python counts as white space are removed by BERT.
_split_words = re.compile(r"[^\S\x0b\x0c\x1c-\x1f\x85]+").split
MAX_WORDS = 2**17  # in the cache
MAX_LENGTH = 64  # characters of a word in the cache; together the two limit its memory


class CachedTokenizer:
    """WordPiece tokenizer that returns ids only.

    The tokens of a text are those of its parts between white space, one after the other, and most of these parts are
    frequent. The ids equal those of `BertTextVectorization.tokenize`.

    Args:
        vocabulary: list of tokens in the order of their ids.
        lowercase: lowercase the text and strip accents.
        whole_tokens: tokens of the vocabulary that stay whole where a text contains them; without white space.
        splitting: the settings that differ from those of the original code.

    Attributes:
        cached_ids: function of a word that returns its ids, with the methods of `functools.lru_cache`.

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
    ):
        tokenizer = OffsetTokenizer(vocabulary, lowercase, whole_tokens, splitting)
        self._ids = tokenizer.ids
        self.cached_ids = functools.lru_cache(MAX_WORDS)(self._ids)

    def __call__(self, text: str) -> list[int]:
        """Tokenize one text and return its ids."""
        ids = []
        for word in _split_words(text):
            ids += self.cached_ids(word) if len(word) <= MAX_LENGTH else self._ids(word)
        return ids
