"""The folder beside the result where a long training keeps what it needs to go on after Ctrl-C."""

import contextlib
import shutil
from collections.abc import Iterable, Iterator
from pathlib import Path

from keras_bert.errors import InputError
from keras_bert.text import learn_vocabulary, load_vocabulary, save_vocabulary

OURS = ("tour.json", "vocab.txt", "training")


class Interrupted(KeyboardInterrupt):
    """Ctrl-C, with the line that says what stands and how to go on."""


@contextlib.contextmanager
def work_beside(out: Path, resume: bool, hint: str = "the same command with --resume goes on") -> Iterator[Path]:
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


def vocabulary_for(file: str | None, texts: Iterable[str], vocab_size: int, lowercase: bool, work: Path) -> list[str]:
    """The tokens of a file, or else those learned from texts: once, since a resumed training needs the same ids.

    Args:
        file: a vocabulary file, or None.
        texts: read only if there is something to learn.
        vocab_size: how many tokens to learn at most.
        lowercase: as in `BertTextVectorization`.
        work: the folder that keeps what was learned.

    Returns:
        The tokens in the order of their ids.
    """
    kept = work / "vocab.txt"
    if file is None and not kept.exists():
        save_vocabulary(learn_vocabulary(texts, vocab_size, lowercase), kept)
    return load_vocabulary(file or kept)
