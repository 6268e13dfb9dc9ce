"""The list of pretrained models that can be loaded by name."""

import dataclasses
import difflib
from pathlib import Path

from keras_bert.catalog.bundled import BUNDLED, SENTIMENT, find_bundled, is_bundled
from keras_bert.config import PRESETS
from keras_bert.errors import InputError

HANDLE_VERSIONS = {"small_bert": 2}  # collection: version of its handles; all other handles have version 4


@dataclasses.dataclass(frozen=True)
class PretrainedInfo:
    """One pretrained model that can be loaded by name.

    Attributes:
        name: the name that `load_pretrained`, `load_weights` and `from_pretrained` take.
        description: one line of text.
        source: the folder of a bundled model, or the TF-Hub handle of a model that is downloaded.
        bundled: whether the model is part of this installation and needs no network.
    """

    name: str
    description: str
    source: str
    bundled: bool


def list_pretrained() -> list[PretrainedInfo]:
    """List the bundled models of this installation, then the models that TF-Hub publishes.

    Returns:
        A list of `PretrainedInfo`.

    Example:

    >>> import keras_bert as kb
    >>> [info.name for info in kb.list_pretrained() if not info.bundled][0]
    'bert_en_uncased_L-12_H-768_A-12'

    Source: the handles of https://tfhub.dev/google/collections/bert.
    """
    bundled = [
        PretrainedInfo(name, description, str(find_bundled(name)), True)
        for name, description in BUNDLED.items()
        if is_bundled(name)
    ]
    return bundled + [
        PretrainedInfo(name, "Google's encoder, downloaded from TF-Hub", tfhub_handle(name), False) for name in PRESETS
    ]


def resolve(source):
    """Replace the name of a pretrained model by its folder or its TF-Hub handle.

    Args:
        source: a name of `list_pretrained()`, or any other source of weights. The collection may be omitted:
            `"bert_en_uncased_L-2_H-128_A-2"` is `"small_bert/bert_en_uncased_L-2_H-128_A-2"`.

    Returns:
        A path or a handle for a name; any other source, unchanged. If a file or folder with that name exists, it is
        used.

    Raises:
        InputError: a bundled model that this installation does not contain, or one that is not an encoder.

    Example:

    >>> resolve("bert_en_uncased_L-2_H-128_A-2")
    'https://tfhub.dev/tensorflow/small_bert/bert_en_uncased_L-2_H-128_A-2/2'
    >>> resolve("a/folder")
    'a/folder'
    """
    if not isinstance(source, (str, Path)) or Path(source).exists():
        return source
    name = str(source)
    if name == SENTIMENT:
        raise InputError(
            f"`source` must be an encoder or a model with weights. Received: source={name} (a SavedModel that takes "
            f'text). Use `kb.Predictor("{name}")`.'
        )
    if name in BUNDLED:
        return find_bundled(name)
    for preset in (name, f"small_bert/{name}"):
        if preset in PRESETS:
            return tfhub_handle(preset)
    return source


def similar_names(name: str) -> list[str]:
    """Return up to three names of `list_pretrained()` that are similar to a mistyped name, the most similar first.

    Example:

    >>> similar_names("bert_en_uncased_L-12_H-768_A-21")[0]
    'bert_en_uncased_L-12_H-768_A-12'
    """
    return difflib.get_close_matches(name, [*BUNDLED, *PRESETS], n=3, cutoff=0.75)


def tfhub_handle(name: str) -> str:
    """Return the TF-Hub handle of a published model.

    Args:
        name: one of `PRESETS`.
    """
    return f"https://tfhub.dev/tensorflow/{name}/{HANDLE_VERSIONS.get(name.split('/')[0], 4)}"
