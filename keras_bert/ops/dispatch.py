"""Selection of TensorFlow kernels."""

import contextlib
import contextvars
import weakref
from collections.abc import Callable, Iterator

import keras

from keras_bert.errors import InputError
from keras_bert.ops.unmodified import is_unmodified

KERNELS = (
    "attention",
    "dense",
    "feed_forward",
    "dropout_add_norm",
    "layer_norm",
    "embedding_lookup",
    "tied_logits",
    "cross_entropy",
    "is_correct",
    "adamw",
    "cpu_data_parallel",
    "xla",  # all compiled kernels; those in plain TensorFlow operations stay
)
MIN_LENGTH = 8  # with fewer positions per example, compiling takes longer than a training run gets back

MAX_LENGTHS = 2  # lengths that a layer is compiled for, as in pretraining on 128 and then 512 tokens

_lengths = weakref.WeakKeyDictionary()  # layer: the lengths that it was compiled for
_few_lengths: contextvars.ContextVar[bool] = contextvars.ContextVar("few_lengths", default=False)
_disabled: contextvars.ContextVar[frozenset] = contextvars.ContextVar("disabled_kernels", default=frozenset())


@contextlib.contextmanager
def disable_kernels(*names: str) -> Iterator[None]:
    """Disable kernels for graphs that are traced inside the context; for measurements and tests.

    Args:
        *names: names in `KERNELS`; all of them by default. `"xla"` stands for all compiled kernels.

    Raises:
        InputError: a name is unknown.

    Example:

    >>> from keras_bert import ops
    >>> with ops.disable_kernels("attention"):
    ...     ops.find_kernel("attention") is None
    True
    """
    unknown = [name for name in names if name not in KERNELS]
    if unknown:
        raise InputError(f"`names` must be in {', '.join(KERNELS)}. Received: names={', '.join(unknown)}")
    token = _disabled.set(_disabled.get() | frozenset(names or KERNELS))
    try:
        yield
    finally:
        _disabled.reset(token)


@contextlib.contextmanager
def few_lengths() -> Iterator[None]:
    """Compile kernels in a graph that is traced inside the context for any length: XLA compiles once per length.

    For training on batches of few lengths, with many steps for each.

    Example:

    >>> from keras_bert import ops
    >>> with ops.few_lengths():
    ...     pass
    """
    token = _few_lengths.set(True)
    try:
        yield
    finally:
        _few_lengths.reset(token)


def is_enabled(name: str) -> bool:
    """Return True if the backend is TensorFlow and the kernel is not disabled."""
    return keras.backend.backend() == "tensorflow" and name not in _disabled.get()


def find_kernel(name: str, layers=(), inputs=(), training=None, min_length: int = MIN_LENGTH) -> Callable | None:
    """Find the TensorFlow kernel for a function.

    There is none on other backends, in a graph that XLA compiles as a whole (`jit_compile=True`), which fuses the plain
    functions better, or if one of `layers` computes anything but what Keras's own class computes: a
    subclass, an overridden method, LoRA, quantization, or another dtype than that of `inputs`.

    Args:
        name: a name in `KERNELS`.
        layers: the Keras layers that the kernel would replace; None is skipped.
        inputs: float tensors `[B, ...]`, all of one dtype.
        training: True selects a compiled kernel, if `may_compile`.
        min_length: smallest number of positions of a compiled kernel.

    Returns:
        A function with the arguments of the function in `keras_bert.ops`, or None.
    """
    if not is_enabled(name) or any(isinstance(x, keras.KerasTensor) for x in inputs) or _is_inside_xla():
        return None
    dtypes = {keras.backend.standardize_dtype(x.dtype) for x in inputs}
    if len(dtypes) > 1 or not dtypes <= {"float32", "bfloat16", "float16"}:  # kernels compute in float32
        return None
    dtype = next(iter(dtypes), None)
    if not all(is_unmodified(layer, dtype) for layer in layers if layer is not None):
        return None
    from keras_bert.ops.kernels import flat

    if training is True and may_compile(*inputs, min_length=min_length) and _is_one_of_few(layers, inputs):
        from keras_bert.ops.kernels import compiled

        return getattr(compiled, name, None) or getattr(flat, name, None)
    return getattr(flat, name, None)


def _is_inside_xla() -> bool:
    """Return True while a function with `jit_compile=True` is traced."""
    import tensorflow as tf
    from tensorflow.python.ops.control_flow_util import GraphOrParentsInXlaContext  # there is no public name for it

    return not tf.executing_eagerly() and GraphOrParentsInXlaContext(tf.compat.v1.get_default_graph())


def _is_one_of_few(layers, inputs) -> bool:
    """Return True if the first of `layers` was compiled for the lengths of `inputs`, or for fewer than `MAX_LENGTHS`.

    A `tf.function` of a user's own training loop makes one graph per length, each with a known length.
    """
    layer = next((layer for layer in layers if layer is not None), None)
    if layer is None:
        return True
    known, lengths = _lengths.setdefault(layer, set()), tuple(x.shape[1] for x in inputs)
    if None in lengths:  # only inside of `few_lengths`
        return True
    if len(known) < MAX_LENGTHS:
        known.add(lengths)
    return lengths in known


def may_compile(*inputs, min_length: int = MIN_LENGTH) -> bool:
    """Return True if XLA kernels may run: on a CPU, in a graph, and with every axis known but the batch.

    XLA compiles once per shape. Batches of many lengths would compile again and again, and eager calls would compile
    for shapes that come once. Inside of `few_lengths`, T may be unknown too.

    Args:
        *inputs: tensors `[B, T, ...]`.
        min_length: smallest T.
    """
    import tensorflow as tf

    return (
        is_enabled("xla")
        and runs_on_cpu()
        and not tf.executing_eagerly()
        and all(x.shape.rank > 2 and None not in x.shape[2:] and _is_long(x.shape[1], min_length) for x in inputs)
    )


def _is_long(length: int | None, min_length: int) -> bool:
    return _few_lengths.get() if length is None else length >= min_length


def runs_on_cpu() -> bool:
    """Return True on TensorFlow without a GPU and without a distribution strategy."""
    if keras.backend.backend() != "tensorflow" or keras.distribution.distribution() is not None:
        return False
    import tensorflow as tf

    return not tf.config.list_physical_devices("GPU") and not tf.distribute.has_strategy()
