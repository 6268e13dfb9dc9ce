"""Functions that measure the processors and the memory of this process, on every operating system."""

import math
import os
import sys

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
