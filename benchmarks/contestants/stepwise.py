"""A training loop that pauses between rounds of a benchmark."""

import threading

import keras


class StepwiseTraining(keras.callbacks.Callback):
    """Keras callback that lets a training loop in another thread run a number of batches at a time.

    Args:
        train: function that trains with the callback that it is given.
    """

    def __init__(self, train):
        super().__init__()
        self._resume, self._done, self._left, self._error = threading.Event(), threading.Event(), 0, None
        threading.Thread(target=self._run, args=(train,), daemon=True).start()

    def run(self, batches: int) -> None:
        """Train on the next batches, and return when they are done."""
        self._left = batches
        self._done.clear()
        self._resume.set()
        self._done.wait()
        if self._error is not None:
            raise self._error

    def on_train_begin(self, logs=None):
        self._wait()

    def on_train_batch_end(self, batch, logs=None):
        self._left -= 1
        if self._left == 0:
            self._done.set()
            self._wait()

    def _wait(self) -> None:
        self._resume.wait()
        self._resume.clear()

    def _run(self, train) -> None:
        try:
            train(self)
            self._error = RuntimeError("training ended before the last round")
        except Exception as error:  # raised again in `run`
            self._error = error
        self._done.set()
