"""Versions of the packages, and the machine, of a run."""

import importlib.metadata
import platform

from keras_bert.system import available_cpus

PACKAGES = ("tensorflow", "keras", "keras-hub", "tensorflow-hub", "tokenizers", "numpy")


def versions() -> dict[str, str]:
    """List the versions of Python, of this package and of its main dependencies."""
    from keras_bert import __version__

    installed = {"python": platform.python_version(), "keras_bert": __version__}
    for package in PACKAGES:
        try:
            installed[package] = importlib.metadata.version(package)
        except importlib.metadata.PackageNotFoundError:
            installed[package] = "none"
    return installed


def machine() -> dict:
    """Return the operating system and the number of processors that this process can use."""
    return {"system": f"{platform.system()} {platform.machine()}", "processors": available_cpus()}
