"""Pretraining examples on disk, for corpora whose examples do not fit in memory."""

import contextlib
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
from keras_bert.text.stored_rows import METADATA_FILE, StoredExamples, describe, open_rows

MIN_DOCUMENTS = 64  # per shard: a random B comes from the same shard, and some documents are held out


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
    """Tokenize and pack a corpus shard by shard, or open the examples if they were packed before.

    Each shard is packed by `pack_examples` with the seed `seed` + its index, so a corpus of one shard gives the same
    rows as in memory. Random segments B come from the same shard, which has thousands of documents. The rows of all
    shards are in one .npy file per field. The folder is created only after the last row was written. When it is opened
    again, the checksum of every file and the range of every number are verified, which reads all files once.

    Args:
        path: the folder to write or to open.
        documents: a `Corpus`, or lists of sentences; only read if the folder does not exist.
        tokenize: converts documents to `TokenizedDocuments`, for example `tokenize_documents` with a vectorizer.
        sequence_length, cls_id, sep_id, sentence_task, dupe_factor: see `pack_examples`.
        vocab_size: the number of ids; they take two bytes each if they fit.
        held_out: fraction of the documents to hold out for validation; none for 0, or if there is only one document.
        seed: random seed; the same seed gives the same rows.
        shard_size: the number of characters after which a shard ends, if it has at least 64 documents. Two shards are
            in memory at a time.
        sources: JSON values of everything else that determines the rows, such as names and dates of files, and the
            vocabulary. They are compared when the folder is opened.

    Returns:
        The training examples, and the held-out examples or None.

    Raises:
        InputError: there is no document; as `pack_examples` and `TokenizedDocuments.split`; or the folder was packed
            from other sources or with other settings, or is damaged.
        OSError: the disk is full; nothing is written.

    Example:

    >>> import tempfile
    >>> documents = [["5 6 7", "8 9"], ["10 11", "12"]]
    >>> def tokenize(part):
    ...     return TokenizedDocuments.from_lists([[[int(i) for i in text.split()] for text in each] for each in part])
    >>> path = Path(tempfile.mkdtemp()) / "rows"
    >>> train, validation = pack_to_disk(path, documents, tokenize, 8, 2, 3, vocab_size=13, held_out=0)
    >>> train.input_word_ids.shape[1], train[:1].lengths.shape
    (8, (1,))

    Source: Devlin et al. 2018, section 3.1 and appendix A.2, for the rows; numpy.lib.format for the files.
    """
    path, task = Path(path), check_sentence_task(sentence_task)
    settings = {
        "sequence_length": sequence_length,
        "special_ids": [cls_id, sep_id],
        "vocab_size": vocab_size,
        "next_sentence": task == "next",
        "sentence_order": True if task == "order" else None,  # null, not false, in the file
        "dupe_factor": dupe_factor,
        "held_out": held_out,
        "seed": seed,
        "shard_size": shard_size,
        **(sources or {}),
    }
    if not path.exists():
        dtype = np.uint16 if vocab_size <= 2**16 else np.int32
        with atomic_write(path) as draft, contextlib.ExitStack() as files:
            writers: dict[str, _ExamplesWriter] = {}
            for number, shard in enumerate(_shards(documents, shard_size)):
                parts = {"train": tokenize(shard)}
                if held_out and len(parts["train"]) > 1:
                    parts["train"], parts["held_out"] = parts["train"].split(held_out, seed=seed + number)
                for name, part in parts.items():
                    times = dupe_factor if name == "train" else 1
                    rows = pack_examples(
                        part, sequence_length, cls_id, sep_id, task, seed=seed + number, dupe_factor=times
                    )
                    if name not in writers:
                        writers[name] = _ExamplesWriter(draft / name, rows, dtype, files)
                    writers[name].append(rows)
            if not writers:
                raise InputError("`documents` must contain text. Received: 0 documents")
            metadata = {"settings": settings, "checksums": {name: each.finish() for name, each in writers.items()}}
            (draft / METADATA_FILE).write_text(json.dumps(metadata, indent=2) + "\n", encoding="utf-8")
    return open_rows(path, settings)


def _shards(documents: Iterable[Sequence[str]], shard_size: int) -> Iterator[list[Sequence[str]]]:
    """Yield lists of documents, each of at least `shard_size` characters and `MIN_DOCUMENTS` documents if possible."""
    ready, shard, size = [], [], 0
    for document in documents:
        shard.append(document)
        size += sum(map(len, document))
        if size >= shard_size and len(shard) >= MIN_DOCUMENTS:
            if ready:
                yield ready
            ready, shard, size = shard, [], 0
    if len(shard) < MIN_DOCUMENTS:  # too few for a shard: append them to the shard before
        ready, shard = ready + shard, []
    yield from (part for part in (ready, shard) if part)


class _ExamplesWriter:
    """Writer of examples, one .npy file per field."""

    def __init__(self, folder: Path, first: PretrainingExamples, id_dtype: type, files: contextlib.ExitStack):
        folder.mkdir(parents=True)
        self.fields = {}
        for name, values in vars(first).items():
            if values is not None:
                file = files.enter_context(open(folder / f"{name}.npy", "wb"))
                dtype = id_dtype if name == "input_word_ids" else values.dtype
                self.fields[name] = _ArrayWriter(file, np.dtype(dtype), values.shape[1:])

    def append(self, rows: PretrainingExamples) -> None:
        for name, field in self.fields.items():
            field.append(getattr(rows, name))

    def finish(self) -> dict[str, str]:
        """Complete the files and return what `describe` returns for each field."""
        for field in self.fields.values():
            field.write_header()
        return {name: describe(field.dtype, field.shape, field.crc) for name, field in self.fields.items()}


class _ArrayWriter:
    """Writer of one .npy file that grows by rows. NumPy reserves space in the header for the final number of rows."""

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
        header = {"descr": self.dtype.str, "fortran_order": False, "shape": self.shape}
        np.lib.format.write_array_header_1_0(self.file, header)
