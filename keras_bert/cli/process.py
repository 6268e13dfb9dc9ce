"""The process of a command: standard streams that are closed, and signals that end it."""

import contextlib
import os
import signal
import sys
from collections.abc import Iterator

from keras_bert.system import error_stream

TERMINATION = [getattr(signal, name) for name in ("SIGTERM", "SIGHUP") if hasattr(signal, name)]


@contextlib.contextmanager
def usable_streams() -> Iterator[None]:
    """Open standard streams that are closed (`2>&-`), and ignore all failures of standard error.

    Without this, the next file that is opened would get the number of the closed stream, and native libraries would
    write their messages into it.
    """
    for number, name in enumerate(("stdin", "stdout", "stderr")):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, os.O_RDWR)  # it gets the lowest free number: this one
        if getattr(sys, name) is None:
            setattr(sys, name, open(os.devnull, "w" if number else "r", encoding="utf-8"))  # noqa: SIM115
    before, sys.stderr = sys.stderr, error_stream()
    try:
        yield
    finally:
        sys.stderr = before


@contextlib.contextmanager
def termination_as_interrupt() -> Iterator[None]:
    """Raise KeyboardInterrupt for SIGTERM, and for SIGHUP unless it is ignored (`nohup`), as Python does for Ctrl-C."""
    replaced = []
    with contextlib.suppress(ValueError):  # not the main thread, which alone may set handlers
        for number in TERMINATION:
            if signal.getsignal(number) is signal.SIG_DFL:
                signal.signal(number, signal.default_int_handler)
                replaced.append(number)
    try:
        yield
    finally:
        for number in replaced:
            signal.signal(number, signal.SIG_DFL)
