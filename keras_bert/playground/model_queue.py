"""A bounded queue: one call of a model at a time, and no more than a few requests that wait."""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

MAX_WAITING = 8


class BusyError(Exception):
    """Too many requests wait."""


class ModelQueue:
    """Runs functions one after the other in one thread.

    Args:
        max_waiting: number of functions that may wait while one runs.
    """

    def __init__(self, max_waiting: int = MAX_WAITING):
        self.max_waiting = max_waiting
        self._thread = ThreadPoolExecutor(1, "model")  # one: a call that outlives its request still delays the next
        self._pending = 0  # the one that runs, and those that wait
        self._turn: asyncio.Lock | None = None

    async def run(self, function: Callable[[], dict], is_connected: Callable) -> dict | None:
        """Run a function when all earlier ones have ended.

        Args:
            function: is called in the thread.
            is_connected: a coroutine function that is called first. If it returns False, because the client has closed
                the connection, the function is not called.

        Returns:
            The result, or None if the function was not called.

        Raises:
            BusyError: too many functions wait.
        """
        if self._pending > self.max_waiting:
            raise BusyError
        self._turn = self._turn or asyncio.Lock()  # of the event loop that runs now
        self._pending += 1
        try:
            async with self._turn:
                if not await is_connected():
                    return None
                return await asyncio.get_running_loop().run_in_executor(self._thread, function)
        finally:
            self._pending -= 1
