"""Files and folders that are either whole or not there."""

import contextlib
import shutil
import uuid
from collections.abc import Iterator
from pathlib import Path


def _remove(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path, ignore_errors=True)
    else:
        path.unlink(missing_ok=True)


@contextlib.contextmanager
def write_beside(path: str | Path) -> Iterator[Path]:
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
    >>> with write_beside(target) as draft:
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
