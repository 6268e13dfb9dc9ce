"""A clean terminal: what TensorFlow and its friends say while they start is switched off before they are imported."""

import importlib
import logging
import os
import shutil
import sys
import tempfile
import warnings

# setdefault: whoever looks for a fault sets these before the call and hears everything again.
SILENCE = {
    "TF_CPP_MIN_LOG_LEVEL": "3",
    "GRPC_VERBOSITY": "ERROR",
    "KMP_WARNINGS": "off",
    "KMP_AFFINITY": "noverbose",
}


def quiet() -> None:
    """Silence start-up notices, library warnings and logs; errors are still raised.

    Call it before TensorFlow is imported. Variables already in the environment keep their values, and `python -W` keeps
    the warnings.
    """
    for name, value in SILENCE.items():
        os.environ.setdefault(name, value)
    if not sys.warnoptions:
        warnings.simplefilter("ignore")
    for name in ("tensorflow", "absl", "h5py", "matplotlib"):
        logging.getLogger(name).setLevel(logging.ERROR)


def import_quietly(module: str) -> None:
    """Import a module while what native code writes on standard error is held back; shown if the import fails.

    TensorFlow's C++ log ignores every setting until its own libraries are loaded, and they already talk while loading.

    Args:
        module: the name to import.
    """
    if module in sys.modules or os.environ.get("TF_CPP_MIN_LOG_LEVEL") != "3":
        importlib.import_module(module)
        return
    with tempfile.TemporaryFile() as held:
        sys.stderr.flush()
        terminal = os.dup(2)
        os.dup2(held.fileno(), 2)
        try:
            importlib.import_module(module)
        except Exception:
            held.seek(0)
            with os.fdopen(os.dup(terminal), "wb") as shown:
                shutil.copyfileobj(held, shown)
            raise
        finally:
            os.dup2(terminal, 2)
            os.close(terminal)
