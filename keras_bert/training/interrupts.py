"""Handling of Ctrl-C, SIGTERM and SIGHUP during training."""

import contextlib
import signal
import threading
from collections.abc import Callable, Iterator

INTERRUPTS = [getattr(signal, name) for name in ("SIGINT", "SIGBREAK") if hasattr(signal, name)]  # Windows has both
# From a scheduler that stops a job, and from a terminal that is closed.
TERMINATIONS = [getattr(signal, name) for name in ("SIGTERM", "SIGHUP") if hasattr(signal, name)]
DEFAULTS = (signal.SIG_DFL, signal.default_int_handler)  # the second one is set by the command line


@contextlib.contextmanager
def defer_interrupts() -> Iterator[Callable[[], bool]]:
    """Record the first Ctrl-C or termination signal instead of ending the process. A second one raises
    KeyboardInterrupt at once.

    A termination signal that the program ignores (`nohup`) or handles itself is left to it. Python allows signal
    handlers only in the main thread of the main interpreter. In other threads nothing is changed, and Ctrl-C interrupts
    the main thread as usual.

    Yields:
        A function that returns whether a signal was received.
    """
    received = threading.Event()

    def handle(number, frame):
        if received.is_set():
            raise KeyboardInterrupt
        received.set()

    numbers = [*INTERRUPTS, *(number for number in TERMINATIONS if signal.getsignal(number) in DEFAULTS)]
    try:
        before = {number: signal.signal(number, handle) for number in numbers}
    except ValueError:  # not the main thread
        before = {}
    try:
        yield received.is_set
    finally:
        for number, handler in before.items():
            # None: the handler was not installed by Python and cannot be restored.
            signal.signal(number, signal.SIG_DFL if handler is None else handler)
