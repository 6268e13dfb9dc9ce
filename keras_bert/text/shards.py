"""Packed examples on disk: a corpus whose rows do not fit in memory is packed in shards and read where it is needed."""

import contextlib
import dataclasses
import json
import zlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path

import numpy as np

from keras_bert.config import check_sentence_task
from keras_bert.errors import InputError
from keras_bert.files import atomic_write
from keras_bert.text.documents import TokenizedDocuments
from keras_bert.text.packing import PretrainingExamples, pack_examples

FACTS = "rows.json"
FEWEST = 64  # documents in a shard: B is drawn from it, and some are held out


@dataclasses.dataclass(frozen=True)
class StoredExamples(PretrainingExamples):
    """`PretrainingExamples` that stay on disk: its arrays are memory-mapped, and rows that are asked for are read.

    Args:
        fingerprint: the mark of `input_word_ids`, made while they were written, so that nobody need read them all.
    """

    fingerprint: str = dataclasses.field(kw_only=True)


def pack_to_disk(
    path: str | Path,
    documents: Iterable[list[str]],
    tokenize: Callable[[list[list[str]]], TokenizedDocuments],
    sequence_length: int,
    cls_id: int,
    sep_id: int,
    *,
    vocab_size: int,
    sentence_task: str | None = "next",
    dupe_factor: int = 1,
    held_out: float = 0.05,
    seed: int = 0,
    shard_size: int = 2**23,
    sources: dict | None = None,
) -> tuple[StoredExamples, StoredExamples | None]:
    """Tokenize and pack a corpus, a shard of documents at a time; where that was done before, only open the rows.

    A shard is packed by `pack_examples` with the seed `seed` + its number, so that a corpus of one shard gives the very
    rows it gives in memory. Random segments B come from the same shard, of some thousands of documents. All rows of all
    shards stand in one .npy file a field, which appears when the last is written.

    Args:
        path: the folder to write, or to open.
        documents: a `Corpus`, or any lists of sentences; read only if there are no rows yet.
        tokenize: from documents to `TokenizedDocuments`, as `tokenize_documents` does with a vectorizer.
        sequence_length, cls_id, sep_id, sentence_task, dupe_factor: see `pack_examples`.
        vocab_size: how many ids there are: they take two bytes each where they can.
        held_out: the share of the documents to validate on, none for 0 or where there is but one document.
        seed: the same seed gives the same rows.
        shard_size: characters after which a shard ends, once it has 64 documents. Memory is that of two shards.
        sources: what else the rows follow from, ready for JSON: names and dates of files, the vocabulary.

    Returns:
        The rows to train on, and the held-out ones or None.

    Raises:
        InputError: as `pack_examples` and `TokenizedDocuments.split`; rows that were packed from other sources or with other
            settings, or are damaged.
        OSError: the disk is full; nothing is left behind.

    Example:

    >>> import tempfile
    >>> documents = [["5 6 7", "8 9"], ["10 11", "12"]]
    >>> def tokenize(part):
    ...     return TokenizedDocuments.from_lists([[list(map(int, sentence.split())) for sentence in each] for each in part])
    >>> rows, none = pack_to_disk(tempfile.mkdtemp() + "/rows", documents, tokenize, 8, 2, 3, vocab_size=13, held_out=0)
    >>> rows.input_word_ids.shape[1], rows[:1].lengths.shape
    (8, (1,))

    Source: Devlin et al. 2018, section 3.1 and appendix A.2, for the rows; numpy.lib.format for the files.
    """
    path, task = Path(path), check_sentence_task(sentence_task)
    settings = {
        "sequence_length": sequence_length,
        "special_ids": [cls_id, sep_id],
        "vocab_size": vocab_size,
        "next_sentence": task == "next",
        "sentence_order": True if task == "order" else None,  # None: what was packed before there was this task opens
        "dupe_factor": dupe_factor,
        "held_out": held_out,
        "seed": seed,
        "shard_size": shard_size,
        **(sources or {}),
    }
    if not path.exists():
        width = np.uint16 if vocab_size <= 2**16 else np.int32
        with atomic_write(path) as draft, contextlib.ExitStack() as files:
            written: dict[str, _Rows] = {}
            for number, shard in enumerate(_shards(documents, shard_size)):
                parts = {"train": tokenize(shard)}
                if held_out and len(parts["train"]) > 1:
                    parts["train"], parts["held_out"] = parts["train"].split(held_out, seed=seed + number)
                for name, part in parts.items():
                    times = dupe_factor if name == "train" else 1
                    rows = pack_examples(
                        part, sequence_length, cls_id, sep_id, task, seed=seed + number, dupe_factor=times
                    )
                    if name not in written:
                        written[name] = _Rows(draft / name, rows, width, files)
                    written[name].append(rows)
            marks = {name: rows.finish() for name, rows in written.items()}
            facts = {"settings": settings, "fingerprints": marks}
            (draft / FACTS).write_text(json.dumps(facts, indent=2) + "\n", encoding="utf-8")
    return _open(path, settings)


