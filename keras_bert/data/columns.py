"""The names of text columns and label columns in published tables."""

from collections.abc import Sequence
from pathlib import Path

from keras_bert.errors import InputError

# Names of the text columns in GLUE's files, in the original datasets and on the Hugging Face Hub. The first entry that
# matches is used.
TEXT_COLUMNS = (
    ("sentence1", "sentence2"),
    ("#1 String", "#2 String"),
    ("question1", "question2"),
    ("question", "sentence"),
    ("premise", "hypothesis"),
    ("question", "context"),
    ("question", "passage"),
    ("text", "text_pair"),
    ("text1", "text2"),
    ("sentence",),
    ("text",),
)
LABEL_COLUMNS = ("label", "gold_label", "score", "Quality", "is_duplicate", "labels")


def find_text_columns(header: Sequence[str], source: str | Path = "") -> list[int] | None:
    """Return the indices of the text columns of a header, one or two, or None.

    Upper and lower case, and quotation marks around a name, make no difference.

    Args:
        header: the names of the columns.
        source: the file, for messages.

    Example:

    >>> find_text_columns(["id", "Sentence1", '"sentence2"', "label"]), find_text_columns(["review"])
    ([1, 2], None)

    Raises:
        InputError: two columns have the name.
    """
    for names in TEXT_COLUMNS:
        found = [find_column(header, name, source) for name in names]
        if None not in found:
            return found
    return None


def find_label_column(header: Sequence[str], source: str | Path = "") -> int | None:
    """Return the index of the label column of a header, or None; see `find_text_columns`."""
    found = (find_column(header, name, source) for name in LABEL_COLUMNS)
    return next((index for index in found if index is not None), None)


def find_column(header: Sequence[str], name: str, source: str | Path = "") -> int | None:
    """Return the index of the column with a name, or None. A column with exactly this name comes first.

    Raises:
        InputError: two columns have the name.
    """
    names = list(map(str, header))
    for form in (str, _simple):
        found = [index for index, each in enumerate(names) if form(each) == form(name)]
        if len(found) > 1:
            raise InputError(f"`{name}` must be the name of one column. Received: {' | '.join(names)[:80]} ({source})")
        if found:
            return found[0]
    return None


def _simple(name: str) -> str:
    """Return a name without quotation marks and spaces around it, in lower case."""
    return name.strip().strip("\"'").strip().casefold()
