"""The processors, the memory and the error stream of this process, on every operating system."""

import contextlib
import math
import os
import sys
from collections.abc import Iterator
from typing import TextIO

try:
    import resource
except ImportError:  # Windows has no such module
    resource = None


def available_cpus() -> int:
    """Count the processors that this process may use.

    The count respects CPU affinity (`taskset`, container limits by cpuset) on systems that report it. On macOS and
    Windows, which do not report it, the result is the number of processors of the machine.

    Returns:
        The number of processors, at least 1.

    Example:

    >>> available_cpus() >= 1
    True

    Source: https://docs.python.org/3/library/os.html#os.sched_getaffinity
    """
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def peak_memory_mib() -> float:
    """Return the largest amount of memory that this process has used so far.

    The peak of the largest finished child process is added. The sum is an upper bound, because the two peaks may have
    been at different times.

    Returns:
        The peak resident set size in MiB; NaN where the system does not report it (Windows).

    Example:

    >>> peak = peak_memory_mib()
    >>> math.isnan(peak) or peak > 1
    True

    Source: getrusage(2): `ru_maxrss` is in KiB on Linux and in bytes on macOS.
    """
    if resource is None:
        return math.nan
    peak = sum(resource.getrusage(target).ru_maxrss for target in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return peak / (2**20 if sys.platform == "darwin" else 2**10)


class BestEffortStream:
    """A text stream whose write errors are ignored: a closed reader of the progress must not end the program.

    A closed pipe, a terminal that is gone and a full disk make it ignore every later write.

    Args:
        stream: the text stream, or None if the process was started without it.
    """

    def __init__(self, stream: TextIO | None):
        self._stream = open(os.devnull, "w", encoding="utf-8") if stream is None else stream  # noqa: SIM115

    def write(self, text: str) -> int:
        """Write a text if the stream can still be written."""
        with self._ignored_failures():
            self._stream.write(text)
        return len(text)

    def flush(self) -> None:
        """Flush the stream if it can still be written."""
        with self._ignored_failures():
            self._stream.flush()

    def isatty(self) -> bool:
        """Return whether the stream is a terminal."""
        return not self._stream.closed and self._stream.isatty()

    @contextlib.contextmanager
    def _ignored_failures(self) -> Iterator[None]:
        try:
            yield
        except (OSError, ValueError):  # ValueError: the stream was closed
            with contextlib.suppress(OSError, ValueError):  # what is still buffered must not fail again at the exit
                os.dup2(os.open(os.devnull, os.O_WRONLY), self._stream.fileno())
            self._stream = open(os.devnull, "w", encoding="utf-8")  # noqa: SIM115

    def __getattr__(self, name: str):
        return getattr(self._stream, name)


def error_stream() -> BestEffortStream:
    """Return standard error, to show progress and notices on.

    Example:

    >>> error_stream().write("")
    0
    """
    return sys.stderr if isinstance(sys.stderr, BestEffortStream) else BestEffortStream(sys.stderr)


def total_memory() -> int | None:
    """Return the memory of the machine in bytes; None where the system does not report it (Windows).

    Example:

    >>> (total_memory() or 2**30) >= 2**30
    True

    Source: https://docs.python.org/3/library/os.html#os.sysconf
    """
    try:
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (AttributeError, ValueError, OSError):
        return None
