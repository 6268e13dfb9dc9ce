"""Lines of text files, whatever they are packed in; what is wrong with a file is said in one line."""

import gzip
import lzma
import zlib
from collections.abc import Iterator
from pathlib import Path

from keras_bert.errors import InputError

OPENERS = {".gz": gzip.open, ".xz": lzma.open}


def read_lines(path: str | Path) -> Iterator[tuple[int, str]]:
    """The lines of a UTF-8 text file, plain, `.gz` or `.xz`, one after another.

    Lines end at `\\n` alone (and a `\\r` right before it): NEL, vertical tabs and lone CR are characters of the text,
    where `str.splitlines` would cut it. A byte order mark at the beginning is left out.

    Args:
        path: the file.

    Yields:
        The line number, from 1, and the line without its end.

    Raises:
        InputError: no such file, a directory, an empty or unreadable file, bytes that are no UTF-8 (with line and
            byte), or NUL bytes.

    Example:

    >>> import tempfile
    >>> path = Path(tempfile.mkdtemp()) / "text"
    >>> _ = path.write_bytes("one\\x85still one\\ntwo\\r\\n".encode())
    >>> list(read_lines(path))
    [(1, 'one\\x85still one'), (2, 'two')]
    """
    path = check_file(path)
    offset = 0
    try:
        with OPENERS.get(path.suffix, open)(path, "rb") as file:
            for number, raw in enumerate(file, 1):
                try:
                    line = raw.decode("utf-8-sig" if number == 1 else "utf-8")
                except UnicodeDecodeError as error:
                    raise InputError(
                        f"{path}: text must be UTF-8. Received: byte 0x{raw[error.start]:02x} "
                        f"in line {number} (byte {offset + error.start} of the file)"
                    ) from None
                if "\0" in line:
                    byte = offset + raw.index(0)
                    raise InputError(f"{path}: text holds no NUL. Received: one in line {number} (byte {byte})")
                offset += len(raw)
                yield number, line.removesuffix("\n").removesuffix("\r")
    except (EOFError, gzip.BadGzipFile, lzma.LZMAError, zlib.error) as error:
        raise InputError(f"{path}: the file must be whole {path.suffix[1:]} data. Received: {error}") from None
    except OSError as error:
        raise InputError(f"{path}: the file must be readable. Received: {error.strerror or error}") from None
    if offset == 0:
        raise InputError(f"{path}: a file with text is expected. Received: an empty one")


def check_file(path: str | Path) -> Path:
    """The path, if a file with something in it is there.

    Raises:
        InputError: no such file, a directory, or an empty file.
    """
    path = Path(path)
    if path.is_dir():
        raise InputError(f"{path}: a file is expected. Received: a directory")
    if not path.exists():
        raise InputError(f"{path}: a file is expected. Received: a path where nothing is")
    if path.is_file() and path.stat().st_size == 0:
        raise InputError(f"{path}: a file with text is expected. Received: an empty one")
    return path
