"""Corpora for pretraining: documents of sentences, read one by one from files, the bundled sample or TFDS."""

import glob
import math
import re
from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np

from keras_bert.data.files import check_file, read_lines
from keras_bert.data.samples import sample_file
from keras_bert.data.tfds import load_tfds
from keras_bert.errors import InputError
from keras_bert.text.documents import TokenizedDocuments, compact_ids, offsets_from_lengths

# The end of a sentence: punctuation, optional closing quotes or brackets, white space, then a character that can start
# a sentence. The lookbehind and the possessive `++` keep the time linear, even for a million periods in one line.
_SENTENCE_END = re.compile(
    r"""(?<![.!?…])([.!?…]++["'”’)\]]*+)\s++(?=["'“‘(\[]*+[A-Z0-9À-ÖØ-ÞΑ-ΩА-Я])|([。！？]++[”’」』）]*+)\s*"""
)
# A period that does not end a sentence: after an abbreviation or an initial.
_ABBREVIATION = re.compile(
    r"\b(?:[A-Z]|Mr|Mrs|Ms|Dr|Prof|St|Mt|Jr|Sr|Gen|Col|Capt|Lt|Sgt|Rev|Hon|Gov|Sen|Rep|No|vs|cf|etc|e\.g|i\.e|approx|ca"
    r"|Jan|Feb|Mar|Apr|Jun|Jul|Aug|Sept?|Oct|Nov|Dec|Inc|Ltd|Co|Corp|vol|pp|ed|Fig)\.$"
)


def split_sentences(paragraph: str) -> list[str]:
    """Split a paragraph into sentences at its punctuation.

    Next sentence prediction needs boundaries that are mostly correct; a wrong split at a rare abbreviation is harmless.

    Args:
        paragraph: one line of text, of any length.

    Returns:
        A list of sentences without surrounding white space; empty for an empty paragraph.

    Example:

    >>> split_sentences('Mr. Day left at 6 p.m. "Why?" She never asked. 3.5 miles on, he slept!')
    ['Mr. Day left at 6 p.m.', '"Why?"', 'She never asked.', '3.5 miles on, he slept!']
    """
    sentences, start = [], 0
    for match in _SENTENCE_END.finditer(paragraph):
        end = match.end(1) if match[1] else match.end(2)
        if match[1] == "." and _ABBREVIATION.search(paragraph, max(start, end - 12), end):
            continue
        sentences.append(paragraph[start:end].strip())
        start = match.end()
    sentences.append(paragraph[start:].strip())
    return [sentence for sentence in sentences if sentence]


class Corpus:
    """Iterable over documents, each a list of sentences (`list[str]`). Documents are read one by one in each iteration.

    Args:
        name: the names of the sources.
        read: function without arguments that returns a new iterator over the documents.
        files: the paths of the files; empty for TFDS.

    Attributes:
        name: the names of the sources.
        files: the paths of the files; empty for TFDS.
    """

    def __init__(self, name: str, read, files: Iterable[Path] = ()):
        self.name = name
        self.files = tuple(files)
        self._read = read

    def __iter__(self) -> Iterator[list[str]]:
        return self._read()


def load_corpus(source: str | Path | Iterable[str | Path]) -> Corpus:
    """Load a corpus by name or from text files.

    In a file, each line is a paragraph, and a blank line separates documents. The end of a file ends its last document.

    Args:
        source: `"sample"` (bundled with the package), the path of a UTF-8 text file (plain, `.gz` or `.xz`), a glob
            pattern such as `"books/*.txt.xz"`, a list of these, or `"tfds:NAME"` for the `train` split of a TFDS
            dataset with a `text` feature.

    Returns:
        A `Corpus`.

    Raises:
        InputError: a file does not exist, is a directory or is empty, a pattern matches no file, or there is no network
            for TFDS. While the corpus is read: a file is not UTF-8, has NUL bytes, is a damaged archive, or has no
            text.

    Example:

    >>> document = next(iter(load_corpus("sample")))
    >>> all(isinstance(sentence, str) for sentence in document)
    True

    Source: the input format of create_pretraining_data.py of google-research/bert; Devlin et al. 2018, section 3.1.
    """
    if isinstance(source, str) and source.startswith("tfds:"):
        return Corpus(source, _tfds_reader(source.removeprefix("tfds:")))
    sources = [source] if isinstance(source, (str, Path)) else list(source)
    paths = []
    for item in sources:
        if item == "sample":
            found = [str(sample_file("prose.txt"))]
        elif Path(item).exists() or not glob.has_magic(str(item)):
            found = [str(item)]
        else:
            found = sorted(glob.glob(str(item), recursive=True))
            if not found:
                raise InputError(f"`source` must match at least one file. Received: source={item!r} (matches none)")
        paths.extend(check_file(path) for path in found)
    if not paths:
        raise InputError('`source` must be "sample", "tfds:NAME" or text files. Received: source=[] (an empty list)')

    def read() -> Iterator[list[str]]:
        for path in paths:
            yield from read_documents(path)

    return Corpus(", ".join(map(str, sources)), read, paths)


