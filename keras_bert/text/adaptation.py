"""Learning a vocabulary with `adapt`: its size, and the texts of the data that Keras's `adapt` accepts."""

import itertools
import re
from collections.abc import Iterable, Iterator, Mapping

import numpy as np

from keras_bert.constants import SPECIAL_TOKENS
from keras_bert.errors import InputError
from keras_bert.text.added_tokens import whole_token_pattern
from keras_bert.text.strings import string_tensor

DEFAULT_MAX_TOKENS = 30_522  # the size of the vocabulary of bert_en_uncased


def check_max_tokens(max_tokens: int | None, num_added: int) -> int | None:
    """Return `max_tokens`; raise InputError if it is below the number of special and added tokens plus 2."""
    smallest = len(SPECIAL_TOKENS) + 2 + num_added
    if max_tokens is None:
        return None
    if isinstance(max_tokens, bool) or not isinstance(max_tokens, int | np.integer) or max_tokens < smallest:
        raise InputError(
            f"`max_tokens` must be None or an integer of at least {smallest}. Received: max_tokens={max_tokens!r:.60}"
        )
    return int(max_tokens)


def iterate_texts(data, steps: int | None = None, whole_tokens: list[str] = ()) -> Iterator[str | bytes]:
    """Yield the single texts of data.

    Args:
        data: a list, a tuple, an array or a tensor of strings, or an iterable of strings or of batches of strings, such
            as a `tf.data.Dataset`.
        steps: the number of elements to take from an iterable. None takes all.
        whole_tokens: tokens to leave out of the texts, because they are in the vocabulary already.

    Raises:
        InputError: `data` is one string or not iterable, or contains something else than strings.

    Example:

    >>> list(iterate_texts([["a film"], ["[E1] films"]], whole_tokens=["[E1]"]))
    ['a film', '  films']
    """
    import tensorflow as tf

    is_table = isinstance(data, Mapping) or hasattr(data, "columns")  # iterating over it gives the names of columns
    if isinstance(data, str | bytes) or is_table or not isinstance(data, Iterable):
        raise InputError(
            "`data` must be a list, an array or a tensor of strings, a tf.data.Dataset or an iterable of batches. "
            f"Received: data of type {type(data).__name__}"
        )
    if isinstance(data, np.ndarray) or tf.is_tensor(data):
        data = [string_tensor(data)]
    pattern = re.compile(whole_token_pattern(whole_tokens)) if whole_tokens else None
    for element in itertools.islice(data, steps):
        if isinstance(element, tuple):
            raise InputError(
                "`data` must contain texts only. Received: a tuple of "
                f"{len(element)} elements. Use `data.map(lambda text, label: text)` of a tf.data.Dataset."
            )
        texts = [element] if isinstance(element, str) else tf.reshape(string_tensor(element), [-1]).numpy()
        for text in texts:
            text = text if isinstance(text, str) else text.decode("utf-8", "ignore")
            yield pattern.sub(" ", text) if pattern else text
