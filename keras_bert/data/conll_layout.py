"""The layouts of CoNLL column files: which columns they have, and what separates them."""

import collections
import dataclasses
import re
from collections.abc import Sequence
from pathlib import Path

from keras_bert.errors import InputError

CONLL_U = ("id", "form", "lemma", "upos", "xpos", "feats", "head", "deprel", "deps", "misc")
# By the number of columns: CoNLL-2000 and CoNLL-2003.
NAMES = {2: ("word", "tag"), 3: ("word", "pos", "chunk"), 4: ("word", "pos", "chunk", "ner")}
GLOBAL_COLUMNS = re.compile(r"#\s*global\.columns\s*=\s*(.+)", re.IGNORECASE)  # CoNLL-U Plus
TOKEN_ID = re.compile(r"\d+([-.]\d+)?")


@dataclasses.dataclass(frozen=True)
class Layout:
    """The columns of a file.

    Attributes:
        count: number of columns.
        word, tag: indices of the columns of the word and of its tag.
        is_conll_u: whether it is CoNLL-U: columns separated by tabs, the first one an id.
    """

    count: int
    word: int
    tag: int
    is_conll_u: bool

    def cells(self, line: str) -> list[str]:
        """Split a line into cells. The words of CoNLL-U may contain spaces."""
        return line.split("\t") if self.is_conll_u else split_columns(line)

    def is_comment(self, line: str, begins_sentence: bool) -> bool:
        """Return whether a line is a comment and not the word `#`."""
        if not begins_sentence or not line.startswith("#"):
            return False
        # MultiCoNER begins each sentence with a line `# id …`, which may have as many columns as its words.
        return self.is_conll_u or line.startswith("# id ") or len(self.cells(line)) != self.count

    def is_word(self, cells: list[str]) -> bool:
        """Return whether a line is a word, not a range of words or an empty node."""
        return not self.is_conll_u or cells[0].isdecimal()


def find_layout(path: str | Path, lines: Sequence[str], tag_column: str | int | None) -> Layout:
    """Find the layout of a file.

    Args:
        path: the file, for messages.
        lines: its lines.
        tag_column: see `load_conll`.

    Raises:
        InputError: there are no two columns, or there is no such column.
    """
    for line in lines:
        if match := GLOBAL_COLUMNS.match(line):
            names = tuple(name.rpartition(":")[2].lower() for name in match[1].split())
            return _named(path, names, tag_column)
    rows = [line for line in lines if line.strip() and not line.startswith("-DOCSTART-")]
    rows = [line for line in rows if not line.startswith("#")] or rows or [""]
    cells = rows[0].split("\t")
    if len(cells) == len(CONLL_U) and TOKEN_ID.fullmatch(cells[0]):
        return _named(path, CONLL_U, tag_column)
    count = collections.Counter(len(split_columns(line)) for line in rows[:1000]).most_common(1)[0][0]
    if count < 2 and rows[0]:
        number = lines.index(rows[0]) + 1
        raise InputError(
            f"`path` must have a word and a tag per line. Received: path={path}, columns={count} in line {number}"
        )
    names = NAMES.get(count, ("word", *map(str, range(2, count + 1))))
    return Layout(count, 0, _index(path, names, tag_column, count - 1), is_conll_u=False)


def split_columns(line: str) -> list[str]:
    """Split a line at spaces and tabs only: `str.split()` also splits at a no-break space."""
    return re.split("[ \t]+", line.strip(" \t"))


def _named(path, names: tuple[str, ...], tag_column) -> Layout:
    """Return the layout of CoNLL-U, or of CoNLL-U Plus with its own columns."""
    if "form" not in names or "id" != names[0]:
        raise InputError(f"`path` must have the columns ID and FORM. Received: path={path}, {' '.join(names)[:80]}")
    default = names.index("upos") if "upos" in names else len(names) - 1
    return Layout(len(names), names.index("form"), _index(path, names, tag_column, default), is_conll_u=True)


def _index(path, names: tuple[str, ...], tag_column: str | int | None, default: int) -> int:
    """Return the index of the column of the tags."""
    if tag_column is None:
        return default
    column = str(tag_column).lower()
    if column in names:
        return names.index(column)
    if column.isdecimal() and 1 <= int(column) <= len(names):
        return int(column) - 1
    raise InputError(
        f"`tag_column` must be one of {', '.join(names)}, or a number in 1 … {len(names)}. "
        f"Received: tag_column={tag_column!r} ({path})"
    )
