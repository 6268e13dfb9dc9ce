"""Checks of texts and pairs of texts, and their conversion from lines of a file."""

from collections.abc import Iterable, Iterator

from keras_bert.data.containers import as_texts, is_dataset
from keras_bert.data.datasets import texts_of_dataset
from keras_bert.errors import InputError


def is_pair(text) -> bool:
    """Return whether a value is a pair of texts: a tuple of two strings."""
    return isinstance(text, tuple) and len(text) == 2 and all(isinstance(part, str) for part in text)


def texts_of(texts) -> list | Iterator:
    """Return the texts of a container as a list of strings or (first, second) tuples; an iterator as it is.

    Args:
        texts: one string or (first, second) tuple, a container that `read_examples` accepts, or an iterator.

    Raises:
        InputError: the container is unknown, or has token ids.

    Example:

    >>> texts_of((["a cat", "a dog"], ["an animal", "a tree"]))
    [('a cat', 'an animal'), ('a dog', 'a tree')]
    """
    if isinstance(texts, str) or is_pair(texts):
        return [texts]
    if isinstance(texts, list):  # checked one by one, later
        return texts
    if is_dataset(texts):
        return list(texts_of_dataset(texts))
    if isinstance(texts, Iterable) and not hasattr(texts, "__len__"):
        return texts
    columns = as_texts(texts, "texts")
    return list(zip(*columns, strict=True)) if isinstance(columns, tuple) else columns


def checked_texts(texts: Iterable) -> Iterator:
    """Yield texts or pairs, each one checked.

    Args:
        texts: strings, or tuples of two strings, but not both.

    Raises:
        InputError: a text is not a string or a pair, is empty or is not valid Unicode; single texts and pairs are
            mixed.

    Example:

    >>> list(checked_texts(["a film", " "]))
    Traceback (most recent call last):
    ...
    keras_bert.errors.InputError: `texts` must not be empty. Received: an empty text, number 2
    """
    pairs = None
    for number, text in enumerate(texts, 1):
        if not isinstance(text, str) and not is_pair(text):
            raise InputError(
                f"`texts` must be strings or (first, second) tuples. Received: {type(text).__name__}, number {number}"
            )
        parts = (text,) if isinstance(text, str) else text
        if not all(part.strip() for part in parts):
            raise InputError(f"`texts` must not be empty. Received: an empty text, number {number}")
        try:
            "".join(parts).encode()
        except UnicodeEncodeError:
            raise InputError(f"`texts` must be valid Unicode. Received: a lone surrogate, number {number}") from None
        if pairs is None:
            pairs = len(parts) == 2
        if pairs != (len(parts) == 2):
            raise InputError(
                f"`texts` must be all single texts or all pairs. Received: both, a change of kind at number {number}"
            )
        yield text


def text_of_line(line: str, number: int) -> str | tuple[str, str]:
    """Return the text of a line, or a pair where the line has a tab.

    Args:
        line: one line without its line break.
        number: number of the line, for the error message.

    Raises:
        InputError: the line has more than one tab.

    Example:

    >>> text_of_line("a cat", 1), text_of_line("a cat\\tan animal", 2)
    ('a cat', ('a cat', 'an animal'))
    """
    parts = line.split("\t")
    if len(parts) > 2:
        raise InputError(
            "`texts` must have at most one tab each, between the two texts of a pair. "
            f"Received: {len(parts) - 1} tabs, number {number}"
        )
    return line if len(parts) == 1 else (parts[0], parts[1])
