"""The working folder of a long run, and the lock of what the run writes."""

import contextlib
import warnings
from collections.abc import Iterator
from pathlib import Path

from keras_bert.errors import InputError
from keras_bert.file_locks import lock
from keras_bert.file_system import remove
from keras_bert.files import remove_unfinished, target_of

WORKING_FILES = ("tour.json", "vocab.txt", "training")  # at least one of them is in every working folder
DISCARDED = "discarded"  # marks a working folder whose run is complete


@contextlib.contextmanager
def reserve(out: str | Path) -> Iterator[list[str]]:
    """Lock the path that a run writes, and remove what killed runs left beside it and in its working folder.

    Args:
        out: the path that the run writes at its end.

    Yields:
        What was removed, one text per file or folder.

    Raises:
        InputError: another run writes the same path.
        OSError: the folder of `out` cannot be written.
    """
    out = Path(out)
    with lock(out) as lock_file:
        notes = [] if lock_file is None else [f"{lock_file} was removed"]
        drafts = sorted(_working_folder(out).rglob(".*.tmp"))
        targets = {target for target in map(target_of, drafts) if target is not None}
        yield notes + [note for path in (out, *sorted(targets)) for note in remove_unfinished(path)]


def _working_folder(out: Path) -> Path:
    return out.with_name(f"{out.name}.work")


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
    with reserve(out) as notes:
        for note in notes:
            warnings.warn(f"left by a process that was killed: {note}", stacklevel=3)
        work = _working_folder(out)
        _open(work, resume)
        try:
            yield work
        except BaseException as error:
            has_checkpoint = any(work.rglob("checkpoint.npz"))
            if not has_checkpoint:
                _discard(work)
            elif isinstance(error, KeyboardInterrupt):
                raise Interrupted(f"a checkpoint was saved in {work}; {hint}") from None
            elif isinstance(error, OSError):
                error.add_note(f"A checkpoint is kept in {work}; {hint}.")
            raise
        _discard(work)


def _open(work: Path, resume: bool) -> None:
    """Create the working folder, or check that it may be used."""
    if (work / DISCARDED).exists():
        remove(work)
    if not resume and work.exists() and not (work.is_dir() and not any(work.iterdir())):
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


def _discard(work: Path) -> None:
    """Mark a working folder, whose run is complete, and delete it. If this is interrupted, the next run deletes it.

    On Windows, a memory-mapped file cannot be deleted, and the packed examples of the run may still be mapped.
    """
    if not work.is_dir():
        return
    with contextlib.suppress(OSError):  # the disk is full
        (work / DISCARDED).touch()
    for path in list(work.iterdir()):
        if path.name != DISCARDED:
            remove(path)
    if all(path.name == DISCARDED for path in work.iterdir()):
        remove(work)
