"""Limits and waiting for tests that start another process. The limits are wide: a machine may do other work."""

import signal
import time

LIMIT = 1800  # seconds until a test fails instead of waiting on; only a process that hangs takes so long


def wait_until(condition, process=None) -> None:
    """Return when `condition()` holds, or when the process has ended."""
    end = time.monotonic() + LIMIT
    while not condition() and (process is None or process.poll() is None):
        assert time.monotonic() < end, f"nothing happened in {LIMIT} seconds"
        time.sleep(0.05)


def interrupt(process, ready) -> str:
    """Send Ctrl+C to the process when `ready()` holds, wait for its end, and return what it wrote to stderr."""
    wait_until(ready, process)
    process.send_signal(signal.SIGINT)
    return process.communicate(timeout=LIMIT)[1]
