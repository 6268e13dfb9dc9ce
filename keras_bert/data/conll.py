"""Reader of files with columns of words and tags, as in the CoNLL shared tasks."""

import dataclasses
import re
from pathlib import Path

from keras_bert.data.files import read_lines
from keras_bert.errors import InputError


@dataclasses.dataclass(frozen=True)
class TaggedSentence:
    """A sentence whose every word has a tag.

    Attributes:
        words, tags: tuples of strings of one length.
    """

    words: tuple[str, ...]
    tags: tuple[str, ...]


def load_conll(path: str | Path) -> list[TaggedSentence]:
    """The sentences of a column file: a word a line, columns parted by spaces or tabs, a blank line after a sentence.

    The first column holds the word and the last its tag. Lines that begin with -DOCSTART- part documents and are passed
    over.

    Args:
        path: the file, which may be packed (`.gz`, `.xz`).

    Returns:
        A list of `TaggedSentence`.

    Raises:
        InputError: the file cannot be read (see `read_lines`), a line has another number of columns than the first, or
            there is no sentence.

    Example:

    >>> import tempfile
    >>> path = Path(tempfile.mkdtemp()) / "dev.txt"
    >>> _ = path.write_text("U.N. NNP B-ORG\\nofficial NN O\\n\\nEkeus NNP B-PER\\n")
    >>> [sentence.tags for sentence in load_conll(path)]
    [('B-ORG', 'O'), ('B-PER',)]

    Source: Tjong Kim Sang and De Meulder 2003 (CoNLL-2003), section 3.
    """
    sentences, words, tags, columns = [], [], [], None
    for number, line in read_lines(path):
        cells = re.split("[ \t]+", line.strip(" \t"))  # `split()` would part a word at a no-break space
        if not cells[0] or cells[0] == "-DOCSTART-":
            if words:
                sentences.append(TaggedSentence(tuple(words), tuple(tags)))
            words, tags = [], []
            continue
        columns = columns or len(cells)
        if len(cells) != columns or columns < 2:
            wanted = f"{columns} columns, as in the first line," if columns > 1 else "a word and its tag"
            raise InputError(f"{path}, line {number}: {wanted} are expected. Received: {len(cells)}")
        words.append(cells[0])
        tags.append(cells[-1])
    if words:
        sentences.append(TaggedSentence(tuple(words), tuple(tags)))
    if not sentences:
        raise InputError(f"{path}: sentences are expected. Received: none")
    return sentences
