"""Schemes of tags: how a tag such as `B-PER` gives the place of a word in an entity, and the type of the entity."""

import dataclasses
import re
from collections.abc import Iterable

from keras_bert.errors import InputError

OUTSIDE = "O"
# Tags of tokens that are no words, which the heads of some published models have.
NO_WORDS = frozenset(("X", "[CLS]", "[SEP]", "[PAD]", "PAD"))
NO_TYPE = "_"  # the type of an entity whose tags are only letters; seqeval has the same name
# The letters of BIO, BIOES, BILOU, BMES and BMEWO, and what they mean: begin, inside, end or single.
LETTERS = {"B": "B", "I": "I", "M": "I", "E": "E", "L": "E", "S": "S", "U": "S", "W": "S"}
_PREFIXED = re.compile(rf"([{''.join(LETTERS)}])([^\w\s]|_)(.+)", re.DOTALL)
_SUFFIXED = re.compile(rf"(.+)([^\w\s]|_)([{''.join(LETTERS)}])", re.DOTALL)


@dataclasses.dataclass(frozen=True)
class TagScheme:
    """A scheme of tags.

    Attributes:
        separator: the character between the letter and the type, such as `"-"`.
        is_suffix: whether the letter is at the end, as in `PER-B`.
    """

    separator: str = "-"
    is_suffix: bool = False

    def split(self, tag: str) -> tuple[str, str]:
        """Split a tag into its letter (`O`, `B`, `I`, `E` or `S`) and the type of its entity.

        Raises:
            InputError: the tag does not have this scheme.

        Example:

        >>> TagScheme().split("U-PER"), TagScheme("_", is_suffix=True).split("PER_I"), TagScheme().split("O")
        (('S', 'PER'), ('I', 'PER'), ('O', '_'))
        """
        if tag == OUTSIDE or tag in NO_WORDS:
            return OUTSIDE, NO_TYPE
        if tag in LETTERS:
            return LETTERS[tag], NO_TYPE
        if self.is_suffix:
            entity_type, _, letter = tag.rpartition(self.separator)
        else:
            letter, _, entity_type = tag.partition(self.separator)
        if letter not in LETTERS or not entity_type:
            raise InputError(f"`tags` must all have the scheme of {self}. Received: {tag[:40]!r}")
        return LETTERS[letter], entity_type


def find_scheme(tags: Iterable[str]) -> TagScheme | None:
    """Return the scheme of a set of tags; None for tags without a scheme, such as parts of speech.

    Every tag but `O` must be a letter and a type, with the same separator: `B-PER` and `I-PER` in BIO (IOB1 or IOB2),
    with `E-` and `S-` in BIOES, `L-` and `U-` in BILOU, `M-` in BMES. The letter is before or after the type. Tags that
    are only letters, with `B` or `O` among them, are a scheme too. The tags `X`, `[CLS]`, `[SEP]` and `[PAD]` of a
    model mark no entities.

    Args:
        tags: all tags of a model or a dataset. A single sentence may not have enough of them.

    Example:

    >>> find_scheme(["O", "B_PER", "I_PER"]), find_scheme(["NN", "VBZ", "-LRB-"])
    (TagScheme(separator='_', is_suffix=False), None)

    Source: Ramshaw and Marcus 1995 (arXiv:cmp-lg/9505040) for IOB1; Ratinov and Roth 2009 for BILOU.
    """
    tags = set(tags)
    whole = tags - {OUTSIDE, *NO_WORDS, *LETTERS}
    if not whole:
        return TagScheme() if not tags or tags & {OUTSIDE, "B"} else None
    found = []
    for pattern, is_suffix in ((_PREFIXED, False), (_SUFFIXED, True)):
        matches = [pattern.fullmatch(tag) for tag in whole]
        if all(matches) and len(separators := {match[2] for match in matches}) == 1:
            types = {match[1 if is_suffix else 3] for match in matches}
            found.append((len(types), is_suffix, separators.pop()))
    # `S-B` and `S-I` can be read both ways: a type usually has several letters.
    return TagScheme(min(found)[2], min(found)[1]) if found else None


def without_scheme(tags: Iterable[str]) -> list[str]:
    """Return the tags that keep a set of tags from having a scheme: none if no tag has one, or if the set has one.

    Example:

    >>> without_scheme(["B-PER", "I-PER", "O", "Q"]), without_scheme(["NN", "VBZ"])
    (['Q'], [])
    """
    tags = sorted(set(tags) - {OUTSIDE})
    odd = [tag for tag in tags if find_scheme([tag, OUTSIDE]) is None]
    return (odd or tags) if find_scheme(tags) is None and len(odd) < len(tags) else []
