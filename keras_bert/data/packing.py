"""Packing of one text file into pretraining examples on disk: a task that needs no other file and no TensorFlow."""

import dataclasses
import functools
import hashlib
from collections.abc import Iterable
from pathlib import Path

from keras_bert.config import check_sentence_task
from keras_bert.data.corpus import read_documents
from keras_bert.data.files import check_file
from keras_bert.errors import InputError
from keras_bert.text.added_tokens import check_added_tokens
from keras_bert.text.cached_tokenizer import CachedTokenizer
from keras_bert.text.documents import TokenizedDocuments
from keras_bert.text.shards import MIN_DOCUMENTS, pack_to_disk
from keras_bert.text.splitting import Splitting
from keras_bert.text.vocabulary import check_vocabulary, load_vocabulary

MAX_WORDS = 2**17  # in the cache of the tokenizer: files have millions of words


@dataclasses.dataclass(frozen=True)
class PackSettings:
    """What determines the rows of a file, beside its text. The arguments are those of `pack_files`."""

    vocabulary: Iterable[str] | str | Path
    sequence_length: int = 128
    sentence_task: str | None = "next"
    dupe_factor: int = 1
    held_out: float = 0.05
    seed: int = 0
    shard_size: int = 2**23
    lowercase: bool = True
    added_tokens: Iterable[str] = ()
    splitting: Splitting = Splitting()

    def __post_init__(self):
        tokens = self.vocabulary
        tokens = load_vocabulary(tokens) if isinstance(tokens, str | Path) else check_vocabulary(list(tokens))
        object.__setattr__(self, "vocabulary", tuple(tokens))  # can be hashed, unlike a list
        object.__setattr__(self, "added_tokens", tuple(check_added_tokens(self.added_tokens)))
        missing = sorted(set(self.added_tokens) - set(tokens))
        if missing:
            raise InputError(f"`added_tokens` must be in `vocabulary`. Received: {missing[0]!r:.60}, which is not")
        check_sentence_task(self.sentence_task)
        if not 0 <= self.held_out < 1:
            raise InputError(f"`held_out` must be in [0, 1). Received: held_out={self.held_out!r}")
        if self.shard_size < MIN_DOCUMENTS:
            raise InputError(f"`shard_size` must be at least {MIN_DOCUMENTS}. Received: shard_size={self.shard_size!r}")

    def tokenizer_settings(self) -> dict:
        """Return the settings of the tokenizer as values of JSON; of the vocabulary, its SHA-256."""
        return {
            "vocabulary": sha256_of_vocabulary(self.vocabulary),
            "lowercase": self.lowercase,
            "added_tokens": list(self.added_tokens),
            **self.splitting.changes(),
        }


def pack_file(file: str | Path, vocabulary, out: str | Path, **settings) -> dict:
    """Pack one text file into a folder of `out`, or verify the folder if it is there already.

    It is the task of `pack_files`, for a scheduler of your own: the tasks of several files may run in any order and on
    several machines. The folder is named after the file and its content, and appears when it is complete.

    Args:
        file: a UTF-8 text file, plain, `.gz` or `.xz`.
        vocabulary, out: as for `pack_files`.
        **settings: the settings of `pack_files`.

    Returns:
        The entry of the file in `manifest.json`.

    Raises:
        InputError: as for `pack_files`; the folder was packed with other settings, or is damaged.

    Example:

    >>> import tempfile
    >>> folder = Path(tempfile.mkdtemp())
    >>> _ = (folder / "a.txt").write_text("A fine film.\\n\\nFine films!\\n")
    >>> vocabulary = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "a", "fine", "film", "##s", ".", "!"]
    >>> entry = pack_file(folder / "a.txt", vocabulary, folder / "packed", sequence_length=16, held_out=0)
    >>> entry["folder"], entry["rows"], entry["tokens"]
    ('a.txt-dea96fc3', {'train': 2}, {'train': 22})
    """
    settings = PackSettings(vocabulary, **settings)
    file = check_file(file)
    digest = sha256(file)
    folder = Path(out) / f"{file.name}-{digest[:8]}"
    tokenizer = _tokenizer(settings)

    def tokenize(documents: Iterable[list[str]]) -> TokenizedDocuments:
        return TokenizedDocuments.from_lists([tokenizer(text) for text in document] for document in documents)

    try:
        train, held_out = pack_to_disk(
            folder,
            read_documents(file, settings.shard_size // MIN_DOCUMENTS),
            tokenize,
            settings.sequence_length,
            settings.vocabulary.index("[CLS]"),
            settings.vocabulary.index("[SEP]"),
            vocab_size=len(settings.vocabulary),
            sentence_task=settings.sentence_task,
            dupe_factor=settings.dupe_factor,
            held_out=settings.held_out,
            seed=settings.seed,
            shard_size=settings.shard_size,
            sources={**settings.tokenizer_settings(), **source_of(file.name, digest)},
        )
    except InputError as error:
        raise error if str(file) in str(error) else InputError(f"{error} The file is {file}.") from None
    parts = {"train": train} if held_out is None else {"train": train, "held_out": held_out}
    return {
        **source_of(file.name, digest),
        "bytes": file.stat().st_size,
        "folder": folder.name,
        "rows": {name: len(part) for name, part in parts.items()},
        "tokens": {name: int(part.lengths.sum(dtype="int64")) for name, part in parts.items()},
        "arrays": {path.relative_to(folder).as_posix(): sha256(path) for path in sorted(folder.rglob("*.npy"))},
    }


def source_of(name: str, digest: str) -> dict[str, str]:
    """Return what is stored about the file of a folder."""
    return {"file": name, "sha256": digest}


def sha256(path: Path) -> str:
    """Return the SHA-256 of a file in hexadecimal digits, as `sha256sum` prints it."""
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def sha256_of_vocabulary(tokens: Iterable[str]) -> str:
    """Return the SHA-256 of the file that `save_vocabulary` writes."""
    return hashlib.sha256("".join(f"{token}\n" for token in tokens).encode()).hexdigest()


@functools.lru_cache(maxsize=1)
def _tokenizer(settings: PackSettings) -> CachedTokenizer:
    """Return the tokenizer of some settings; a process that packs several files builds it once."""
    vocabulary = list(settings.vocabulary)
    return CachedTokenizer(vocabulary, settings.lowercase, settings.added_tokens, settings.splitting, MAX_WORDS)
