"""Folders of sentence-transformers: an encoder of Hugging Face, in it or in `0_Transformer/`, and its pooling."""

import dataclasses
from pathlib import Path

from keras_bert.errors import InputError
from keras_bert.weights.json_file import read_json, read_json_list

MODULES = "modules.json"
ENCODERS = ("Transformer", "BERT", "DistilBERT", "ALBERT")
IGNORED = ("Dropout",)  # it has no effect on the vectors
POOLS = {  # field of the pooling's config: `pool` of `kb.embed`
    "pooling_mode_mean_tokens": "mean",
    "pooling_mode_cls_token": "cls",
    "pooling_mode_max_tokens": "max",
}
LENGTH_FILES = tuple(f"sentence_{name}_config.json" for name in ("bert", "distilbert", "albert"))


@dataclasses.dataclass(frozen=True)
class SentenceModel:
    """What a folder of sentence-transformers declares.

    Attributes:
        folder: the folder of the encoder.
        pool: `"mean"`, `"cls"` or `"max"`; None if there is no pooling.
        normalize: whether the vectors have the length 1.
        sequence_length: the number of tokens to which a text is truncated; None if it is not stated.
        lowercase: whether texts are lowercased before the tokenizer.
    """

    folder: Path
    pool: str | None = None
    normalize: bool = False
    sequence_length: int | None = None
    lowercase: bool = False


def read_modules(path: Path) -> SentenceModel:
    """Read `modules.json` and the config files of the modules; a folder without it is that of an encoder.

    Args:
        path: the folder.

    Returns:
        A `SentenceModel`.

    Raises:
        InputError: a file is damaged, there is no encoder, or the model has a module or a pooling that this package
            does not have.

    Source: `modules.json`, `Pooling.py` and `Transformer.py` of sentence-transformers.
    """
    if not (path / MODULES).is_file():
        return SentenceModel(path)
    folder, pool, normalize = None, None, False
    for module in read_json_list(path / MODULES):
        kind, part = _kind_and_path(module, path)
        if kind in ENCODERS and folder is None:
            folder = path / part
        elif kind == "Pooling" and folder is not None and pool is None:
            pool = _read_pool(path / part / "config.json")
        elif kind == "Normalize" and pool is not None:
            normalize = True
        elif kind not in IGNORED:
            hint = "" if folder in (None, path) else f" For the encoder alone, give the folder {folder}."
            raise InputError(
                "`source` must be a sentence model of an encoder, a pooling and a normalization. "
                f"Received: source={path} (a module {kind!r:.60}).{hint}"
            )
    if folder is None:
        raise InputError(f"`source` must be a sentence model with an encoder. Received: source={path} (no encoder)")
    length, lowercase = _read_length(folder)
    return SentenceModel(folder, pool, normalize, length, lowercase)


def _kind_and_path(module, path: Path) -> tuple[str, str]:
    """Return the class of a module, without its package, and its folder."""
    kind, part = (module.get(name) for name in ("type", "path")) if isinstance(module, dict) else (None, None)
    if not isinstance(kind, str) or not isinstance(part, str) or part not in ("", Path(part).name):
        raise InputError(
            "`source` must have modules with a `type` and a `path` inside the folder. "
            f"Received: source={path / MODULES} ({module!r:.60})"
        )
    return kind.rsplit(".", 1)[-1], part


def _read_pool(file: Path) -> str:
    settings = read_json(file)
    modes = [name for name, value in settings.items() if name.startswith("pooling_mode_") and value]
    if len(modes) != 1 or modes[0] not in POOLS:
        raise InputError(
            f"`pooling_mode` must be exactly one of {', '.join(POOLS)}. "
            f"Received: {', '.join(modes)[:100] or 'none'} in {file}"
        )
    return POOLS[modes[0]]


def _read_length(folder: Path) -> tuple[int | None, bool]:
    file = next((folder / name for name in LENGTH_FILES if (folder / name).is_file()), None)
    settings = {} if file is None else read_json(file)
    length, lowercase = settings.get("max_seq_length"), settings.get("do_lower_case", False)
    if length is not None and (type(length) is not int or length < 3):
        raise InputError(
            "`max_seq_length` must be null or an integer of at least 3. "
            f"Received: max_seq_length={length!r:.40} in {file}"
        )
    if not isinstance(lowercase, bool):
        raise InputError(f"`do_lower_case` must be true or false. Received: do_lower_case={lowercase!r:.40} in {file}")
    return length, lowercase
