"""Names for the rows of a token table that have no token in the vocabulary.

Many models are published with more rows than tokens, because the number of rows was increased to a multiple of 8 or 64
for speed, or for tokens that were never named. No text contains the names that these rows get here.
"""

import itertools

from keras_bert.errors import InputError

MAX_SPARE_TOKENS = 1_000_000  # twice the largest vocabulary of a BERT; a damaged config file may state any number


def spare_tokens(vocabulary: list[str], rows: int, source: str) -> list[str]:
    """Return a name for each row of a token table that is behind the vocabulary.

    Args:
        vocabulary: the tokens in the order of their ids.
        rows: V, the number of rows of the table.
        source: name of the source in error messages.

    Returns:
        The names, such as `[spare0]`; empty if the vocabulary has a token for each row.

    Raises:
        InputError: there are more tokens than rows, or over a million more rows than tokens.

    Example:

    >>> spare_tokens(["[PAD]", "[UNK]"], 4, "a folder")
    ['[spare0]', '[spare1]']

    Source: `pad_to_multiple_of` of `resize_token_embeddings` in Hugging Face transformers.
    """
    if len(vocabulary) > rows:
        raise InputError(
            "`source` must have a row of its token table for each token of its vocabulary. "
            f"Received: source={source} (vocab_size={rows}, {len(vocabulary)} tokens; the first without a row is "
            f"{vocabulary[rows]!r:.60})"
        )
    if rows - len(vocabulary) > MAX_SPARE_TOKENS:
        raise InputError(
            f"`vocab_size` must be at most {MAX_SPARE_TOKENS:,} above the number of tokens. "
            f"Received: source={source} (vocab_size={rows}, {len(vocabulary)} tokens)"
        )
    known = set(vocabulary)
    names = (name for number in itertools.count() if (name := f"[spare{number}]") not in known)
    return list(itertools.islice(names, rows - len(vocabulary)))
