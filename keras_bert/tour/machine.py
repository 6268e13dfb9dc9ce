"""What a run was made with: versions, processors, memory."""

import importlib.metadata
import os
import platform
import resource

PACKAGES = ("tensorflow", "keras", "keras-hub", "tensorflow-hub", "tokenizers", "numpy")


def versions() -> dict[str, str]:
    """Of Python, of this package and of what it stands on."""
    from keras_bert import __version__

    found = {"python": platform.python_version(), "keras_bert": __version__}
    for package in PACKAGES:
        try:
            found[package] = importlib.metadata.version(package)
        except importlib.metadata.PackageNotFoundError:
            found[package] = "none"
    return found


def machine() -> dict:
    """The system and how many processors this process may use."""
    return {"system": f"{platform.system()} {platform.machine()}", "processors": len(os.sched_getaffinity(0))}


def peak_memory_mib() -> float:
    """The most memory held so far, in MiB: this process's peak and the largest child's, as if at the same time."""
    kib = sum(resource.getrusage(who).ru_maxrss for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return kib / 1024
