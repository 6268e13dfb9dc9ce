"""The settings of the vectorizers of pretrained models, for `BertTextVectorization.from_pretrained`."""

from collections.abc import Callable

from keras_bert.text.added_tokens import check_added_tokens

_READERS: list[Callable] = []  # one function; filled by `register_reader`


def register_reader(read: Callable) -> None:
    """Register the function that reads the settings of a source.

    The package `keras_bert.weights` calls this when it is imported, so that the vectorizer imports no file format.

    Args:
        read: function of a source; returns a dict with `vocabulary`, `lowercase`, `sequence_length`, `added_tokens`.
    """
    _READERS[:] = [read]


def pretrained_arguments(source, **kwargs) -> dict:
    """Return the arguments of the vectorizer of a pretrained model.

    Args:
        source: as for `BertTextVectorization.from_pretrained`.
        **kwargs: arguments that replace those of the source; `added_tokens` are added to those of the source.
    """
    if not _READERS:
        raise RuntimeError("No file formats are registered. Run `import keras_bert.weights` first.")
    found = _READERS[0](source)
    added = check_added_tokens(kwargs.pop("added_tokens", ()))
    return {**found, **kwargs, "added_tokens": list(dict.fromkeys([*found["added_tokens"], *added]))}
