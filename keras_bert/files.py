"""Atomic writes of files and folders, and the working folder of a long run."""

import contextlib
import shutil
import time
import uuid
from collections.abc import Iterator
from pathlib import Path

from keras_bert.errors import InputError

WORKING_FILES = ("tour.json", "vocab.txt", "training")  # at least one of them is in every working folder
DISCARDED = "discarded"  # marks a working folder that the system did not allow to be deleted
RENAME_DELAYS = (0.05, 0.1, 0.2, 0.4)  # seconds


@contextlib.contextmanager
def atomic_write(path: str | Path) -> Iterator[Path]:
    """Write a file or a folder completely or not at all.

    The content is written to a temporary path in the same folder, which is renamed to `path` on success and deleted on
    any error. The previous content of `path` is kept until then, so a full disk or Ctrl-C cannot damage it.

    Args:
        path: the file or folder to write or replace. Missing parent folders are created.

    Yields:
        The temporary path, which does not exist yet: create a file or a folder there, and close it. It has the suffix
        of `path`, because Keras chooses a file format by the suffix.

    Example:

    >>> import tempfile
    >>> target = Path(tempfile.mkdtemp()) / "vocab.txt"
    >>> with atomic_write(target) as draft:
    ...     _ = draft.write_text("[PAD]", encoding="utf-8")
    >>> target.read_text(encoding="utf-8")
    '[PAD]'
    """
    target = Path(path)
    target.parent.mkdir(parents=True, exist_ok=True)
    unique = uuid.uuid4().hex[:8]
    draft = target.with_name(f".{unique}-{target.name}")
    try:
        yield draft
        if _is_folder(target) or (_is_folder(draft) and target.exists()):
            # No operating system can rename something to the path of a folder with files, or a folder to the path of
            # a file: rename the old one first.
            old = target.with_name(f".{unique}-old-{target.name}")
            _rename(target, old)
            try:
                _rename(draft, target)
            except BaseException:
                _rename(old, target)
                raise
            _remove(old)
        else:
            _rename(draft, target)
    finally:
        _remove(draft)


def _rename(source: Path, target: Path) -> None:
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


def _remove(path: Path) -> None:
    if _is_folder(path):
        shutil.rmtree(path, ignore_errors=True)
    else:
        path.unlink(missing_ok=True)


def _is_folder(path: Path) -> bool:
    return path.is_dir() and not path.is_symlink()


class Interrupted(KeyboardInterrupt):
    """Ctrl-C in a run with a checkpoint. The message contains the path of the checkpoint and how to continue."""


@contextlib.contextmanager
def working_directory(
    out: Path, resume: bool, hint: str = "run the same command with --resume to continue"
) -> Iterator[Path]:
    """Create the folder `<out>.work` for a long run, and delete it at the end.

    After Ctrl-C or an error, the folder is kept if it contains a checkpoint.

    Args:
        out: the path that the run writes at its end.
        resume: continue from the checkpoint of an interrupted run. Without it, an existing folder is an error, so that
            a repeated command cannot overwrite hours of work.
        hint: how to continue, for the end of the message after Ctrl-C.

    Yields:
        The path of the folder.

    Raises:
        InputError: the folder exists and `resume` is False, or its path is a file or a folder with other content.
        Interrupted: Ctrl-C, and the folder contains a checkpoint.
    """
    work = out.with_name(f"{out.name}.work")
    if (work / DISCARDED).exists():
        _remove(work)
    if work.exists() and not resume:
        raise InputError(
            f"`--resume` must be given where unfinished work exists. Received: {work}, without --resume. "
            "Give --resume to continue that work, or delete the folder."
        )
    if work.is_dir() and any(work.iterdir()) and not any((work / name).exists() for name in WORKING_FILES):
        raise InputError(
            f"`out` must be a path whose working folder is unused. Received: {work} (a folder with other files). "
            "Use another path, or move that folder."
        )
    try:
        work.mkdir(parents=True, exist_ok=True)
    except FileExistsError:
        raise InputError(
            f"`out` must be a path whose working folder is unused. Received: {work} (a file). "
            "Use another path, or move that file."
        ) from None
    try:
        yield work
    except BaseException as error:
        has_checkpoint = any(work.rglob("checkpoint.npz"))
        if not has_checkpoint:
            _discard(work)
        if has_checkpoint and isinstance(error, KeyboardInterrupt):
            raise Interrupted(f"a checkpoint was saved in {work}; {hint}") from None
        raise
    _discard(work)


def _discard(work: Path) -> None:
    """Delete a working folder, or mark it, so that the next run deletes it.

    On Windows, a memory-mapped file cannot be deleted, and the packed examples of the run may still be mapped.
    """
    _remove(work)
    if work.exists():
        with contextlib.suppress(OSError):
            (work / DISCARDED).touch()
