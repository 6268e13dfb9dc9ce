"""Places of tokens with the combining marks and joiners after them."""

import unicodedata


def include_marks(text: str, offsets: list[tuple[int, int]], strips_accents: bool) -> list[tuple[int, int]]:
    """Extend the place of each token over the marks after it that belong to its last character but to no token.

    They are the combining marks that the tokenizer strips, joiners, and the characters of emoji tags: without them, a
    part of the text that ends after a token ends within a character. Other tokenizers leave them out of their offsets.

    Args:
        text: the text.
        offsets: what `OffsetTokenizer` returned for it.
        strips_accents: whether the tokenizer strips combining marks.

    Example:

    >>> text = "cafe\u0301 au lait"
    >>> [text[start:end] for start, end in include_marks(text, [(0, 4), (6, 8)], strips_accents=True)]
    ['cafe\u0301', 'au']

    Source: extended grapheme clusters, Unicode Standard Annex 29.
    """
    extended = []
    for start, end in offsets:
        while end < len(text) and _is_mark(text[end], strips_accents):
            end += 1
        extended.append((start, end))
    return extended


def _is_mark(char: str, strips_accents: bool) -> bool:
    is_joiner_or_tag = char in "\u200c\u200d" or 0xE0020 <= ord(char) <= 0xE007F
    return is_joiner_or_tag or (strips_accents and unicodedata.category(char) == "Mn")