def read_documents(path: Path, max_size: float = math.inf) -> Iterator[list[str]]:
    """Yield the documents of a file, each a list of sentences.

    Args:
        path: a UTF-8 text file, plain, `.gz` or `.xz`.
        max_size: the number of characters after which a document is cut, at the end of a paragraph; so the memory is
            limited for a file without blank lines.

    Raises:
        InputError: as `load_corpus`, while the corpus is read.
    """
    document, size, has_text = [], 0, False
    for _, line in read_lines(path):
        sentences = split_sentences(line)
        document.extend(sentences)
        size += len(line)
        if document and (not sentences or size >= max_size):
            yield document
            document, size = [], 0
        has_text = has_text or bool(sentences)
    if document:
        yield document
    if not has_text:
        raise InputError(f"`source` must be a file with text. Received: source={path} (only blank lines)")


def _tfds_reader(name: str):
    """Return a function that yields the documents of a TFDS dataset, as `Corpus` takes it."""
    hint = 'Or use text files (one paragraph per line, a blank line between documents), or "sample".'
    dataset = load_tfds(name, "train", hint)
    if not isinstance(dataset.element_spec, dict) or "text" not in dataset.element_spec:
        features = ", ".join(dataset.element_spec) if isinstance(dataset.element_spec, dict) else "none"
        raise InputError(
            f"`source` must be a TFDS dataset with the feature text. Received: source='tfds:{name}' "
            f"(features: {features}). {hint}"
        )

    def read() -> Iterator[list[str]]:
        for row in dataset.as_numpy_iterator():
            text = row["text"].decode("utf-8", errors="replace").replace("\0", " ")
            document = [sentence for line in text.split("\n") for sentence in split_sentences(line)]
            if document:
                yield document

    return read


def tokenize_documents(documents: Iterable[list[str]], vectorizer, batch_size: int = 4096) -> TokenizedDocuments:
    """Tokenize documents into flat arrays for packing.

    Args:
        documents: a `Corpus`, or lists of sentences.
        vectorizer: a `BertTextVectorization`.
        batch_size: number of sentences per call of the vectorizer.

    Returns:
        `TokenizedDocuments`.

    Raises:
        InputError: there is no token.
    """
    ids, lengths, counts = [], [], []

    def flush(sentences: list[str]) -> None:
        ragged = vectorizer.tokenize(sentences)
        ids.append(compact_ids(ragged.flat_values.numpy()))
        lengths.append(ragged.row_lengths().numpy())

    pending: list[str] = []
    for document in documents:
        counts.append(len(document))
        pending.extend(document)
        while len(pending) >= batch_size:
            flush(pending[:batch_size])
            pending = pending[batch_size:]
    if pending:
        flush(pending)
    if not ids or not sum(map(len, ids)):
        raise InputError("`documents` must contain text. Received: 0 tokens")

    # Drop sentences without a token (only zero-width characters, for example) and documents without a sentence.
    lengths = np.concatenate(lengths)
    document = np.repeat(np.arange(len(counts)), counts)[lengths > 0]
    counts = np.unique(document, return_counts=True)[1]
    return TokenizedDocuments(
        np.concatenate(ids), offsets_from_lengths(lengths[lengths > 0]), offsets_from_lengths(counts)
    )
