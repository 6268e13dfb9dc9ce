"""Added tokens: tokens that stay whole inside a text, such as the entity markers `[E1]` and `[/E1]`."""

import re
from collections.abc import Iterable

from keras_bert.constants import SPECIAL_TOKENS
from keras_bert.errors import InputError
from keras_bert.text.splitting import Splitting

MARK = "\x02"  # BERT removes this control character, so no normalized text contains it


def check_added_tokens(added_tokens: Iterable[str]) -> list[str]:
    """Validate the tokens that a vectorizer keeps whole.

    Args:
        added_tokens: the tokens.

    Returns:
        The tokens as a list.

    Raises:
        InputError: the argument is one string; a token is not a string, is empty, contains white space or a NUL byte,
            starts with `##`, is one of BERT's special tokens or is not valid Unicode; or a token occurs twice.

    Example:

    >>> check_added_tokens(["[E1]", "[/E1]"])
    ['[E1]', '[/E1]']
    """

    def fail(expected: str, received):
        raise InputError(f"`added_tokens` must {expected}. Received: {received!r:.60}")

    if isinstance(added_tokens, str | bytes) or not isinstance(added_tokens, Iterable):
        fail("be a list of strings", added_tokens)
    tokens = list(added_tokens)
    for token in tokens:
        if not isinstance(token, str):
            fail("contain strings", token)
        if token.split() != [token] or "\0" in token:
            fail("contain tokens without white space and NUL bytes", token)
        if token.startswith("##"):
            fail("contain tokens that do not start with ##, the mark of a continued word", token)
        if token in SPECIAL_TOKENS:
            fail("not contain BERT's special tokens, which `special_tokens=True` keeps whole", token)
        if token.encode("utf-8", "replace") != token.encode("utf-8", "surrogatepass"):
            fail("contain valid Unicode", token)
    for token in tokens:
        if tokens.count(token) > 1:
            fail("contain each token once", token)
    return tokens


def whole_token_pattern(tokens: Iterable[str]) -> str:
    """Return a regular expression, for `re` and TensorFlow, that matches the tokens; the longest one at a position.

    Example:

    >>> re.findall(whole_token_pattern(["ab", "abc"]), "abcab")
    ['abc', 'ab']
    """
    return "|".join(re.escape(token) for token in sorted(tokens, key=len, reverse=True))


def exact_tokens(whole_tokens: Iterable[str], splitting: Splitting) -> list[str]:
    """Return the tokens that match the text as it is."""
    return [token for token in whole_tokens if token not in splitting.normalized_tokens]
