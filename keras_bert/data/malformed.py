"""Malformed rows of a file: the first one is an error, or all of them are skipped and counted."""

import warnings
from pathlib import Path

from keras_bert.errors import InputError, InputWarning


class Malformed:
    """What a reader does with malformed rows.

    Args:
        path: the file.
        skip: whether they are skipped.

    Attributes:
        count: number of rows that were skipped.

    Example:

    >>> malformed = Malformed("data.tsv", skip=True)
    >>> malformed.add(InputError("`path` must have 2 columns in every line. Received: columns=3 in line 7"))
    >>> malformed.count
    1
    """

    def __init__(self, path: str | Path, skip: bool = False):
        self.path, self.skip = path, skip
        self.count, self._first = 0, ""

    def add(self, error: InputError) -> None:
        """Raise the error of a row, or count the row.

        Raises:
            InputError: rows are not skipped.
        """
        if not self.skip:
            hint = "Set skip_malformed=True, or --skip-malformed, to skip such lines."
            raise InputError(f"{str(error).rstrip('.')}. {hint}") from None
        self._first = self._first or str(error)
        self.count += 1

    def warn(self) -> None:
        """Report the number of rows that were skipped, with the error of the first one, as an `InputWarning`."""
        if self.count:
            warnings.warn(
                f"{self.path}: {self.count:,} malformed {'line was' if self.count == 1 else 'lines were'} skipped. "
                f"The first error: {self._first}",
                InputWarning,
                stacklevel=3,
            )
