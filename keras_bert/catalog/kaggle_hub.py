"""Models of Kaggle: addresses, and download through `kagglehub`."""

import contextlib
import re
import sys
from pathlib import Path

from keras_bert.errors import InputError
from keras_bert.extras import require

WEB = re.compile(r"https://(?:www\.)?kaggle\.com/models/")
PARTS = r"([\w.-]+)/([\w.-]+)/([\w.-]+)/([\w.-]+)(?:/(\d+))?"  # owner, model, framework, variation, version
LONG_PARTS = r"([\w.-]+)/([\w.-]+)/frameworks/([\w.-]+)/variations/([\w.-]+)(?:/versions/(\d+))?"


def parse_kaggle(address: str) -> tuple[str, int | None] | None:
    """Return the handle and the version (None for the newest) of an address, or None for another address.

    Raises:
        InputError: it is an address of Kaggle, but not of a variation of a model.

    Example:

    >>> parse_kaggle("kaggle://keras/bert/keras/bert_tiny_en_uncased/3")
    ('keras/bert/keras/bert_tiny_en_uncased', 3)
    >>> parse_kaggle("https://www.kaggle.com/models/keras/bert/frameworks/keras/variations/bert_tiny_en_uncased")
    ('keras/bert/keras/bert_tiny_en_uncased', None)
    """
    if not address.startswith("kaggle://") and not WEB.match(address):
        return None
    path = WEB.sub("", address.partition("?")[0].removeprefix("kaggle://")).rstrip("/")
    found = re.fullmatch(LONG_PARTS, path) or re.fullmatch(PARTS, path)
    if found is None:
        raise InputError(
            "`source` must be kaggle://OWNER/MODEL/FRAMEWORK/VARIATION or the same with /VERSION, such as "
            f"kaggle://keras/bert/keras/bert_tiny_en_uncased. Received: source={address}"
        )
    return "/".join(found.groups()[:4]), int(found[5]) if found[5] else None


def download_kaggle(source: str, handle: str, version: int | None) -> Path:
    """Download a variation of a model, or find it in the cache.

    A variation contains one model in one format, so all its files are needed. The cache (`KAGGLEHUB_CACHE`), the
    progress bars, the check of the MD5 and the access token (`KAGGLE_API_TOKEN` or `kagglehub.login()`) are those of
    `kagglehub`. Without a network, the given version or else the newest one in the cache is used.

    Args:
        source: the address, for error messages.
        handle: `"owner/model/framework/variation"`.
        version: the version, or None for the newest one.

    Returns:
        The folder in the cache.

    Raises:
        InputError: `kagglehub` is not installed, or the model cannot be downloaded and is not in the cache.

    Source: https://github.com/Kaggle/kagglehub.
    """
    hub = require("kagglehub", f"the model {source}")
    try:
        with contextlib.redirect_stdout(sys.stderr):  # a note of kagglehub must not mix with the results
            return Path(hub.model_download(handle if version is None else f"{handle}/{version}"))
    except Exception as error:  # kagglehub and requests raise unrelated error types
        cached = _newest_cached(handle) if version is None and not _is_rejected(error) else None
        if cached is not None:
            return cached
        raise _not_available(source, handle, error) from None


def _newest_cached(handle: str) -> Path | None:
    """Return the folder of the newest complete version in the cache, or None. kagglehub needs a network for this."""
    from kagglehub.config import get_cache_folder

    folder = Path(get_cache_folder()) / "models" / handle
    versions = [
        int(path.name)
        for path in folder.glob("*")
        if path.name.isdecimal() and path.is_dir() and path.with_name(f"{path.name}.complete").exists()
    ]
    return folder / str(max(versions)) if versions else None


def _is_rejected(error: Exception) -> bool:
    """Return whether Kaggle answered that the model does not exist or may not be read."""
    return getattr(getattr(error, "response", None), "status_code", None) in (401, 403, 404)


def _not_available(source: str, handle: str, error: Exception) -> InputError:
    reason = " ".join(str(error).split())[:200] or type(error).__name__
    if type(error).__name__ == "ConnectionError":  # its text is several hundred characters of nested errors
        reason = "no connection"
    if _is_rejected(error):
        return InputError(
            f"`source` must be a model of Kaggle that you may read. Received: source={source} ({reason}). For a model "
            "that needs a login or a consent, open its page, accept it, and set KAGGLE_API_TOKEN."
        )
    return InputError(
        f"`source` must be a model that is in the cache or can be downloaded. Received: source={source} ({reason}). "
        f"Without a network: download {handle} on another machine with kagglehub, and give the folder."
    )
