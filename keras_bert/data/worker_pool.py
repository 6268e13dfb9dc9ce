"""A pool of processes that ends with its parent, also if the parent is killed."""

import multiprocessing
import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from multiprocessing.connection import wait

from keras_bert.errors import InputError


def map_in_processes(function: Callable, items: Sequence, workers: int) -> Iterator:
    """Yield the results of a function for some items, in their order, computed by several processes.

    Args:
        function: a function of one item that can be pickled, such as `functools.partial` of a public function.
        items: what it is called with.
        workers: the number of processes; 1 computes in this process.

    Raises:
        InputError: a worker was killed, or `workers` is below 1.
        Exception: what the function raised first, in the order of the items. All workers are ended then.
    """
    if isinstance(workers, bool) or not isinstance(workers, int) or workers < 1:
        raise InputError(f"`workers` must be an integer of at least 1. Received: workers={workers!r}")
    workers = min(workers, len(items))
    if workers <= 1:
        yield from map(function, items)
        return
    # "spawn", because a forked process would share the locks of TensorFlow's threads.
    pool = ProcessPoolExecutor(workers, multiprocessing.get_context("spawn"), _start)
    others = set(multiprocessing.active_children())
    try:
        yield from pool.map(_Interruptible(function), items)
        pool.shutdown()
    except BaseException as error:
        pool.shutdown(wait=False, cancel_futures=True)
        started = set(multiprocessing.active_children()) - others
        for process in started:
            process.terminate()
        for process in started:
            process.join()  # a worker whose parent is gone would end at once and leave its draft
        if not isinstance(error, BrokenProcessPool):
            raise
        raise InputError(
            f"`workers` must be few enough for the memory of the machine. Received: workers={workers}, and one of them "
            "was killed. What is complete is kept: run the same again to continue."
        ) from None


def _start() -> None:
    """Prepare a worker: the parent alone reacts to Ctrl-C, and a worker ends when its parent asks for it or is gone."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, _end_once)
    parent = multiprocessing.parent_process()

    def watch():
        wait([parent.sentinel])
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()


def _end_once(*_) -> None:
    """Delete the drafts of files, which happens while the stack is unwound; a second SIGTERM would interrupt that."""
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    sys.exit(1)


class _Interruptible:
    """A function whose process ends by SIGTERM; the pool would catch SystemExit and go on with the next item."""

    def __init__(self, function: Callable):
        self.function = function

    def __call__(self, item):
        try:
            return self.function(item)
        except SystemExit:
            os._exit(1)
