"""The interface of a weight format."""

from pathlib import Path
from typing import Protocol

from keras_bert.config import BertConfig
from keras_bert.errors import InputError
from keras_bert.weights.canonical_names import HEADS, model_weights
from keras_bert.weights.source import Source


class Format(Protocol):
    """Format of stored weights. A subclass defines `name`, `marker_files` and `read`; the other members have defaults.

    Attributes:
        name: the format's name, as `convert(source, to=name, out=...)` takes it.
        marker_files: names of files by which a folder of this format is recognized. The command line replaces an
            existing folder only if it contains them.
        heads: the heads that `write` stores, some of `canonical_names.HEADS`.
        skips_heads: whether `convert` leaves out the other heads and reports it. Otherwise the user must allow it.
    """

    name: str
    marker_files: tuple[str, ...]
    heads: tuple[str, ...] = HEADS
    skips_heads: bool = False

    def nearest_config(self, config: BertConfig) -> BertConfig:
        """Return the config that is nearest to another one among those that the format can express.

        `convert` writes a model with another config only if the user allows the change.
        """
        return config

    def missing_heads(self, model) -> list[str]:
        """Return the heads of a model that the format does not store."""
        return [part for part in model_weights(model) if part not in ("encoder", *self.heads)]

    def matches(self, path: Path) -> bool:
        """Return whether a file or folder is in this format. It must not raise an error on damaged files."""
        return all((path / name).is_file() for name in self.marker_files)

    def read(self, source) -> Source:
        """Read the weights, the config and the vocabulary. No code of the source is run.

        Args:
            source: a path that matches; for TF-Hub also a handle or a loaded SavedModel.

        Raises:
            InputError: the source is damaged, or contains a model that this package does not support.
        """
        ...

    def read_vectorizer(self, source) -> dict:
        """Read the arguments of the `BertTextVectorization`, without the weights where the format allows it.

        Args:
            source: as for `read`.

        Returns:
            A dict as `Source.vectorizer_arguments`; its `vocabulary` is None if the source has none. It may have
            another entry `vocab_size`, the number of token embeddings of the encoder.
        """
        found = self.read(source)
        return {**found.vectorizer_arguments, "vocab_size": found.config.vocab_size}

    def write(self, model, path, vectorizer=None, labels=None) -> Path:
        """Write a model as a folder, completely or not at all.

        Args:
            model: a `BertEncoder`, or a task model that contains one.
            path: the folder. An existing one is replaced when the new one is complete.
            vectorizer: the model's `BertTextVectorization`, or None.
            labels: names of the classes in the order of the logits, or None.

        Returns:
            The folder's path.

        Raises:
            InputError: the format cannot represent the model, or this package cannot write the format.
        """
        raise InputError(f"`to` must be a format that can be written. Received: to={self.name!r} (it can only be read)")
