"""The rows of a packed folder, or the share of them that one of several processes reads."""

import dataclasses
import functools
import zlib
from pathlib import Path

import numpy as np

from keras_bert.data.manifest import read_manifest
from keras_bert.data.packing import sha256, source_of
from keras_bert.errors import InputError
from keras_bert.text.packing import PretrainingExamples
from keras_bert.text.stored_rows import FileRows, StoredExamples, open_rows

OPEN_FILES = 64  # of each array; a process may have about a thousand open files


def load_packed(folder: str | Path, rank: int = 0, world_size: int = 1) -> tuple[StoredExamples, StoredExamples | None]:
    """Open the rows that `pack_files` wrote, or the share of one of several processes.

    The rows of all files, in the order of the manifest, are cut into `world_size` consecutive shares whose lengths
    differ by at most one row. So each row is in exactly one share, and a process opens only the files of its share,
    after it has compared their SHA-256 with the manifest. The rows are read from disk when they are indexed.

    Args:
        folder: a folder that `pack_files` or `keras-bert pack` completed.
        rank: the number of this process, from 0.
        world_size: the number of processes.

    Returns:
        The training rows and the held-out rows of the share, for `pretrain`; None if the folder has no held-out rows.

    Raises:
        InputError: the folder has no manifest; a file is missing or damaged; `rank` is not in 0 … `world_size` - 1.

    Example:

    >>> import tempfile
    >>> from keras_bert.data import pack_files
    >>> folder = Path(tempfile.mkdtemp())
    >>> _ = (folder / "a.txt").write_text("A fine film.\\n\\nFine films!\\n\\nA film.\\n")
    >>> vocabulary = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "a", "fine", "film", "##s", ".", "!"]
    >>> _ = pack_files(folder / "a.txt", vocabulary, folder / "packed", sequence_length=16, held_out=0)
    >>> [len(load_packed(folder / "packed", rank, 2)[0]) for rank in (0, 1)]
    [1, 2]

    Source: `shard` of tf.data and `split_dataset_by_node` of Hugging Face datasets, for the arguments.
    """
    if isinstance(world_size, bool) or not isinstance(world_size, int) or world_size < 1:
        raise InputError(f"`world_size` must be an integer of at least 1. Received: world_size={world_size!r}")
    if isinstance(rank, bool) or not isinstance(rank, int) or not 0 <= rank < world_size:
        raise InputError(f"`rank` must be in 0 … {world_size - 1}, below `world_size`. Received: rank={rank!r}")
    folder, manifest = Path(folder), read_manifest(folder)
    shares = {part: _share(manifest["files"], part, rank, world_size) for part in manifest["rows"]}
    opened = {
        number: _open(folder, manifest["files"][number], manifest["settings"])
        for number in sorted({number for pieces in shares.values() for number, _, _ in pieces})
    }
    joined = {}
    for part, pieces in shares.items():
        rows = [(opened[number][part], start, stop) for number, start, stop in pieces]
        names = rows[0][0].arrays
        arrays = {name: JoinedArray([(each.arrays[name], start, stop) for each, start, stop in rows]) for name in names}
        identity = zlib.crc32(repr([(each.fingerprint, start, stop) for each, start, stop in rows]).encode())
        shape = "x".join(map(str, arrays["input_word_ids"].shape))
        joined[part] = StoredExamples(
            **arrays, fingerprint=f"{shape}-{identity:08x}", vocab_size=manifest["settings"]["vocab_size"]
        )
    return joined["train"], joined.get("held_out")


