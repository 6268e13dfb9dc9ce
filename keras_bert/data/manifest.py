"""The manifest of a packed folder: its files, rows and checksums; and its vocabulary."""

import json
from collections.abc import Iterable
from pathlib import Path

from keras_bert.data.packing import sha256_of_vocabulary, source_of
from keras_bert.errors import InputError
from keras_bert.files import atomic_write
from keras_bert.text.splitting import Splitting
from keras_bert.text.stored_rows import METADATA_FILE
from keras_bert.text.vocabulary import load_vocabulary, save_vocabulary

MANIFEST_FILE = "manifest.json"
VOCABULARY_FILE = "vocab.txt"


def write_manifest(folder: Path, entries: list[dict], vocabulary: Iterable[str]) -> dict:
    """Write `vocab.txt` and `manifest.json`.

    Args:
        folder: the packed folder.
        entries: the results of `pack_file`, in the order of the files.
        vocabulary: the tokens.

    Returns:
        The content of `manifest.json`. It has no times, so that the same files and settings give the same bytes.
    """
    stored = json.loads((folder / entries[0]["folder"] / METADATA_FILE).read_text(encoding="utf-8"))["settings"]
    settings = {name: value for name, value in stored.items() if name not in source_of("", "")}
    parts = sorted({name for entry in entries for name in entry["rows"]}, reverse=True)  # train, held_out
    totals = {
        kind: {name: sum(entry[kind].get(name, 0) for entry in entries) for name in parts}
        for kind in ("rows", "tokens")
    }
    manifest = {"settings": settings, **totals, "files": entries}
    save_vocabulary(vocabulary, folder / VOCABULARY_FILE)
    with atomic_write(folder / MANIFEST_FILE) as draft:
        draft.write_text(json.dumps(manifest, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    return manifest


def read_manifest(folder: str | Path) -> dict:
    """Read `manifest.json`.

    Args:
        folder: a folder that `pack_files` or `keras-bert pack` wrote.

    Returns:
        A dict of `settings`, `rows`, `tokens` and `files`.

    Raises:
        InputError: the folder has no manifest, or a damaged one.
    """
    file = Path(folder) / MANIFEST_FILE
    if not file.is_file():
        raise InputError(
            f"`folder` must be a packed folder. Received: {folder}, without {MANIFEST_FILE}, which is written when all "
            "files are packed. Run the same `keras-bert pack` again to complete it."
        )
    try:
        manifest = json.loads(file.read_text(encoding="utf-8"))
        for entry in manifest["files"]:
            entry["file"], entry["sha256"], entry["folder"], entry["rows"]["train"], entry["arrays"].items()
            if Path(entry["folder"]).name != entry["folder"]:
                raise ValueError(f"folder={entry['folder']!r}")
            for name in entry["arrays"]:
                if Path(name).is_absolute() or ".." in Path(name).parts:
                    raise ValueError(f"arrays={name!r}")
        settings, rows = manifest["settings"], manifest["rows"]
        settings["vocabulary"], settings["lowercase"], settings["added_tokens"], rows["train"], manifest["tokens"]
        found = {name: sum(entry["rows"].get(name, 0) for entry in manifest["files"]) for name in rows}
        if found != rows or 0 in rows.values():
            raise ValueError(f"rows={rows}, but {found} in its files")
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise InputError(
            f"`folder` must have the {MANIFEST_FILE} that `keras-bert pack` wrote. Received: {file} "
            f"({type(error).__name__}: {' '.join(str(error).split()):.200}). Run the same `keras-bert pack` again."
        ) from None
    return manifest


def packed_tokenizer(folder: str | Path) -> dict:
    """Return the arguments of the `BertTextVectorization` with which a folder was packed.

    Args:
        folder: a packed folder.

    Returns:
        A dict of `vocabulary`, `lowercase`, `added_tokens`, and the fields of `Splitting` that differ from the default.

    Raises:
        InputError: as `read_manifest`, or `vocab.txt` is missing or another one.
    """
    settings = read_manifest(folder)["settings"]
    file = Path(folder) / VOCABULARY_FILE
    vocabulary = load_vocabulary(file)
    if sha256_of_vocabulary(vocabulary) != settings["vocabulary"]:
        raise InputError(
            f"`folder` must have the vocabulary with which it was packed. Received: {file}, a different one. "
            "Copy the original file there."
        )
    changes = Splitting.from_dict(settings).changes()
    return {
        "vocabulary": vocabulary,
        "lowercase": settings["lowercase"],
        "added_tokens": settings["added_tokens"],
        **changes,
    }
