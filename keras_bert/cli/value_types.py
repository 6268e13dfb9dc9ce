"""The types of the values of options: how they are checked, converted and completed."""

import math
import os
from pathlib import Path

import click

from keras_bert.catalog.bundled import BUNDLED, find_bundled
from keras_bert.catalog.download import is_address
from keras_bert.catalog.listing import resolve
from keras_bert.cli.completion import SOURCES, complete
from keras_bert.file_system import follow_link

positive = click.IntRange(min=1)


class FiniteRange(click.FloatRange):
    """A range of numbers without NaN and infinity; click lets NaN pass every bound."""

    def convert(self, value, param, context) -> float:
        """Convert the value, or fail with a usage error."""
        number = super().convert(value, param, context)
        if not math.isfinite(number):
            self.fail(f"must be a finite number. Received: {value}", param, context)
        return number


class OutFile(click.ParamType):
    """A file to write. Its suffix decides its format.

    Args:
        suffixes: the suffixes that it may have, such as `.svg`.
    """

    name = "file"

    def __init__(self, *suffixes: str):
        self.suffixes = suffixes

    def convert(self, value, param, context) -> Path:
        """Convert the value to a path, or fail with a usage error."""
        path = Path(value)
        if path.suffix not in self.suffixes:
            self.fail(f"must end in {' or '.join(self.suffixes)}. Received: {value}", param, context)
        if path.is_dir():
            self.fail(f"must be a file. Received: {value}, which is a folder", param, context)
        return path

    def shell_complete(self, context, param, incomplete):
        """Complete files."""
        return complete(incomplete, paths="file")


class OutFolder(click.ParamType):
    """A folder to write: a new one, an empty one, or one of the same kind, which is replaced at the end of the command.

    A symbolic link is followed: the folder that it leads to is replaced.

    Args:
        markers: files that such a folder contains. A folder without them is never replaced, unless it is empty.
    """

    name = "folder"

    def __init__(self, *markers: str):
        self.markers = markers

    def convert(self, value, param, context) -> Path:
        """Convert the value to a path, or fail with a usage error."""
        path = Path(value)
        if os.path.ismount(follow_link(path)):  # it cannot be replaced by another folder
            self.fail(f"must be a folder inside the mounted one. Received: {value}, a mount point", param, context)
        if path.exists() and not path.is_dir():
            kind = "a file" if path.is_file() else "a device or a pipe"
            self.fail(f"must be a folder. Received: {value}, which is {kind}", param, context)
        if Path.cwd().is_relative_to(path.resolve()):
            self.fail(f"must not contain the current folder. Received: {value}", param, context)
        if path.is_dir() and any(path.iterdir()) and not all((path / name).exists() for name in self.markers):
            expected = f"must be a new or empty folder, or one with {' and '.join(self.markers)}, which is replaced"
            self.fail(f"{expected}. Received: {value}, with other files", param, context)
        return path

    def shell_complete(self, context, param, incomplete):
        """Complete folders."""
        return complete(incomplete, paths="dir")


class ModelSource(click.ParamType):
    """An existing folder, the name of a pretrained model, or an address. It is downloaded when the model is loaded.

    Args:
        files: whether an existing file is valid too.
    """

    name = "model"

    def __init__(self, files: bool = False):
        self.files = files

    def convert(self, value, param, context) -> str:
        """Return the folder's path, or the name or address unchanged, or fail with a usage error."""
        if Path(value).is_dir() or (self.files and Path(value).is_file()):
            return value
        if value in BUNDLED:
            return str(find_bundled(value))
        if not Path(value).exists() and is_address(resolve(value)):
            return value
        reason = "is a file" if Path(value).exists() else "does not exist"
        expected = "must be the folder of a model, the name of a pretrained model, or an address such as hf://NAME"
        self.fail(
            f"{expected}. Received: {value}, which {reason}. Use `keras-bert inspect --list` to see the names",
            param,
            context,
        )

    def shell_complete(self, context, param, incomplete):
        """Complete the names of pretrained models and folders."""
        return complete(incomplete, SOURCES, paths="dir")
