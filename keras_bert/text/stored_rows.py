"""Packed rows on disk: memory-mapped arrays whose files are verified when they are opened."""

import dataclasses
import json
import zlib
from pathlib import Path

import numpy as np

from keras_bert.errors import InputError
from keras_bert.text.packing import PretrainingExamples
from keras_bert.text.row_checks import CHUNK, find_fault

METADATA_FILE = "rows.json"


@dataclasses.dataclass(frozen=True)
class StoredExamples(PretrainingExamples):
    """`PretrainingExamples` in memory-mapped arrays: rows are read from disk when they are indexed.

    Args:
        fingerprint: checksum of `input_word_ids`, computed when they are written.
        vocab_size: the number of ids that they were packed with.
    """

    fingerprint: str = dataclasses.field(kw_only=True)
    vocab_size: int = dataclasses.field(kw_only=True)


def describe(dtype: np.dtype, shape: tuple[int, ...], crc: int) -> str:
    """Return the text that `rows.json` has for a file: dtype, and shape and checksum as `training.common.checksum`.

    >>> describe(np.dtype("<i4"), (2, 3), 0xA3C1CA20)
    '<i4 2x3-a3c1ca20'
    """
    return f"{dtype.str} {'x'.join(map(str, shape))}-{crc:08x}"


def open_rows(path: Path, settings: dict) -> tuple[StoredExamples, StoredExamples | None]:
    """Open the training and the held-out examples.

    Raises:
        InputError: they were packed with other settings, or a file is damaged.
    """
    file = path / METADATA_FILE
    try:
        metadata = json.loads(file.read_text(encoding="utf-8"))
        stored, checksums = metadata["settings"], metadata["checksums"]
        if not all(isinstance(each, dict) for each in (stored, checksums, *checksums.values())):
            raise ValueError("a value is no object")
        if "train" not in checksums or not set(checksums) <= {"train", "held_out"}:
            raise ValueError(f"checksums of {', '.join(checksums)}")
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise _damaged(path, file, f"{type(error).__name__}: {error}") from None
    current = json.loads(json.dumps(settings))
    for name in sorted(set(stored) | set(settings)):
        before, now = (values.get(name, "missing") for values in (stored, current))
        if before != now:
            raise InputError(
                f"`{name}` must be the same as for the examples in {path}, {name}={before!r}. "
                f"Received: {name}={now!r}. Use the same value, or another folder."
            )
    parts = {name: _load(path, name, each, settings) for name, each in checksums.items()}
    return parts["train"], parts.get("held_out")


def _load(path: Path, part: str, checksums: dict[str, str], settings: dict) -> StoredExamples:
    """Open the files of one part, and verify the checksum of each file and the range of each number."""
    arrays, readers = {}, {}
    for name in _field_names(settings):
        file = path / part / f"{name}.npy"
        try:
            arrays[name] = np.load(file, mmap_mode="r")
            if not arrays[name].flags.c_contiguous:
                raise ValueError("columns are stored one after the other, not rows")
            readers[name] = FileRows(file, arrays[name].dtype, arrays[name].shape, arrays[name].offset)
            found, expected = _checksum(readers[name]), checksums[name]
            trailing = file.stat().st_size - arrays[name].offset - arrays[name].nbytes
        except Exception as error:  # NumPy raises many types of errors for a damaged header
            raise _damaged(path, file, f"{type(error).__name__}: {error}") from None
        if trailing:
            raise _damaged(path, file, f"{trailing} more bytes than its header says")
        if found != expected:
            raise _damaged(path, file, f"checksum {found}, not {expected}")
    fingerprint = checksums["input_word_ids"].split()[1]
    fault = find_fault(PretrainingExamples(**readers), settings["vocab_size"])
    if fault:
        raise _damaged(path, path / part / f"{fault.split()[0]}.npy", fault)
    return StoredExamples(**arrays, fingerprint=fingerprint, vocab_size=settings["vocab_size"])


def _field_names(settings: dict) -> list[str]:
    """Return the fields that rows of these settings have."""
    task = {"next_sentence_labels": settings["next_sentence"], "sentence_order_labels": settings["sentence_order"]}
    return ["input_word_ids", "input_type_ids", "lengths", *(name for name, is_used in task.items() if is_used)]


@dataclasses.dataclass(frozen=True)
class FileRows:
    """Rows of a .npy file that are read when they are indexed with a slice.

    The pages of a mapped file count as memory of the process once they were read, so a check of a whole mapped array
    would need as much memory as the array has.

    Args:
        file: the path.
        dtype, shape: of the array.
        offset: the first byte of the rows.
    """

    file: Path
    dtype: np.dtype
    shape: tuple[int, ...]
    offset: int

    @property
    def ndim(self) -> int:
        """The number of axes."""
        return len(self.shape)

    def __len__(self) -> int:
        return self.shape[0]

    def __getitem__(self, rows: slice) -> np.ndarray:
        start, stop, _ = rows.indices(len(self))
        size = int(np.prod(self.shape[1:], dtype=np.int64))  # of a row
        offset = self.offset + start * size * self.dtype.itemsize
        values = np.fromfile(self.file, self.dtype, (stop - start) * size, offset=offset)
        return values.reshape(stop - start, *self.shape[1:])


def _checksum(rows: FileRows) -> str:
    """Return what `describe` returns for an array on disk, read in parts."""
    crc = 0
    for start in range(0, len(rows), CHUNK):
        crc = zlib.crc32(rows[start : start + CHUNK].data, crc)
    return describe(rows.dtype, rows.shape, crc)


def _damaged(path: Path, file: Path, fault: str) -> InputError:
    """Return the error for a damaged file of the folder `path`."""
    return InputError(
        f"`path` must be a folder of examples packed by keras_bert, with all its files unchanged. Received: {file} "
        f"({' '.join(fault.split()):.200}). Delete the folder {path} to pack the examples again."
    )
