"""Atomic writes of files and folders."""

import contextlib
import errno
import os
import re
import uuid
import warnings
from collections.abc import Iterator
from pathlib import Path

from keras_bert.errors import InputError
from keras_bert.file_locks import NoLocks, open_locked
from keras_bert.file_system import exchange, follow_link, is_folder, remove, rename, sync, sync_entries

DRAFT_FOLDER = re.compile(r"\.(.+)\.[0-9a-f]{8}\.tmp", re.DOTALL)  # see `_draft_folder`
DISK_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


@contextlib.contextmanager
def atomic_write(path: str | Path) -> Iterator[Path]:
    """Write a file or a folder completely or not at all.

    The content is written to a hidden folder beside `path`, written to the disk (fsync), and moved to `path` on
    success. The previous content of `path` is kept until then, so a full disk or Ctrl-C cannot damage it. Where the
    system can exchange two paths in one step (Linux, macOS), there is no moment without a complete `path`; elsewhere a
    folder that was being replaced when the process was killed is restored by `remove_unfinished`.

    What a killed process left for `path` is removed first, with a warning that names it.

    Args:
        path: the file or folder to write or replace. Missing parent folders are created. If it is a symbolic link, what
            it leads to is written, and the link is kept.

    Yields:
        The temporary path, which does not exist yet: create a file or a folder there, and close it. It has the name of
        `path`, because Keras chooses a file format by the suffix.

    Raises:
        InputError: `path` is neither a file nor a folder, but a device or a pipe, or a link that leads back to itself.
        OSError: the disk is full or cannot be written.

    Example:

    >>> import tempfile
    >>> target = Path(tempfile.mkdtemp()) / "vocab.txt"
    >>> with atomic_write(target) as draft:
    ...     _ = draft.write_text("[PAD]", encoding="utf-8")
    >>> target.read_text(encoding="utf-8")
    '[PAD]'
    """
    target = follow_link(path)
    if target.exists() and not (target.is_file() or target.is_dir()):
        raise InputError(f"`path` must be a file or a folder to write. Received: {path} (a device or a pipe)")
    target.parent.mkdir(parents=True, exist_ok=True)
    for name in remove_unfinished(target):
        warnings.warn(f"left by a process that was killed: {name}", stacklevel=3)
    with _draft_folder(target) as folder, _disk_full_as_os_error(target):
        draft = folder / target.name
        yield draft
        sync(draft)
        sync_entries(folder)
        if (is_folder(target) or is_folder(draft)) and target.exists():
            if not exchange(draft, target):
                # Nothing can be renamed to the path of a folder with files: rename the old one first. If the second
                # step fails, `_draft_folder` undoes the first one.
                rename(target, _old(draft))
                rename(draft, target)
        else:
            rename(draft, target)
        sync_entries(target.parent)


@contextlib.contextmanager
def _draft_folder(target: Path) -> Iterator[Path]:
    """Create a hidden folder beside a path, with a locked file that shows that its process is alive; delete it."""
    while True:
        folder = target.with_name(f".{target.name}.{uuid.uuid4().hex[:8]}.tmp")
        folder.mkdir()
        try:
            file = open_locked(_lock_file(folder / target.name))
        except FileNotFoundError:  # another process took the folder, which was not locked yet, for an old one
            continue
        except NoLocks:
            file = contextlib.nullcontext()
        if file is not None:
            break
    old = _old(folder / target.name)
    try:
        with file:
            try:
                yield folder
            finally:
                if old.exists() and not os.path.lexists(target):
                    rename(old, target)
    finally:
        remove(folder)


def _lock_file(draft: Path) -> Path:
    return draft.with_name(f"{draft.name}.lock")


def _old(draft: Path) -> Path:
    return draft.with_name(f"{draft.name}.old")


@contextlib.contextmanager
def _disk_full_as_os_error(path: Path) -> Iterator[None]:
    """Raise the OSError of a full disk where a library raises another exception for it."""
    try:
        yield
    except Exception as error:
        if not isinstance(error, OSError) or error.errno is None:
            for code in DISK_FULL:
                if os.strerror(code) in str(error) or f"errno = {code}," in str(error):
                    raise OSError(code, os.strerror(code), str(path)) from error
        raise


def remove_unfinished(path: str | Path) -> list[str]:
    """Remove what killed processes left when they wrote a file or a folder.

    If a process was killed between the two steps that replace a folder (see `atomic_write`), the new content, which is
    complete, is put in place.

    Args:
        path: what they were writing.

    Returns:
        What was done, one text per file or folder.
    """
    target = follow_link(path)
    found = []
    with contextlib.suppress(OSError):  # the parent does not exist
        found = sorted(folder for folder in target.parent.iterdir() if target_of(folder) == target)
    return [note for folder in found for note in _clean(folder, target)]


def target_of(folder: Path) -> Path | None:
    """Return the path whose draft `atomic_write` put into a hidden folder, or None for any other folder."""
    name = DRAFT_FOLDER.fullmatch(folder.name)
    if name is None or not is_folder(folder):
        return None
    draft = folder / name[1]
    own = {draft, _lock_file(draft), _old(draft)}
    return folder.with_name(name[1]) if own.issuperset(folder.iterdir()) else None


def _clean(folder: Path, target: Path) -> list[str]:
    """Delete the folder of a draft, unless its process is alive, and return what was done."""
    draft, notes = folder / target.name, []
    try:
        file = open_locked(_lock_file(draft))
    except OSError:  # no locks, no permission, or another process deletes it
        return []
    if file is None:
        return []
    with file:
        if not os.path.lexists(target) and _old(draft).exists():
            rename(draft if draft.exists() else _old(draft), target)
            notes = [f"{target}, which is complete, was put in place"]
    remove(folder)
    return [*notes, f"{folder} was removed"]