def _shards(documents: Iterable[Sequence[str]], shard_size: int) -> Iterator[list[Sequence[str]]]:
    """Lists of documents, each of at least `shard_size` characters and `FEWEST` documents, or all there is."""
    ready, shard, size = [], [], 0
    for document in documents:
        shard.append(document)
        size += sum(map(len, document))
        if size >= shard_size and len(shard) >= FEWEST:
            if ready:
                yield ready
            ready, shard, size = shard, [], 0
    if len(shard) < FEWEST:  # a remainder too small to stand alone
        ready, shard = ready + shard, []
    yield from (part for part in (ready, shard) if part)


class _Rows:
    """Rows being written, one .npy file a field."""

    def __init__(self, folder: Path, like: PretrainingExamples, ids: type, files: contextlib.ExitStack):
        folder.mkdir(parents=True)
        self.columns = {}
        for name, values in vars(like).items():
            if values is not None:
                file = files.enter_context(open(folder / f"{name}.npy", "wb"))
                dtype = ids if name == "input_word_ids" else values.dtype
                self.columns[name] = _Column(file, np.dtype(dtype), values.shape[1:])

    def append(self, rows: PretrainingExamples) -> None:
        for name, column in self.columns.items():
            column.append(getattr(rows, name))

    def finish(self) -> str:
        """Complete the files; the fingerprint of the token ids, as `training.pretrain.fingerprint` makes it."""
        for column in self.columns.values():
            column.write_header()
        words = self.columns["input_word_ids"]
        return f"{'x'.join(map(str, words.shape))}-{words.crc:08x}"


class _Column:
    """An array in a file that grows by rows. numpy keeps room in a header for the number of rows to grow in place."""

    def __init__(self, file, dtype: np.dtype, row_shape: tuple[int, ...]):
        self.file = file
        self.dtype = dtype
        self.shape = (0, *row_shape)
        self.crc = 0
        self.write_header()

    def append(self, rows: np.ndarray) -> None:
        rows = np.ascontiguousarray(rows, self.dtype)
        self.file.write(rows.data)
        self.crc = zlib.crc32(rows.data, self.crc)
        self.shape = (self.shape[0] + len(rows), *self.shape[1:])

    def write_header(self) -> None:
        self.file.seek(0)
        facts = {"descr": self.dtype.str, "fortran_order": False, "shape": self.shape}
        np.lib.format.write_array_header_1_0(self.file, facts)


def _open(path: Path, settings: dict) -> tuple[StoredExamples, StoredExamples | None]:
    try:
        facts = json.loads((path / FACTS).read_text(encoding="utf-8"))
        sets = {name: _load(path / name, mark) for name, mark in facts["fingerprints"].items()}
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise InputError(f"{path}: rows that keras_bert packed are expected. Received: {error}") from None
    now = json.loads(json.dumps(settings))
    for name in sorted(set(now) | set(facts["settings"])):
        before = facts["settings"].get(name)
        if before != now.get(name):
            raise InputError(
                f"{path}: a run goes on with the rows it began with, {name}={before!r} (or give another folder). "
                f"Received: {name}={now.get(name)!r}"
            )
    return sets["train"], sets.get("held_out")


def _load(folder: Path, fingerprint: str) -> StoredExamples:
    arrays = {file.stem: np.load(file, mmap_mode="r") for file in folder.glob("*.npy")}
    return StoredExamples(**{"next_sentence_labels": None, **arrays}, fingerprint=fingerprint)
