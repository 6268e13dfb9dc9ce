"""Steps on files and folders that Python has no single call for: rename with retries, exchange, write to the disk."""

import errno
import os
import shutil
import sys
import time
from pathlib import Path

from keras_bert.errors import InputError

RENAME_DELAYS = (0.05, 0.1, 0.2, 0.4)  # seconds
AT_FDCWD = -100  # of Linux: paths are relative to the current folder
RENAME_EXCHANGE = 2  # of Linux, linux/fs.h
RENAME_SWAP = 2  # of macOS, sys/stdio.h
NOT_SUPPORTED = (errno.ENOSYS, errno.EINVAL, errno.EOPNOTSUPP, errno.ENOTSUP)


def follow_link(path: str | Path) -> Path:
    """Return the path that a symbolic link leads to, which need not exist, or the path itself if it is no link.

    Raises:
        InputError: the link leads back to itself.
    """
    path = Path(path)
    if not path.is_symlink():
        return path
    target = Path(os.path.realpath(path))
    if target.is_symlink():
        raise InputError(f"`out` must not be a symbolic link that leads back to itself. Received: {path}")
    return target


def is_folder(path: Path) -> bool:
    """Return whether a path is a folder and no symbolic link to one."""
    return path.is_dir() and not path.is_symlink()


def remove(path: Path) -> None:
    """Delete a file or a folder, as far as the system allows."""
    if is_folder(path):
        shutil.rmtree(path, ignore_errors=True)
    else:
        path.unlink(missing_ok=True)


def rename(source: Path, target: Path) -> None:
    """Rename; on a permission error, wait and try again.

    On Windows, a virus scanner or an indexer may have a new file open for a short time, and open files cannot be
    renamed.
    """
    for delay in (*RENAME_DELAYS, None):
        try:
            source.replace(target)  # unlike `rename`, it overwrites an existing file on Windows too
            return
        except PermissionError:
            if delay is None:
                raise
            time.sleep(delay)


def exchange(one: Path, other: Path) -> bool:
    """Exchange two existing paths in one step, so that at no moment one of them is missing.

    Returns:
        False if the operating system or the file system cannot do that; nothing is changed then.

    Raises:
        OSError: the system can, but not for these paths.

    Source: renameat2(2) of Linux, renamex_np(2) of macOS.
    """
    import ctypes

    library = None if sys.platform == "win32" else ctypes.CDLL(None, use_errno=True)
    paths = os.fsencode(one), os.fsencode(other)
    if hasattr(library, "renameat2"):
        status = library.renameat2(AT_FDCWD, paths[0], AT_FDCWD, paths[1], ctypes.c_uint(RENAME_EXCHANGE))
    elif hasattr(library, "renamex_np"):
        status = library.renamex_np(*paths, ctypes.c_uint(RENAME_SWAP))
    else:
        return False
    if status == 0:
        return True
    code = ctypes.get_errno()
    if code in NOT_SUPPORTED:
        return False
    raise OSError(code, os.strerror(code), str(one), None, str(other))


def sync(path: Path) -> None:
    """Wait until a file, or a folder with all that it contains, is on the disk, so that it survives a power failure.

    Some file systems report only now that the disk is full.

    Raises:
        OSError: the content cannot be written.
    """
    if not is_folder(path):
        _sync_one(path)
        return
    for folder, _, names in os.walk(path):
        for name in names:
            file = Path(folder, name)
            if file.is_file() and not file.is_symlink():
                _sync_one(file)
        sync_entries(Path(folder))


def sync_entries(folder: Path) -> None:
    """Wait until the names in a folder are on the disk. Windows has no such call."""
    if sys.platform != "win32":
        _sync_one(folder)


def _sync_one(path: Path) -> None:
    # Windows flushes only files that are open for writing.
    descriptor = os.open(path, os.O_RDWR if sys.platform == "win32" else os.O_RDONLY)
    try:
        os.fsync(descriptor)
    except OSError as error:
        if error.errno not in NOT_SUPPORTED:  # a file system without this call
            raise
    finally:
        os.close(descriptor)
