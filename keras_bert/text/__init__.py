"""Text to token ids: WordPiece tokenization, vocabularies, packing of pretraining examples, masking.

The names below are imported at their first use, so that `keras-bert tokenize` can read a vocabulary without loading
Keras and TensorFlow.
"""

import importlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:  # type checkers and editors do not run `__getattr__`
    from keras_bert.text.vectorization import BertTextVectorization
    from keras_bert.text.vocabulary import learn_vocabulary, load_vocabulary, save_vocabulary

_MODULES = {
    "BertTextVectorization": "vectorization",
    "learn_vocabulary": "vocabulary",
    "load_vocabulary": "vocabulary",
    "save_vocabulary": "vocabulary",
}

__all__ = ["BertTextVectorization", "learn_vocabulary", "load_vocabulary", "save_vocabulary"]


def __getattr__(name: str):
    """Import a public name of this package at its first use (PEP 562)."""
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(importlib.import_module(f"{__name__}.{_MODULES[name]}"), name)
    globals()[name] = value
    return value
