"""Reader of CoNLL column files, which contain one word and its tag per line."""

import dataclasses
import re
from pathlib import Path

from keras_bert.data.files import read_lines
from keras_bert.errors import InputError


@dataclasses.dataclass(frozen=True)
class TaggedSentence:
    """A sentence with one tag per word.

    Attributes:
        words, tags: tuples of strings of the same length.
    """

    words: tuple[str, ...]
    tags: tuple[str, ...]


def load_conll(path: str | Path) -> list[TaggedSentence]:
    """Read a column file: one word per line, columns separated by spaces or tabs, a blank line after each sentence.

    The first column is the word, the last column is its tag. Lines that start with -DOCSTART- separate documents and
    are skipped.

    Args:
        path: the file, plain or compressed (`.gz`, `.xz`).

    Returns:
        A list of `TaggedSentence`.

    Raises:
        InputError: the file cannot be read (see `read_lines`), a line does not have the number of columns of the
            first line, or there is no sentence.

    Example:

    >>> import tempfile
    >>> path = Path(tempfile.mkdtemp()) / "dev.txt"
    >>> _ = path.write_bytes(b"U.N. NNP B-ORG\\nofficial NN O\\n\\nEkeus NNP B-PER\\n")
    >>> [sentence.tags for sentence in load_conll(path)]
    [('B-ORG', 'O'), ('B-PER',)]

    Source: Tjong Kim Sang and De Meulder 2003 (CoNLL-2003), section 3.
    """
    sentences, words, tags, columns = [], [], [], None
    for number, line in read_lines(path):
        cells = re.split("[ \t]+", line.strip(" \t"))  # `str.split()` also splits at a no-break space
        if not cells[0] or cells[0] == "-DOCSTART-":
            if words:
                sentences.append(TaggedSentence(tuple(words), tuple(tags)))
            words, tags = [], []
            continue
        columns = columns or len(cells)
        if len(cells) != columns or columns < 2:
            expected = (
                f"{columns} columns in every line, as in the first" if columns > 1 else "a word and a tag per line"
            )
            raise InputError(
                f"`path` must have {expected}. Received: path={path}, columns={len(cells)} in line {number}"
            )
        words.append(cells[0])
        tags.append(cells[-1])
    if words:
        sentences.append(TaggedSentence(tuple(words), tuple(tags)))
    if not sentences:
        raise InputError(f"`path` must contain at least one sentence. Received: path={path} (0 sentences)")
    return sentences
