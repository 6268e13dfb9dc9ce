"""A reference tokenizer in plain Python, one string at a time, and characters that are difficult for tokenizers.

It follows the published description of BERT's tokenizer and uses only `str` and `unicodedata`.
"""

import itertools
import unicodedata

# NUL, vertical tab, NEL, soft hyphen, Turkish İ and ı, Σ, Ogham space, line separators, BOM, U+FFFD, marks that NFD
# reorders and keeps, Hangul, Kelvin, Greek question mark, ligatures, tags.
DIFFICULT = [
    *map(chr, (0, 0xB, 0xC, 0x1C, 0x1F, 0x7F, 0x85, 0xA0, 0xAD, 0x130, 0x131, 0x1680, 0x200B, 0x200D, 0x2028, 0x2029)),
    *map(chr, (0x202F, 0xFEFF, 0xFFFD, 0x302E, 0x302F, 0x1D165, 0x1D16D, 0x1B44, 0x1BF2, 0x301, 0x327, 0x345, 0xAC00)),
    *map(chr, (0x212A, 0x37E, 0x1FEF, 0x2160, 0xFB01, 0xE0001, 0x2F800, 0xF900, 0xB7, 0x4E2D, 0x2B73A, 0x10FFFF)),
    *"ΣΣΣσςAΑ'.:\t\n\r  ",
]
CJK = "4E00-9FFF 3400-4DBF 20000-2A6DF 2A700-2B73F 2B740-2B81F 2B820-2CEAF F900-FAFF 2F800-2FA1F"
CJK = [tuple(int(end, 16) for end in block.split("-")) for block in CJK.split()]
PUNCTUATION = set("!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~")


def is_punctuation(char: str) -> bool:
    """Return whether a character is punctuation for BERT."""
    return char in PUNCTUATION or unicodedata.category(char)[0] == "P"


def words(text: str | bytes, lowercase: bool) -> list[str]:
    """Normalize a text and split it into words, before WordPiece."""
    if isinstance(text, bytes):
        text = text.decode("utf-8", "ignore")
    spaced = []
    for char in text:
        kind = unicodedata.category(char)
        if char in "\t\n\r" or kind == "Zs":
            spaced.append(" ")
        elif char in "\0\ufffd" or kind in ("Cc", "Cf"):
            pass
        elif any(low <= ord(char) <= high for low, high in CJK):
            spaced.append(f" {char} ")
        else:
            spaced.append(char)
    found = []
    for word in "".join(spaced).split():
        if lowercase:
            decomposed = unicodedata.normalize("NFD", word.lower())
            word = "".join(char for char in decomposed if unicodedata.category(char) != "Mn")
        for is_punctuation, run in itertools.groupby(
            word, lambda c: c in PUNCTUATION or unicodedata.category(c)[0] == "P"
        ):
            run = "".join(run)
            found.extend(run if is_punctuation else [run])
    return found


def word_tokens(word: str, vocabulary) -> list[str]:
    """Split a word by the longest match first; [UNK] if it does not match or has over 200 characters."""
    if len(word) > 200:
        return ["[UNK]"]
    tokens = []
    remainder = word
    while remainder:
        prefix = "##" if tokens else ""
        size = next((n for n in range(len(remainder), 0, -1) if prefix + remainder[:n] in vocabulary), 0)
        if not size:
            return ["[UNK]"]
        tokens.append(prefix + remainder[:size])
        remainder = remainder[size:]
    return tokens


def tokenize(text: str | bytes, vocabulary, lowercase: bool = True) -> list[str]:
    """Tokenize a text; `vocabulary` is any container of tokens."""
    return [token for word in words(text, lowercase) for token in word_tokens(word, vocabulary)]


def truncate(first: list, second: list, room: int) -> None:
    """Shorten a pair in place: the longer one loses its last token, or the second if both are equally long."""
    while len(first) + len(second) > room:
        (first if len(first) > len(second) else second).pop()
