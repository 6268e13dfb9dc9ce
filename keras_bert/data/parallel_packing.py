"""Packing of many text files in several processes, joined by a manifest."""

import contextlib
import dataclasses
import functools
import warnings
from collections.abc import Callable, Iterable
from pathlib import Path

from keras_bert.data.corpus import load_corpus
from keras_bert.data.manifest import write_manifest
from keras_bert.data.packing import PackSettings, pack_file
from keras_bert.data.worker_pool import map_in_processes
from keras_bert.errors import InputError
from keras_bert.files import remove_unfinished, target_of


def pack_files(
    files: str | Path | Iterable[str | Path],
    vocabulary: Iterable[str] | str | Path,
    out: str | Path,
    *,
    workers: int = 1,
    on_file: Callable[[dict], None] | None = None,
    **settings,
) -> dict:
    """Tokenize and pack text files of any size for pretraining, each file as a task of its own.

    The rows of a file depend on its text and on the settings, but not on the other files or on `workers`. Each file
    becomes a folder of `out`, which appears when it is complete. `manifest.json` is written when all are. If the call
    is interrupted, the same call continues: complete folders are verified and not packed again.

    A worker needs neither TensorFlow nor Keras. It reads a file in parts (`shard_size`), so its memory does not depend
    on the size of the file; a line must fit into memory. Random segments B come from the same part of the same file.

    With `workers` above 1, a script must call this under `if __name__ == "__main__":`, as `multiprocessing` requires.

    Args:
        files: `"sample"`, paths, glob patterns, or a list of these, as for `load_corpus`: UTF-8, a paragraph per line,
            a blank line between documents. A document longer than `shard_size` / 64 characters is cut.
        vocabulary: the tokens in the order of their ids, or the path of a `vocab.txt`.
        out: the folder to write, or to complete.
        workers: the number of processes.
        on_file: function that is called with the manifest's entry of each file when it is packed, in their order.
        **settings: `sequence_length` (128), the length of a row; `sentence_task` (`"next"`, `"order"` or None);
            `dupe_factor` (1), see `pack_examples`; `held_out` (0.05), the fraction of the documents of each file for
            validation; `seed` (0); `shard_size` (2^23), in characters; `lowercase` (True); `added_tokens` (none),
            tokens of the vocabulary that stay whole; `splitting`, a `text.splitting.Splitting`.

    Returns:
        The content of `manifest.json`: `settings`, the numbers of `rows` and `tokens`, and of each of the `files` its
        name, its SHA-256, its folder, and the SHA-256 of each array.

    Raises:
        InputError: a file does not exist, has no text or occurs twice; the folder was packed with other settings, or a
            file of it is damaged; `pack_examples` and `TokenizedDocuments.split` reject the documents of a file.

    Example:

    >>> import tempfile
    >>> folder = Path(tempfile.mkdtemp())
    >>> vocabulary = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "a", "fine", "film", "##s", ".", "!"]
    >>> for name in ("a", "b"):
    ...     _ = (folder / f"{name}.txt").write_text(f"A fine film, {name}.\\n\\nFine films!\\n")
    >>> settings = {"sequence_length": 16, "held_out": 0}
    >>> manifest = pack_files(folder / "*.txt", vocabulary, folder / "packed", **settings)
    >>> manifest["rows"], [entry["file"] for entry in manifest["files"]]
    ({'train': 4}, ['a.txt', 'b.txt'])

    Source: Devlin et al. 2018, section 3.1 and appendix A.2; create_pretraining_data.py of google-research/bert.
    """
    names = [files] if isinstance(files, str | Path) else list(files)
    if any(isinstance(name, str) and name.startswith("tfds:") for name in names):
        raise InputError(f"`files` must be text files. Received: files={names}. Use `load_corpus` for TFDS.")
    paths = load_corpus(names).files
    checked = PackSettings(vocabulary, **settings)
    out = Path(out)
    if out.exists() and not out.is_dir():
        raise InputError(f"`out` must be a folder. Received: out={out}, which is a file")
    for target in {target_of(draft) for draft in out.glob(".*.tmp")} - {None}:
        for note in remove_unfinished(target):
            warnings.warn(f"left by a process that was killed: {note}", stacklevel=2)
    fields = {field.name: getattr(checked, field.name) for field in dataclasses.fields(checked)}
    task, entries = functools.partial(pack_file, out=out, **fields), {}
    try:
        with contextlib.closing(map_in_processes(task, paths, workers)) as found:
            for path, entry in zip(paths, found, strict=True):
                if entry["folder"] in entries:
                    raise InputError(f"`files` must be different. Received: {path}, which occurs twice")
                entries[entry["folder"]] = entry
                if on_file is not None:
                    on_file(entry)
        return write_manifest(out, list(entries.values()), checked.vocabulary)
    finally:
        with contextlib.suppress(OSError):  # only an empty folder, which a task with invalid input left, is deleted
            out.rmdir()
