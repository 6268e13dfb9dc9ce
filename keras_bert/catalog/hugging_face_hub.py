"""Models of the Hugging Face Hub: addresses, download through `huggingface_hub`, and comparison with known hashes."""

import re
from pathlib import Path

from keras_bert.catalog.hub_files import FORMATS, has_tokenizer, needed_patterns
from keras_bert.catalog.published_models import WEIGHTS, files_at, hash_file, revision_at
from keras_bert.errors import InputError
from keras_bert.extras import require

WEB = "https://huggingface.co/"
VERIFIED = (*WEIGHTS, "vocab.txt")  # what a new revision must not change silently
REJECTED = {  # class of huggingface_hub: what it means. A gated repository comes before one that is not found.
    "RevisionNotFoundError": "the model has no such revision",
    "GatedRepoError": "the model is gated: its page asks for a consent",
    "RepositoryNotFoundError": "there is no such model, or it is private",
    "HFValidationError": "not a valid name",
}
DENIED = (401, 403, 404)  # HTTP status codes


def parse_hugging_face(address: str) -> tuple[str, str | None] | None:
    """Return the repository and the revision (None for the default) of an address, or None for another address.

    Raises:
        InputError: it is an address of the Hugging Face Hub, but not of a model.

    Example:

    >>> parse_hugging_face("hf://google-bert/bert-base-uncased@main")
    ('google-bert/bert-base-uncased', 'main')
    >>> parse_hugging_face("https://huggingface.co/google-bert/bert-base-uncased/tree/refs/pr/1")
    ('google-bert/bert-base-uncased', 'refs/pr/1')
    """
    if address.startswith("hf://"):
        found = re.fullmatch(r"hf://([\w.-]+(?:/[\w.-]+)?)(?:@([\w./-]+))?", address)
    elif address.startswith(WEB):
        pattern = re.escape(WEB) + r"([\w.-]+(?:/[\w.-]+)?)(?:/tree/([\w./-]+?))?/?"
        found = re.fullmatch(pattern, address.partition("?")[0])
    else:
        return None
    if found is None:
        raise InputError(
            "`source` must be hf://NAME or hf://NAME@REVISION, such as hf://google-bert/bert-base-uncased. "
            f"Received: source={address}"
        )
    return found[1], found[2]


def download_hugging_face(source: str, name: str, revision: str | None, weights: bool = True) -> Path:
    """Download the files that are needed to load a model, or find them in the cache.

    The cache, the progress bars, the offline mode (`HF_HUB_OFFLINE=1`) and the access token (`HF_TOKEN`, or `hf auth
    login`) are those of `huggingface_hub`. Without a network, the last version in the cache is used.

    Args:
        source: the address, for error messages.
        name: the repository, such as `"google-bert/bert-base-uncased"`.
        revision: a branch, a tag or a commit. None is the default branch, compared with the hashes of the catalog.
        weights: False for the vocabulary alone, where the format has it in files of its own.

    Returns:
        The folder in the cache.

    Raises:
        InputError: `huggingface_hub` is not installed; the model does not exist, may not be read, is in no format that
            this package reads, or is not in the cache without a network; or a file differs from the published one.

    Source: https://huggingface.co/docs/huggingface_hub, "Download files from the Hub" and "Manage the cache".
    """
    hub = require("huggingface_hub", f"the model {source}")
    try:
        files = [each.rfilename for each in hub.HfApi().model_info(name, revision=revision).siblings or ()]
        patterns = needed_patterns(files, weights)
        if not patterns:
            raise InputError(
                f"`source` must be a model in a format that this package reads. Received: source={source} (no "
                f"model.safetensors or other known weights; its files: {', '.join(sorted(files)[:5]) or 'none'})"
            )
        folder = Path(hub.snapshot_download(name, revision=revision, allow_patterns=patterns))
    except InputError:
        raise
    except Exception as error:  # huggingface_hub, httpx and requests raise unrelated error types
        folder = None if _rejection(error) else _find_cached(hub, name, revision, weights)
        if folder is None:
            raise _not_available(source, name, error) from None
    _check_hashes(folder, source, name, revision, VERIFIED if weights else VERIFIED[-1:])
    return folder


def _find_cached(hub, name: str, revision: str | None, weights: bool) -> Path | None:
    """Return the folder of a model in the cache that has all needed files, or None."""
    for each in FORMATS:
        for patterns, complete in ((each.patterns, each.matches), (each.tokenizer, lambda names: not weights)):
            if not patterns:
                continue
            try:
                found = hub.snapshot_download(name, revision=revision, allow_patterns=patterns, local_files_only=True)
            except Exception:  # nothing in the cache, or not all files
                continue
            names = [file.relative_to(found).as_posix() for file in Path(found).rglob("*") if file.is_file()]
            if complete(names) and (weights or each.matches(names) or has_tokenizer(names, each)):
                return Path(found)
    return None


def _rejection(error: Exception) -> str | None:
    """Return why the hub does not give the model, or None if it did not answer."""
    names = [cls.__name__ for cls in type(error).__mro__]
    status = getattr(getattr(error, "response", None), "status_code", None)
    reason = next((reason for name, reason in REJECTED.items() if name in names), None)
    return reason or (f"HTTP status {status}" if status in DENIED else None)


def _not_available(source: str, name: str, error: Exception) -> InputError:
    if reason := _rejection(error):
        return InputError(
            f"`source` must be a model of the Hugging Face Hub that you may read. Received: source={source} "
            f"({reason}). For a private or gated model, run `hf auth login` or set HF_TOKEN."
        )
    reason = " ".join(str(error).split()).split(". ")[0][:200] or type(error).__name__
    if type(error).__name__ == "OfflineModeIsEnabled":
        reason = "not in the cache, and HF_HUB_OFFLINE is set"
    return InputError(
        f"`source` must be a model that is in the cache or can be downloaded. Received: source={source} ({reason}). "
        f"Without a network: run `hf download {name} --local-dir FOLDER` on another machine, and give the folder."
    )


def _check_hashes(folder: Path, source: str, name: str, revision: str | None, files: tuple[str, ...]) -> None:
    """Raise InputError if one of the downloaded files differs from the published one of the catalog."""
    url = f"{WEB}{name}"
    if revision not in (None, revision_at(url)):
        return
    for file, known in files_at(url).items():
        if file in files and (folder / file).is_file():
            found = hash_file(folder / file)
            if found != known["sha256"]:
                raise InputError(
                    f"`source` must have the published {file}, with SHA-256 {known['sha256']}. Received: "
                    f"source={source} (SHA-256 {found} in {folder}). Delete this folder and try again, or use "
                    f"hf://{name}@main to load it without this check."
                )
