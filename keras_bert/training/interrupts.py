"""Handling of Ctrl-C during training."""

import contextlib
import signal
import threading
from collections.abc import Callable, Iterator

SIGNALS = [getattr(signal, name) for name in ("SIGINT", "SIGBREAK") if hasattr(signal, name)]  # Windows has both


@contextlib.contextmanager
def defer_interrupts() -> Iterator[Callable[[], bool]]:
    """Record the first Ctrl-C instead of raising KeyboardInterrupt. A second one raises it at once.

    Python allows signal handlers only in the main thread of the main interpreter. In other threads nothing is changed,
    and Ctrl-C interrupts the main thread as usual.

    Yields:
        A function that returns whether Ctrl-C was pressed.
    """
    received = threading.Event()

    def handle(number, frame):
        if received.is_set():
            raise KeyboardInterrupt
        received.set()

    try:
        before = {number: signal.signal(number, handle) for number in SIGNALS}
    except ValueError:  # not the main thread
        before = {}
    try:
        yield received.is_set
    finally:
        for number, handler in before.items():
            # None: the handler was not installed by Python and cannot be restored.
            signal.signal(number, signal.SIG_DFL if handler is None else handler)
