"""Packages that are not always installed, and the error of one line that says how to install one."""

import importlib

from keras_bert.errors import InputError

DISTRIBUTION = "keras-bert-from-scratch"
# Module: the extra of pyproject.toml that installs it. Any other module is a package of the default installation, which
# only an installation without TensorFlow may lack.
EXTRAS = {
    "matplotlib": "plots",
    "sklearn": "metrics",
    "scipy": "metrics",
    "tensorboardX": "tensorboard",
    "jinja2": "tour",
    "onnx": "onnx",
    "onnxruntime": "onnx",
    "openvino": "openvino",
    "datasets": "datasets",
    "huggingface_hub": "hub",
    "kagglehub": "hub",
    "starlette": "playground",
    "uvicorn": "playground",
}
PACKAGES = {"sklearn": "scikit-learn"}  # package names that are not the module's name with "-" for "_"


def require(module: str, purpose: str, extra: str | None = None):
    """Import a module that is not always installed.

    Args:
        module: name of the module, such as `"matplotlib"` or `"scipy.sparse"`.
        purpose: what it is needed for, in the error message.
        extra: the extra that installs it. Default: that of `EXTRAS`, or none.

    Returns:
        The module.

    Raises:
        InputError: the module is not installed. The message names the extra or the package to install.

    Example:

    >>> require("json", "a report").__name__
    'json'
    >>> require("not_installed", "a report")
    Traceback (most recent call last):
    ...
    keras_bert.errors.InputError: `not-installed` must be installed for a report. Run: pip install not-installed
    """
    try:
        return importlib.import_module(module)
    except ModuleNotFoundError as error:
        root = module.partition(".")[0]
        if error.name is None or error.name.partition(".")[0] != root:
            raise  # an incomplete installation of the module
        package = PACKAGES.get(root, root.replace("_", "-"))
        extra = extra or EXTRAS.get(root)
        target = f"'{DISTRIBUTION}[{extra}]'" if extra else package
        raise InputError(f"`{package}` must be installed for {purpose}. Run: pip install {target}") from None


def require_tensorflow(purpose: str):
    """Import TensorFlow, as `require` does.

    Args:
        purpose: what it is needed for, in the error message.

    Returns:
        The module `tensorflow`.

    Raises:
        InputError: TensorFlow is not installed.
    """
    return require("tensorflow", purpose)
