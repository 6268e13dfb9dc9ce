"""Reader of CoNLL column files, words with tags."""

import collections
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
        InputError: the file cannot be read (see `read_lines`), a line has another number of columns than the first, or
            there is no sentence.

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
        cells = re.split("[ \t]+", line.strip(" \t"))  # `split()` would split a word at a no-break space
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
            raise InputError(f"`path` must have {expected}. Received: path={path}, line {number} with {len(cells)}")
        words.append(cells[0])
        tags.append(cells[-1])
    if words:
        sentences.append(TaggedSentence(tuple(words), tuple(tags)))
    if not sentences:
        raise InputError(f"`path` must contain at least one sentence. Received: path={path} (0 sentences)")
    return sentences


def extract_entities(tags) -> list[tuple[str, int, int]]:
    """The names that tags mark, each its kind, its first word and its last.

    Tags are `O`, or a kind after `B-` (a name begins), `I-` (goes on), `E-` (ends) or `S-` (alone). A tag that goes on
    where nothing went before begins a name, as in the shared task's own script.

    Example:

    >>> extract_entities(["B-PER", "I-PER", "O", "I-LOC", "B-LOC"])
    [('PER', 0, 1), ('LOC', 3, 3), ('LOC', 4, 4)]

    Source: conlleval of the CoNLL-2000 shared task.
    """
    found, begun, before, kind_before = [], 0, "O", ""
    for place, tag in enumerate([*tags, "O"]):
        mark, _, kind = tag.partition("-")
        ends = before != "O" and (mark in ("O", "B", "S") or before in ("E", "S") or kind != kind_before)
        if ends:
            found.append((kind_before, begun, place - 1))
        begins = mark != "O" and (mark in ("B", "S") or before in ("O", "E", "S") or kind != kind_before)
        if begins:
            begun = place
        before, kind_before = mark, kind
    return found


def entity_f1(meant: list, said: list) -> dict:
    """Precision, recall and F1 of names: right is a name with the very words and kind.

    Args:
        meant, said: a list of tags a sentence, of the same lengths.

    Returns:
        A dict: `precision`, `recall`, `f1` over all names, each in [0, 1], `names` that were meant, `accuracy` of tags,
        and `kinds`, the first three and the count of each kind.

    Raises:
        InputError: other lengths.

    Example:

    >>> entity_f1([["B-PER", "I-PER", "O"]], [["B-PER", "I-PER", "B-LOC"]])["f1"]
    0.6666666666666666

    Source: Tjong Kim Sang and De Meulder 2003, section 4; seqeval counts the same.
    """
    if [len(tags) for tags in meant] != [len(tags) for tags in said]:
        raise InputError(f"a tag for each word of {len(meant)} sentences is expected. Received: another number")
    counts: dict[str, list[int]] = collections.defaultdict(lambda: [0, 0, 0])  # right, said, meant
    for true, ours in zip(meant, said, strict=True):
        true, ours = set(extract_entities(true)), set(extract_entities(ours))
        for place, names in enumerate((true & ours, ours, true)):
            for kind, _, _ in names:
                counts[kind][place] += 1
    tags = [(a, b) for true, ours in zip(meant, said, strict=True) for a, b in zip(true, ours, strict=True)]
    total = [sum(count[i] for count in counts.values()) for i in range(3)]
    return {
        **_rates(*total),
        "names": total[2],
        "accuracy": sum(a == b for a, b in tags) / max(1, len(tags)),
        "kinds": {kind: {**_rates(*count), "names": count[2]} for kind, count in sorted(counts.items())},
    }


def _rates(right: int, said: int, meant: int) -> dict[str, float]:
    precision, recall = right / max(1, said), right / max(1, meant)
    both = precision + recall
    return {"precision": precision, "recall": recall, "f1": 2 * precision * recall / both if both else 0.0}
