"""Helpers for error messages."""


def first_names(names) -> str:
    """Join names; only the first three are written out.

    Example:

    >>> first_names(["a", "b", "c", "d", "e"])
    'a, b, c and 2 more'
    """
    names = list(names)
    return ", ".join(names[:3]) + (f" and {len(names) - 3} more" if len(names) > 3 else "")


def first_line(error: Exception) -> str:
    """Return the first line of an error's message, or the error's type if there is no message."""
    lines = str(error).strip().splitlines()
    return (lines[0] if lines else type(error).__name__)[:200]


def one_line(error: Exception) -> str:
    """Return an error's whole message as one line. Keras names the failing tensor in a later line."""
    return " ".join(str(error).split())[:500] or type(error).__name__
