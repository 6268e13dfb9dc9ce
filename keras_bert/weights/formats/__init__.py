"""The weight formats: one file per format, each with the interface of `Format`.

A new format is one class in one file and one entry in `FORMATS`.
"""

from pathlib import Path

from keras_bert.errors import InputError
from keras_bert.weights.formats.format import Format
from keras_bert.weights.formats.google_research import GoogleResearch
from keras_bert.weights.formats.huggingface import HuggingFace
from keras_bert.weights.formats.keras_folder import KerasFolder
from keras_bert.weights.formats.keras_hub import KerasHub
from keras_bert.weights.formats.model_garden import ModelGarden
from keras_bert.weights.formats.text_saved_model import TextSavedModel
from keras_bert.weights.formats.tfhub import TFHub

TFHUB, HUGGING_FACE = TFHub(), HuggingFace()
FORMATS: list[Format] = [  # the first one that matches is used: every text SavedModel has the files of TF-Hub's format
    TextSavedModel(),
    TFHUB,
    KerasFolder(),
    KerasHub(),
    HUGGING_FACE,
    GoogleResearch(),
    ModelGarden(),
]


def find_format(source) -> Format | None:
    """Find the format of a source.

    Args:
        source: a path, a TF-Hub handle or a loaded SavedModel.

    Returns:
        The first of `FORMATS` that matches; None if none does.
    """
    if not isinstance(source, (str, Path)) or "://" in str(source):
        return TFHUB  # handles and loaded objects
    return next((each for each in FORMATS if each.matches(Path(source))), None)


def format_named(name: str) -> Format:
    """Return the format with this name.

    Raises:
        InputError: there is no such format.
    """
    for each in FORMATS:
        if each.name == name:
            return each
    names = ", ".join(each.name for each in FORMATS)
    raise InputError(f"`to` must be one of {names}. Received: to={name!r}")
