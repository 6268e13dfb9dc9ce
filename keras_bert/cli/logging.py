"""Silence the start-up notices of TensorFlow and other libraries, so that only the command's own output is shown."""

import importlib
import importlib.util
import logging
import os
import shutil
import sys
import tempfile
import warnings

from keras_bert.errors import InputWarning

# Only defaults: set one of these variables before the call to see a library's notices again.
SILENCE = {
    "TF_CPP_MIN_LOG_LEVEL": "3",
    "GRPC_VERBOSITY": "ERROR",
    "KMP_WARNINGS": "off",
    "KMP_AFFINITY": "noverbose",
}


def silence_libraries() -> None:
    """Turn off start-up notices, warnings and logs of libraries. Errors are still raised.

    Call it before TensorFlow is imported. Environment variables that are already set keep their values, and `python -W`
    keeps the warnings. An `InputWarning` is shown as one line.
    """
    for name, value in SILENCE.items():
        os.environ.setdefault(name, value)
    if not sys.warnoptions:
        warnings.simplefilter("ignore")
    warnings.simplefilter("always", InputWarning)
    warnings.showwarning = show_warning
    for name in ("tensorflow", "absl", "h5py", "matplotlib"):
        logging.getLogger(name).setLevel(logging.ERROR)


def show_warning(message, category, filename, lineno, file=None, line=None) -> None:
    """Print a warning on standard error: an `InputWarning` as one line, any other one as Python does."""
    if issubclass(category, InputWarning):
        print(f"warning: {' '.join(str(message).split())}", file=file or sys.stderr)
    else:
        print(warnings.formatwarning(message, category, filename, lineno, line), file=file or sys.stderr, end="")


def import_quietly(module: str) -> None:
    """Import a module if it is installed, and suppress what its native code writes to standard error.

    The C++ libraries of TensorFlow write messages while they are loaded, before any setting has an effect. If the
    import fails, the suppressed text is printed.

    Args:
        module: name of the module.
    """
    if importlib.util.find_spec(module) is None:
        return
    if module in sys.modules or sys.stderr is None or os.environ.get("TF_CPP_MIN_LOG_LEVEL") != "3":
        importlib.import_module(module)
        return
    with tempfile.TemporaryFile() as captured:
        sys.stderr.flush()
        terminal = os.dup(2)
        os.dup2(captured.fileno(), 2)
        try:
            importlib.import_module(module)
        except Exception:
            captured.seek(0)
            with os.fdopen(os.dup(terminal), "wb") as stderr:
                shutil.copyfileobj(captured, stderr)
            raise
        finally:
            os.dup2(terminal, 2)
            os.close(terminal)
