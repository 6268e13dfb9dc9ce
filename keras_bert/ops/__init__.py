"""Work on TensorFlow in few passes over memory.

Between two matrix products a BERT does element-wise work: biases, GELU, dropout, residuals, LayerNorm, softmax. As
TensorFlow operations, each reads and writes the whole tensor. Where a CPU trains, XLA makes one loop of each such
stretch, forward and backward, while the products stay with oneDNN, which is faster at them than XLA. What is not
trained, or comes in ever new shapes, needs no XLA: with rows laid flat, oneDNN does a product with its bias and
activation in one. `layers/` and `training/` hold the plain form of all this, which every other backend runs; the tests
compare them, `docs/performance.md` has what each gives.
"""

import contextlib
from collections.abc import Iterator

import keras

from keras_bert.errors import InputError

LEVERS = ("embeddings", "block", "head", "loss", "optimizer", "flat", "halves")
_off: set[str] = set()


def runs(lever: str, training=True) -> bool:
    """Whether this part of a training step is to be fused: on TensorFlow, without a GPU, in training.

    Args:
        lever: one of `LEVERS`.
        training: as a layer is told; None or False is inference.

    Example:

    >>> from keras_bert import ops as fused
    >>> with fused.without("block"):
    ...     fused.runs("block")
    False
    """
    return training is True and lever not in _off and keras.backend.backend() == "tensorflow" and _on_cpu()


def block(training):
    """The `transformer_block` to run in place of the plain one, or None: `compiled` in training, otherwise `flat`.

    Args:
        training: as a layer is told.
    """
    if runs("block", training):
        from keras_bert.ops.compiled import transformer_block
    elif "flat" not in _off and keras.backend.backend() == "tensorflow":
        from keras_bert.ops.flat import transformer_block
    else:
        return None
    return transformer_block


@contextlib.contextmanager
def without(*levers: str) -> Iterator[None]:
    """The plain form of these parts, or of all, for models that are traced inside.

    Args:
        *levers: of `LEVERS`; none means all.

    Raises:
        InputError: a lever that there is not.
    """
    unknown = [lever for lever in levers if lever not in LEVERS]
    if unknown:
        raise InputError(f"levers are {', '.join(LEVERS)}. Received: {', '.join(unknown)}")
    before = set(_off)
    _off.update(levers or LEVERS)
    try:
        yield
    finally:
        _off.intersection_update(before)


def partition_cpu_threads() -> bool:
    """Let training steps run as two halves of the batch, each on half of the cores: see `halves`.

    It holds for the whole process, all of TensorFlow's operations get half of the threads, and comes before TensorFlow
    does anything else. The command line does it; a program of yours may.

    Returns:
        Whether it was done: on TensorFlow, with two cores or more and no GPU, and early enough.

    Example:

    >>> fused.partition_cpu_threads()  # doctest: +SKIP
    True
    """
    if keras.backend.backend() != "tensorflow":
        return False
    from keras_bert.ops import halves

    return halves.partition_cpu_threads()


def train_on_batch(model, measures: dict):
    """What trains a compiled model on one batch and returns its logs, a dict: in halves where cores are split.

    Args:
        model: compiled.
        measures: its loss and its metrics, a number for each prediction; see `halves.step_in_halves`.

    Returns:
        A function of inputs, targets and, if there are any, weights.
    """
    if runs("halves"):
        from keras_bert.ops import halves

        if halves.cpu_threads_are_partitioned():
            return halves.step_in_halves(model, measures)
    return lambda *batch: model.train_on_batch(*batch, return_dict=True)


def _on_cpu() -> bool:
    """No GPU, and no strategy that spreads variables over several places."""
    import tensorflow as tf

    return not tf.config.list_physical_devices("GPU") and not tf.distribute.has_strategy()