def _share(files: list[dict], part: str, rank: int, world_size: int) -> list[tuple[int, int, int]]:
    """Return the pieces of a share: the number of the file, its first row, and the row after its last one.

    An empty share has one piece without rows, which gives the data types.
    """
    ends = np.cumsum([entry["rows"].get(part, 0) for entry in files]).tolist()
    begin, end = (ends[-1] * number // world_size for number in (rank, rank + 1))
    pieces, first = [], 0  # the number of rows in the files before
    for number, last in enumerate(ends):
        start, stop = max(begin, first), min(end, last)
        if start < stop:
            pieces.append((number, start - first, stop - first))
        first = last
    return pieces or [(next(number for number, last in enumerate(ends) if last), 0, 0)]


@dataclasses.dataclass(frozen=True)
class _Rows:
    """The rows of one file: its arrays by the names of their fields, and the fingerprint of its ids."""

    arrays: dict[str, FileRows]
    fingerprint: str


def _open(folder: Path, entry: dict, settings: dict) -> dict[str, _Rows]:
    """Verify the arrays of one file, and return the parts `train` and `held_out`. No file stays open."""
    path = folder / entry["folder"]
    for name, digest in entry["arrays"].items():
        file = path / name
        try:
            found = sha256(file)
        except OSError as error:
            raise _damaged(file, path, error.strerror) from None
        if found != digest:
            raise _damaged(file, path, f"SHA-256 {found}, not {digest}")
    parts = open_rows(path, {**settings, **source_of(entry["file"], entry["sha256"])})
    opened = {name: part for name, part in zip(("train", "held_out"), parts, strict=True) if part is not None}
    lengths = {name: len(part) for name, part in opened.items()}
    if lengths != entry["rows"]:
        raise _damaged(path, path, f"rows={lengths}, not {entry['rows']}")
    return {name: _closed(part) for name, part in opened.items()}


def _closed(rows: StoredExamples) -> _Rows:
    """Return where the arrays of rows are, without the open files."""
    names = (field.name for field in dataclasses.fields(PretrainingExamples))
    arrays = {name: getattr(rows, name) for name in names if getattr(rows, name) is not None}
    files = {name: FileRows(Path(each.filename), each.dtype, each.shape, each.offset) for name, each in arrays.items()}
    return _Rows(files, rows.fingerprint)


def _damaged(file: Path, path: Path, fault: str) -> InputError:
    return InputError(
        f"`folder` must have the files that `keras-bert pack` wrote, unchanged. Received: {file} ({fault}). "
        f"Delete the folder {path}, and run the same `keras-bert pack` again."
    )


class JoinedArray:
    """Rows of several .npy files as one array, from which rows are read when they are indexed.

    Args:
        pieces: of each file its array, the first row, and the row after the last one. All rows have one shape and one
            data type.

    Example:

    >>> import tempfile
    >>> file = Path(tempfile.mkdtemp()) / "rows"
    >>> np.arange(6, dtype=np.int32).tofile(file)
    >>> rows = FileRows(file, np.dtype(np.int32), (3, 2), 0)
    >>> JoinedArray([(rows, 1, 3), (rows, 0, 1)])[[2, 0]].tolist()
    [[0, 1], [2, 3]]
    """

    def __init__(self, pieces: list[tuple[FileRows, int, int]]):
        self.files, self.first = [rows for rows, _, _ in pieces], np.array([start for _, start, _ in pieces])
        self.ends = np.cumsum([stop - start for _, start, stop in pieces])
        self.dtype, self.shape = self.files[0].dtype, (int(self.ends[-1]), *self.files[0].shape[1:])
        self._mapped = functools.lru_cache(OPEN_FILES)(self._map)

    def _map(self, number: int) -> np.memmap:
        rows = self.files[number]
        return np.memmap(rows.file, rows.dtype, "r", rows.offset, rows.shape)

    @property
    def ndim(self) -> int:
        """The number of axes."""
        return len(self.shape)

    def __len__(self) -> int:
        return self.shape[0]

    def __array__(self, dtype=None, copy=None) -> np.ndarray:
        return self[:].astype(dtype or self.dtype, copy=False)

    def __getitem__(self, rows) -> np.ndarray:
        """Return the rows of a slice, or of integers; copied into memory."""
        if isinstance(rows, slice):
            rows = np.arange(*rows.indices(len(self)))
        rows = np.asarray(rows)
        index = rows.reshape(-1)
        if index.size and not (-len(self) <= index.min() and index.max() < len(self)):
            raise IndexError(f"`rows` must be below {len(self)}. Received: {index.min()} … {index.max()}")
        index = index % max(len(self), 1)  # negative ones count from the end
        number = np.searchsorted(self.ends, index, side="right")  # the piece of each row
        values = np.empty((len(index), *self.shape[1:]), self.dtype)
        for piece in np.unique(number).tolist():
            chosen = number == piece
            begin = self.ends[piece - 1] if piece else 0
            values[chosen] = self._mapped(piece)[index[chosen] - begin + self.first[piece]]
        return values.reshape((*rows.shape, *self.shape[1:]))[()]  # a number for one row of a field of numbers
