"""Text to pretrain on: documents of sentences, streamed from files, the sample or TFDS."""

import glob
import re
from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np

from keras_bert.data.files import check_file, read_lines
from keras_bert.data.labeled import SAMPLE
from keras_bert.data.tfds import load_tfds
from keras_bert.errors import InputError
from keras_bert.text.documents import TokenizedDocuments, compact_ids

# Stops, perhaps closing quotes or brackets, then white space and what may begin a sentence … The lookbehind and the
# possessive `++` keep this linear: a megabyte of dots is looked at once.
_STOP = re.compile(
    r"""(?<![.!?…])([.!?…]++["'”’)\]]*+)\s++(?=["'“‘(\[]*+[A-Z0-9À-ÖØ-ÞΑ-ΩА-Я])|([。！？]++[”’」』）]*+)\s*"""
)
# … unless the stop only shortens a word, or a name to its first letter.
_SHORTENED = re.compile(
    r"\b(?:[A-Z]|Mr|Mrs|Ms|Dr|Prof|St|Mt|Jr|Sr|Gen|Col|Capt|Lt|Sgt|Rev|Hon|Gov|Sen|Rep|No|vs|cf|etc|e\.g|i\.e|approx|ca"
    r"|Jan|Feb|Mar|Apr|Jun|Jul|Aug|Sept?|Oct|Nov|Dec|Inc|Ltd|Co|Corp|vol|pp|ed|Fig)\.$"
)


def split_sentences(paragraph: str) -> list[str]:
    """Cut a paragraph into sentences, by their punctuation.

    Next-sentence prediction needs boundaries that are mostly right; a cut at a rare abbreviation does no harm.

    Args:
        paragraph: one line of text, of any length.

    Returns:
        The sentences, stripped; none for an empty paragraph.

    Example:

    >>> split_sentences('Mr. Day left at 6 p.m. "Why?" She never asked. 3.5 miles on, he slept!')
    ['Mr. Day left at 6 p.m.', '"Why?"', 'She never asked.', '3.5 miles on, he slept!']
    """
    sentences, start = [], 0
    for match in _STOP.finditer(paragraph):
        end = match.end(1) if match[1] else match.end(2)
        if match[1] == "." and _SHORTENED.search(paragraph, max(start, end - 12), end):
            continue
        sentences.append(paragraph[start:end].strip())
        start = match.end()
    sentences.append(paragraph[start:].strip())
    return [sentence for sentence in sentences if sentence]


class Corpus:
    """Documents, read anew each time it is iterated over; never all in memory.

    Iterating gives documents, each a list of sentences, a `list[str]`.

    Attributes:
        name: of the sources.
        files: the paths that are read, none for TFDS.
    """

    def __init__(self, name: str, read, files: Iterable[Path] = ()):
        self.name = name
        self.files = tuple(files)
        self._read = read

    def __iter__(self) -> Iterator[list[str]]:
        return self._read()


def load_corpus(source: str | Path | Iterable[str | Path]) -> Corpus:
    """A corpus by name or from files.

    In a file a paragraph is a line, and a blank line parts documents; the end of a file ends its last document.

    Args:
        source: `"sample"` (ships with the package), the path of a UTF-8 text file (plain, `.gz`, `.xz`), a glob such
            as `"books/*.txt.xz"`, several of these in a list, or `"tfds:NAME"` for the `train` split of a TFDS
            data set with a `text` feature.

    Returns:
        A `Corpus`.

    Raises:
        InputError: nothing matches, a directory, an empty file (at once); bytes that are no UTF-8, NUL bytes, a damaged
            archive, no text at all (when read); no network for TFDS.

    Example:

    >>> document = next(iter(load_corpus("sample")))
    >>> all(isinstance(sentence, str) for sentence in document)
    True

    Source: the layout of google-research/bert, create_pretraining_data.py; Devlin et al. 2018, section 3.1.
    """
    if isinstance(source, str) and source.startswith("tfds:"):
        return Corpus(source, _tfds_reader(source.removeprefix("tfds:")))
    sources = [source] if isinstance(source, (str, Path)) else list(source)
    paths = []
    for item in sources:
        if item == "sample":
            found = [str(SAMPLE / "prose.txt")]
        elif Path(item).exists() or not glob.has_magic(str(item)):
            found = [str(item)]
        else:
            found = sorted(glob.glob(str(item), recursive=True))
            if not found:
                raise InputError(f"a corpus needs files that match the pattern. Received: {item}, which matches none")
        paths.extend(check_file(path) for path in found)
    if not paths:
        raise InputError("a corpus is sample, tfds:NAME, or text files. Received: an empty list")

    def read() -> Iterator[list[str]]:
        for path in paths:
            yield from _documents(path)

    return Corpus(", ".join(map(str, sources)), read, paths)


def _documents(path: Path) -> Iterator[list[str]]:
    document, any_text = [], False
    for _, line in read_lines(path):
        sentences = split_sentences(line)
        document.extend(sentences)
        if document and not sentences:
            yield document
            document = []
        any_text = any_text or bool(sentences)
    if document:
        yield document
    if not any_text:
        raise InputError(f"{path}: a file with text is expected. Received: blank lines alone")


def _tfds_reader(name: str):
    instead = "give text files instead (a paragraph a line, a blank line between documents), or use sample"
    dataset = load_tfds(name, "train", instead)
    if not isinstance(dataset.element_spec, dict) or "text" not in dataset.element_spec:
        features = ", ".join(dataset.element_spec) if isinstance(dataset.element_spec, dict) else "no names"
        raise InputError(f"a TFDS corpus needs a feature called text. Received: {name} with {features}")

    def read() -> Iterator[list[str]]:
        for row in dataset.as_numpy_iterator():
            text = row["text"].decode("utf-8", errors="replace").replace("\0", " ")
            document = [sentence for line in text.split("\n") for sentence in split_sentences(line)]
            if document:
                yield document

    return read


def tokenize_documents(documents: Iterable[list[str]], vectorizer, batch_size: int = 4096) -> TokenizedDocuments:
    """Documents as ids, in compact arrays, ready to pack.

    Args:
        documents: a `Corpus`, or any lists of sentences.
        vectorizer: a `BertTextVectorization`; its `tokenize` gives ids without special tokens.
        batch_size: how many sentences are tokenized at once.

    Returns:
        `TokenizedDocuments`.

    Raises:
        InputError: there is no token at all.
    """
    ids, lengths, counts = [], [], []

    def flush(sentences: list[str]) -> None:
        ragged = vectorizer.tokenize(sentences)
        ids.append(compact_ids(ragged.flat_values.numpy()))
        lengths.append(ragged.row_lengths().numpy())

    waiting: list[str] = []
    for document in documents:
        counts.append(len(document))
        waiting.extend(document)
        while len(waiting) >= batch_size:
            flush(waiting[:batch_size])
            waiting = waiting[batch_size:]
    if waiting:
        flush(waiting)
    if not ids or not sum(map(len, ids)):
        raise InputError("a corpus with text is expected. Received: no token")

    # Sentences without a token (zero-width characters alone) and documents without a sentence fall out.
    lengths = np.concatenate(lengths)
    document = np.repeat(np.arange(len(counts)), counts)[lengths > 0]
    counts = np.unique(document, return_counts=True)[1]
    starts = [np.concatenate([[0], np.cumsum(part, dtype=np.int64)]) for part in (lengths[lengths > 0], counts)]
    return TokenizedDocuments(np.concatenate(ids), *starts)
