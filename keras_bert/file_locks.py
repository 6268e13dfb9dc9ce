"""Locks of files and folders that are being written. The operating system releases the lock of a process that ends."""

import contextlib
import os
import platform
import shlex
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from keras_bert.errors import InputError
from keras_bert.file_system import follow_link

LOCKED_BYTE = 2**30  # on Windows, locked bytes cannot be read: lock one after the content
MAX_COMMAND = 200  # characters
_held: dict[Path, int] = {}  # paths that this process has locked, and the thread of each


class NoLocks(OSError):
    """Exception raised on a file system that has no locks."""


@contextlib.contextmanager
def lock(path: str | Path) -> Iterator[Path | None]:
    """Keep other runs from writing a path, by a locked file `.NAME.lock` beside it, which is deleted at the end.

    The file names the process that holds the lock. A thread may lock a path again that it has locked. On a file system
    without locks, nothing is locked.

    Args:
        path: the file or folder to write; for a symbolic link, what it leads to is locked. Missing parent folders are
            created, and deleted at the end if they are empty.

    Yields:
        The path of the lock file if it remained from a run that was killed, otherwise None.

    Raises:
        InputError: another run holds the lock. The message names its process, host, start and command.
        OSError: the folder cannot be written.
    """
    target = follow_link(path).absolute()
    if _held.get(target) == threading.get_ident():
        yield None
        return
    created = [folder for folder in target.parents if not folder.exists()]
    target.parent.mkdir(parents=True, exist_ok=True)
    try:
        with _locked_file(target, path) as remained:
            yield remained
    finally:
        for folder in created:
            with contextlib.suppress(OSError):  # not empty
                folder.rmdir()


@contextlib.contextmanager
def _locked_file(target: Path, path: str | Path) -> Iterator[Path | None]:
    """Lock a path, which the user calls `path`."""
    file_path = target.with_name(f".{target.name}.lock")
    try:
        file = open_locked(file_path)
    except NoLocks:
        yield None
        return
    if file is None:
        holder = ""
        with contextlib.suppress(OSError):
            holder = file_path.read_text(encoding="utf-8", errors="replace").strip()
        raise InputError(
            f"`out` must not be in use by another run. Received: {path}, in use by {holder or 'another process'}. "
            "Wait until that run ends, or use another path."
        )
    with file:
        remained = bool(file.read())
        file.seek(0)
        file.truncate()
        file.write(_holder().encode("utf-8", "replace"))
        file.flush()
        _held[target] = threading.get_ident()
        try:
            yield file_path if remained else None
        finally:
            del _held[target]
            if sys.platform == "win32":  # deletes no open files
                file.close()
            with contextlib.suppress(OSError):
                file_path.unlink()


def open_locked(path: Path) -> BinaryIO | None:
    """Open a file, create it if it does not exist, and lock it until it is closed.

    Returns:
        The file, or None if another process or another open file has locked it.

    Raises:
        NoLocks: the file system has no locks.
        OSError: the file cannot be opened.
    """
    while True:
        file = open(os.open(path, os.O_RDWR | os.O_CREAT, 0o666), "r+b")  # noqa: SIM115
        locked = False
        try:
            # The file may have been deleted between the two steps: then no other process would see this lock.
            if not _try_lock(file):
                return None
            locked = _is_at(file, path)
            if locked:
                return file
        finally:
            if not locked:
                file.close()


def _is_at(file: BinaryIO, path: Path) -> bool:
    """Return whether an open file is the one at a path."""
    try:
        return os.path.samestat(os.fstat(file.fileno()), path.stat())
    except FileNotFoundError:
        return False


def _try_lock(file: BinaryIO) -> bool:
    """Lock an open file. Return False if it is locked."""
    try:
        import fcntl
    except ImportError:
        return _try_lock_on_windows(file)
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError as error:  # ENOLCK, EOPNOTSUPP, …
        raise NoLocks(*error.args) from None
    return True


def _try_lock_on_windows(file: BinaryIO) -> bool:
    import msvcrt

    file.seek(LOCKED_BYTE)
    try:
        msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)
    except OSError:
        return False
    finally:
        file.seek(0)
    return True


def _holder() -> str:
    """Describe this process for the message of another one."""
    command = shlex.join([Path(sys.argv[0]).name, *sys.argv[1:]]) if sys.argv else Path(sys.executable).name
    if len(command) > MAX_COMMAND:
        command = command[:MAX_COMMAND] + "…"
    return f"process {os.getpid()} on {platform.node()} since {time.strftime('%Y-%m-%d %H:%M:%S')}: {command}"
