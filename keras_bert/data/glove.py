"""Reader of word vectors in GloVe's text format."""

from pathlib import Path

import numpy as np

from keras_bert.errors import InputError


def load_word_vectors(path: str | Path) -> tuple[dict[str, int], np.ndarray]:
    """Read word vectors from a text file: in each line a word and its numbers, separated by single spaces.

    A first line of two integers, the numbers of words and columns as word2vec and fastText write them, is skipped. Of a
    word that occurs twice the first line counts.

    Args:
        path: the file, UTF-8.

    Returns:
        A dict of word to row, and float32 `[words, D]`.

    Raises:
        InputError: there is no such file, it has no vectors or is not UTF-8, or a line has another number of numbers
            than the first one, or something else in place of a finite number.

    Example:

    >>> import tempfile
    >>> with tempfile.NamedTemporaryFile("w", suffix=".txt", delete=False) as file:
    ...     _ = file.write("film 0.5 1\\nfine -1 2e-1\\n")
    >>> rows, vectors = load_word_vectors(file.name)
    >>> rows, vectors.tolist()[0]
    ({'film': 0, 'fine': 1}, [0.5, 1.0])

    Source: Pennington et al. 2014, "GloVe: Global Vectors for Word Representation", the published files.
    """
    try:
        lines = Path(path).read_text(encoding="utf-8").split("\n")  # other line separators occur inside words
    except (OSError, UnicodeDecodeError) as error:
        reason = "not UTF-8" if isinstance(error, UnicodeDecodeError) else error.strerror
        raise InputError(f"`path` must be a text file of word vectors. Received: {path} ({reason})") from None
    lines = [line.rstrip("\r ") for line in lines]
    start = 1 if len(fields := lines[0].split(" ")) == 2 and all(field.isdecimal() for field in fields) else 0
    rows, vectors, columns = {}, [], None
    for number, line in enumerate(lines[start:], start + 1):
        if not line:
            continue
        fields = line.split(" ")
        columns = len(fields) - 1 if columns is None else columns
        word = " ".join(fields[: len(fields) - columns])  # a few published words contain spaces
        try:
            vector = np.array(fields[len(fields) - columns :], "float32") if word and columns else None
        except ValueError:
            vector = None
        if vector is None or not np.isfinite(vector).all():
            raise InputError(
                f"`path` must have a word and {columns or 'its'} numbers in each line. "
                f"Received: {path}, line {number}: {line[:40]!r}"
            )
        if word not in rows:
            rows[word] = len(vectors)
            vectors.append(vector)
    if not vectors:
        raise InputError(f"`path` must be a text file of word vectors. Received: {path} (no vectors)")
    return rows, np.stack(vectors)
