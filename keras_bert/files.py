"""Files and folders that are either whole or not there."""

import contextlib
import shutil
import uuid
from collections.abc import Iterator
from pathlib import Path

from keras_bert.errors import InputError

OURS = ("tour.json", "vocab.txt", "training")


def _remove(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path, ignore_errors=True)
    else:
        path.unlink(missing_ok=True)


@contextlib.contextmanager
def atomic_write(path: str | Path) -> Iterator[Path]:
    """Give a free path beside `path`; on success it takes the place of `path`, on any error nothing is left of it.

    What stood at `path` before stays untouched until the new content is complete, so that a full disk or Ctrl-C
    loses nothing. The suffix is kept, since Keras chooses its format by it.

    Args:
        path: the file or folder to (re)place. Missing parent folders are made.

    Yields:
        A path in the same folder, not existing yet: create a file or a folder there.

    Example:

    >>> import tempfile
    >>> target = Path(tempfile.mkdtemp()) / "vocab.txt"
    >>> with atomic_write(target) as draft:
    ...     _ = draft.write_text("[PAD]")
    >>> target.read_text()
    '[PAD]'
    """
    target = Path(path)
    target.parent.mkdir(parents=True, exist_ok=True)
    token = uuid.uuid4().hex[:8]
    draft = target.with_name(f".{token}-{target.name}")
    try:
        yield draft
        if target.is_dir() and not target.is_symlink():  # rename cannot replace a filled folder: move it away first
            old = target.with_name(f".{token}-old-{target.name}")
            target.rename(old)
            try:
                draft.rename(target)
            except BaseException:
                old.rename(target)
                raise
            _remove(old)
        else:
            draft.replace(target)
    finally:
        _remove(draft)


class Interrupted(KeyboardInterrupt):
    """Ctrl-C, with the line that says what stands and how to go on."""


@contextlib.contextmanager
def working_directory(out: Path, resume: bool, hint: str = "the same command with --resume goes on") -> Iterator[Path]:
    """Give the folder `<out>.work`; it is removed at the end, but stays after Ctrl-C or an error with its checkpoint.

    Args:
        out: what is written at the end.
        resume: go on with what an interrupted run left there. Without it, such a folder is an error, so that hours of
            work are not lost by a command given twice.
        hint: how to go on, for the line after Ctrl-C.

    Yields:
        The folder.

    Raises:
        InputError: there is unfinished work and `resume` is not given.
        Interrupted: Ctrl-C inside, and a checkpoint stands.
    """
    work = out.with_name(f"{out.name}.work")
    if work.exists() and not resume:
        raise InputError(
            f"give --resume to go on with unfinished work, or remove it. Received: {work}, without --resume"
        )
    if work.is_dir() and any(work.iterdir()) and not any((work / name).exists() for name in OURS):
        raise InputError(f"a folder for unfinished work is expected. Received: {work}, with other files")
    try:
        work.mkdir(parents=True, exist_ok=True)
    except FileExistsError:
        raise InputError(f"a folder for unfinished work is expected. Received: {work}, which is a file") from None
    try:
        yield work
    except BaseException as error:
        stands = any(work.rglob("checkpoint.npz"))
        if not stands:
            shutil.rmtree(work)
        if stands and isinstance(error, KeyboardInterrupt):
            raise Interrupted(f"the checkpoint in {work} stands; {hint}") from None
        raise
    shutil.rmtree(work)
