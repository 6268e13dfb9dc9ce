"""Reader of CoNLL column files, which contain one word and its tag per line."""

import dataclasses
from pathlib import Path

from keras_bert.data.conll_layout import Layout, find_layout
from keras_bert.data.files import read_lines
from keras_bert.data.malformed import Malformed
from keras_bert.data.samples import sample_files
from keras_bert.errors import InputError

SAMPLE = "sample-entities"
# Names of the files of a dataset, the first that exists is used: our own, and those of published datasets.
TRAIN_FILES = ("train.txt", "train.conll", "train.conllu", "eng.train", "*-ud-train.conllu")
DEV_FILES = (
    *("dev.txt", "valid.txt", "dev.conll", "valid.conll", "dev.conllu", "valid.conllu"),
    *("eng.testa", "*-ud-dev.conllu"),
)


@dataclasses.dataclass(frozen=True)
class TaggedSentence:
    """A sentence with one tag per word.

    Attributes:
        words, tags: tuples of strings of the same length.
    """

    words: tuple[str, ...]
    tags: tuple[str, ...]


def load_conll(
    path: str | Path, tag_column: str | int | None = None, skip_malformed: bool = False
) -> list[TaggedSentence]:
    """Read a column file: one word per line, columns separated by spaces or tabs, a blank line after each sentence.

    The first column is the word, and the last column is its tag. Lines that start with -DOCSTART- separate documents
    and are skipped, and so are comments: lines before a sentence that start with `#` and have another number of
    columns.

    CoNLL-U is recognized by its ten columns, which are separated by tabs, or by a comment `# global.columns = …`
    (CoNLL-U Plus). The word is the column FORM and the tag the column UPOS. Ranges of words (`1-2`) and empty nodes
    (`8.1`) are skipped: the tags belong to the words of the range.

    Args:
        path: the file, plain or compressed (`.gz`, `.xz`).
        tag_column: the column of the tag: its number, from 1, or its name. The names are those of CoNLL-U (`"upos"`,
            `"xpos"`, `"deprel"`, …) and, for four columns, those of CoNLL-2003: `"pos"`, `"chunk"`, `"ner"`.
        skip_malformed: whether to skip malformed lines, and warn about their number, in place of an error.

    Returns:
        A list of `TaggedSentence`.

    Raises:
        InputError: the file cannot be read (see `read_lines`), a line does not have the number of columns of the
            others, there is no such column, or there is no sentence.

    Example:

    >>> import tempfile
    >>> path = Path(tempfile.mkdtemp()) / "dev.txt"
    >>> _ = path.write_bytes(b"U.N. NNP B-NP B-ORG\\nofficial NN I-NP O\\n\\nEkeus NNP B-NP B-PER\\n")
    >>> [sentence.tags for sentence in load_conll(path)]
    [('B-ORG', 'O'), ('B-PER',)]
    >>> [sentence.tags for sentence in load_conll(path, "pos")]
    [('NNP', 'NN'), ('NNP',)]

    Source: Tjong Kim Sang and De Meulder 2003 (CoNLL-2003), section 3; universaldependencies.org/format.html.
    """
    malformed = Malformed(path, skip_malformed)
    lines = list(read_lines(path, malformed))
    layout = find_layout(path, [line for _, line in lines], tag_column)
    sentences, words, tags = [], [], []
    for number, line in [*lines, (0, "")]:
        if not line.strip() or line.startswith("-DOCSTART-"):
            if words:
                sentences.append(TaggedSentence(tuple(words), tuple(tags)))
            words, tags = [], []
        elif not layout.is_comment(line, begins_sentence=not words):
            cells = layout.cells(line)
            if len(cells) != layout.count or not cells[layout.word]:
                malformed.add(_error(path, layout, len(cells), number))
            elif layout.is_word(cells):
                words.append(cells[layout.word])
                tags.append(cells[layout.tag])
    malformed.warn()
    if not sentences:
        raise InputError(f"`path` must contain at least one sentence. Received: path={path} (0 sentences)")
    return sentences


def find_conll_files(folder: str | Path) -> tuple[Path, Path]:
    """Return the training file and the dev file of a folder, or those of the bundled sample `"sample-entities"`.

    In a folder they are `train.txt` and `dev.txt` (or `valid.txt`), `eng.train` and `eng.testa` of CoNLL-2003, or
    `en_ewt-ud-train.conllu` and `en_ewt-ud-dev.conllu` of Universal Dependencies.

    Raises:
        InputError: a file is missing, or there are several.
    """
    if folder == SAMPLE:
        return sample_files(SAMPLE)
    return _find_file(folder, "train.txt", TRAIN_FILES), _find_file(folder, "dev.txt", DEV_FILES)


def _find_file(folder: str | Path, name: str, patterns: tuple[str, ...]) -> Path:
    for pattern in patterns:
        found = sorted(Path(folder).glob(pattern))
        if len(found) > 1:
            raise InputError(
                f"`dataset` must be a folder with one file {pattern}. "
                f"Received: dataset={folder} ({found[0].name} and {found[1].name})"
            )
        if found:
            return found[0]
    raise InputError(
        f"`dataset` must be {SAMPLE}, or a folder with train.txt and dev.txt, or with the files of CoNLL-2003 or of "
        f"Universal Dependencies. Received: dataset={folder} (no {name})"
    )


def _error(path, layout: Layout, columns: int, number: int) -> InputError:
    expected = f"{layout.count} columns in every line"
    return InputError(f"`path` must have {expected}. Received: path={path}, columns={columns} in line {number}")
