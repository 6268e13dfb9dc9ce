"""From a name or an address to a local folder."""

import re
from pathlib import Path

from keras_bert.catalog.hugging_face_hub import download_hugging_face, parse_hugging_face
from keras_bert.catalog.kaggle_hub import download_kaggle, parse_kaggle
from keras_bert.catalog.listing import resolve


def locate(source, weights: bool = True):
    """Return the local copy of a model that is given by name or address; it is downloaded if necessary.

    Args:
        source: a name of `list_pretrained()`; `hf://NAME` or `hf://NAME@REVISION`; `kaggle://OWNER/MODEL/FRAMEWORK/
            VARIATION`, also with `/VERSION`; the address of a model's page at Hugging Face or Kaggle; or any other
            source of weights. An existing file or folder of that name is used first.
        weights: False if only the vocabulary is needed.

    Returns:
        A folder; of a TF-Hub handle, which `tensorflow_hub` downloads, the handle; any other source, unchanged.

    Raises:
        InputError: the model cannot be downloaded, or a file differs from the published one.

    Example:

    >>> locate("a/folder")
    'a/folder'
    """
    source = resolve(source)
    if not is_address(source):
        return source
    address = re.sub(r"^(\w+):/+", r"\1://", str(source))  # a `Path` has one slash
    if found := parse_hugging_face(address):
        return download_hugging_face(address, *found, weights)
    if found := parse_kaggle(address):
        return download_kaggle(address, *found)
    return address


def is_address(source) -> bool:
    """Return whether a source is an address, such as `hf://NAME` or `https://tfhub.dev/...`.

    Example:

    >>> is_address("hf://google-bert/bert-base-uncased"), is_address("a/folder")
    (True, False)
    """
    return isinstance(source, str | Path) and re.match(r"[a-z0-9]{2,}:/", str(source)) is not None
