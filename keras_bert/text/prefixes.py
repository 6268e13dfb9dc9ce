"""The longest token at the start of a string, found with few look-ups.

If the first n characters of a string begin some token, so do the first n - 1. So a binary search over n finds the
longest beginning of a token, with log2(longest token) look-ups instead of one for each length, and a table of all
beginnings has the longest token that each one starts with. The number of look-ups for a text is then linear in its
length, also if the vocabulary has a very long token.
"""

from collections.abc import Mapping

NO_TOKEN = (-1, 0)


def prefix_table(tokens: Mapping[str, int] | Mapping[bytes, int]) -> dict:
    """Map each prefix of the tokens to the longest token that it starts with.

    Args:
        tokens: the ids by token; all tokens are str, or all are bytes.

    Returns:
        A dict of prefix to the token's `(id, length)`, or to `NO_TOKEN`.

    Example:

    >>> prefix_table({"a": 5, "abc": 6})
    {'a': (5, 1), 'ab': (5, 1), 'abc': (6, 3)}
    """
    table: dict = {}
    for token in sorted(tokens):  # a token comes after the tokens that it starts with
        best = NO_TOKEN
        for end in range(1, len(token) + 1):
            prefix = token[:end]
            if prefix not in table:
                table[prefix] = (tokens[token], end) if end == len(token) else best
            best = table[prefix]
    return table


def longest_token(table: Mapping[str, tuple[int, int]], longest: int, word: str, start: int) -> tuple[int, int]:
    """Find the longest token that begins at a position of a word.

    Args:
        table: result of `prefix_table`.
        longest: the largest length of a prefix.
        word: a string.
        start: the position.

    Returns:
        The token's `(id, length)`, or `NO_TOKEN`.

    Example:

    >>> longest_token(prefix_table({"a": 5, "abc": 6}), 3, "xabd", 1)
    (5, 1)
    """
    best, low, high = NO_TOKEN, 0, min(longest, len(word) - start)
    while low < high:
        middle = (low + high + 1) // 2
        found = table.get(word[start : start + middle])
        if found is None:
            high = middle - 1
        else:
            best, low = found, middle
    return best
