"""A tokenizer in plain Python, one string at a time: what the TensorFlow one is held against.

Written from the published description of BERT's tokenizer, with `str` and `unicodedata` doing the work.
"""

import itertools
import unicodedata

SPECIALS = ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]")
HAN = "4E00-9FFF 3400-4DBF 20000-2A6DF 2A700-2B73F 2B740-2B81F 2B820-2CEAF F900-FAFF 2F800-2FA1F"
HAN = [tuple(int(end, 16) for end in block.split("-")) for block in HAN.split()]
MARKS = set("!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~")


def words(text: str | bytes, lowercase: bool) -> list[str]:
    """What is left of a text before WordPiece."""
    if isinstance(text, bytes):
        text = text.decode("utf-8", "ignore")
    spaced = []
    for char in text:
        kind = unicodedata.category(char)
        if char in "\t\n\r" or kind == "Zs":
            spaced.append(" ")
        elif char in "\0\ufffd" or kind in ("Cc", "Cf"):
            pass
        elif any(low <= ord(char) <= high for low, high in HAN):
            spaced.append(f" {char} ")
        else:
            spaced.append(char)
    found = []
    for word in "".join(spaced).split():
        if lowercase:
            decomposed = unicodedata.normalize("NFD", word.lower())
            word = "".join(char for char in decomposed if unicodedata.category(char) != "Mn")
        for is_mark, run in itertools.groupby(word, lambda c: c in MARKS or unicodedata.category(c)[0] == "P"):
            run = "".join(run)
            found.extend(run if is_mark else [run])
    return found


def pieces(word: str, vocabulary) -> list[str]:
    """One word by the longest match from its start; [UNK] if a rest does not fit or if it has over 200 characters."""
    if len(word) > 200:
        return ["[UNK]"]
    taken = []
    rest = word
    while rest:
        prefix = "##" if taken else ""
        size = next((n for n in range(len(rest), 0, -1) if prefix + rest[:n] in vocabulary), 0)
        if not size:
            return ["[UNK]"]
        taken.append(prefix + rest[:size])
        rest = rest[size:]
    return taken


def tokenize(text: str | bytes, vocabulary, lowercase: bool = True) -> list[str]:
    """The tokens of a text; `vocabulary` is anything that knows `in`."""
    return [piece for word in words(text, lowercase) for piece in pieces(word, vocabulary)]


def truncate(first: list, second: list, room: int) -> None:
    """Shorten a pair in place: the longer one loses its last token, the second where both are equal."""
    while len(first) + len(second) > room:
        (first if len(first) > len(second) else second).pop()
