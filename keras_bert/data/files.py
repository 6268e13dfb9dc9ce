"""Readers of text files, plain or compressed."""

import gzip
import lzma
import sys
import zlib
from collections.abc import Iterable, Iterator
from pathlib import Path

from keras_bert.data.malformed import Malformed
from keras_bert.errors import InputError

OPENERS = {".gz": gzip.open, ".xz": lzma.open}


def read_lines(path: str | Path, malformed: Malformed | None = None) -> Iterator[tuple[int, str]]:
    """Read the lines of a UTF-8 text file, plain, `.gz` or `.xz`, one by one.

    Lines end at `\\n` or `\\r\\n` only: NEL, vertical tabs and single `\\r` are characters of the text, although
    `str.splitlines` splits at them. A byte order mark at the beginning is removed.

    Args:
        path: the file.
        malformed: what happens to lines that are not UTF-8 or have a NUL byte; None raises an error.

    Yields:
        The line number, from 1, and the line without its end.

    Raises:
        InputError: the file does not exist, is a directory, is empty or cannot be read, is not UTF-8, or has a NUL
            byte. The message has the line number and the byte offset.

    Example:

    >>> import tempfile
    >>> path = Path(tempfile.mkdtemp()) / "text"
    >>> _ = path.write_bytes("one\\x85still one\\ntwo\\r\\n".encode())
    >>> list(read_lines(path))
    [(1, 'one\\x85still one'), (2, 'two')]
    """
    path = check_file(path)
    try:
        with OPENERS.get(path.suffix, open)(path, "rb") as file:
            yield from _decode_lines(file, path, malformed)
    except (EOFError, gzip.BadGzipFile, lzma.LZMAError, zlib.error) as error:
        raise InputError(f"`path` must be a complete {path.suffix[1:]} file. Received: path={path} ({error})") from None
    except OSError as error:
        raise InputError(f"`path` must be a readable file. Received: path={path} ({error.strerror or error})") from None


def read_standard_input() -> Iterator[tuple[int, str]]:
    """Read the lines of standard input one by one, as `read_lines` reads those of a file.

    Raises:
        InputError: standard input is empty, is not UTF-8, or has a NUL byte.
    """
    return _decode_lines(sys.stdin.buffer, "standard input")


def _decode_lines(
    file: Iterable[bytes], name: Path | str, malformed: Malformed | None = None
) -> Iterator[tuple[int, str]]:
    offset = 0
    for number, raw in enumerate(file, 1):
        try:
            line = _decode(raw, name, number, offset)
        except InputError as error:
            if malformed is None:
                raise
            malformed.add(error)
        else:
            yield number, line
        offset += len(raw)
    if offset == 0:
        raise _not_a_text_file(name, "empty")


def _decode(raw: bytes, name: Path | str, number: int, offset: int) -> str:
    """Return a line without its end, or raise InputError."""
    try:
        line = raw.decode("utf-8-sig" if number == 1 else "utf-8")
    except UnicodeDecodeError as error:
        raise InputError(
            f"`path` must be a UTF-8 text file. Received: path={name}, byte 0x{raw[error.start]:02x} "
            f"in line {number} (byte {offset + error.start} of the file)"
        ) from None
    if "\0" in line:
        raise InputError(
            "`path` must be a text file without NUL bytes. "
            f"Received: path={name}, a NUL in line {number} (byte {offset + raw.index(0)} of the file)"
        )
    return line.removesuffix("\n").removesuffix("\r")


def check_file(path: str | Path) -> Path:
    """Return the path if it is a file that is not empty.

    Raises:
        InputError: the file does not exist, is a directory, or is empty.
    """
    path = Path(path)
    if path.is_dir():
        raise _not_a_text_file(path, "a directory")
    if not path.exists():
        raise _not_a_text_file(path, "does not exist")
    if path.is_file() and path.stat().st_size == 0:
        raise _not_a_text_file(path, "empty")
    return path


def _not_a_text_file(path: Path | str, received: str) -> InputError:
    return InputError(f"`path` must be a file with text. Received: path={path} ({received})")
