"""Functions that the three trainers share: the optimizer of a config, steps per epoch, and checksums of the data."""

import contextlib
import zlib
from collections.abc import Callable, Iterator

import keras
import numpy as np

from keras_bert import ops
from keras_bert.text.packing import PretrainingExamples
from keras_bert.text.stored_rows import StoredExamples
from keras_bert.training.config import TrainingConfig
from keras_bert.training.optimizer import BertAdamW, bert_adamw
from keras_bert.training.schedule import WarmupLinearDecay


def make_optimizer(config: TrainingConfig, steps: int, rates: dict | None = None) -> BertAdamW:
    """Create the optimizer and learning-rate schedule of a run.

    Args:
        config: settings in which `learning_rate`, `warmup` and `schedule` have values.
        steps: optimizer steps of the whole run.
        rates: learning-rate factors per variable from `layer_rates`, or None.
    """
    rate = config.learning_rate
    if config.schedule == "linear":
        rate = WarmupLinearDecay(rate, steps, int(config.warmup * steps))
    return bert_adamw(rate, config.weight_decay, config.accumulate, rates)


@contextlib.contextmanager
def compiled_for_fit(
    model: keras.Model, config: TrainingConfig, compile_model: Callable, optimizer=None
) -> Iterator[None]:
    """Enter the model's distribution strategy, and compile the model when the run ends, also by Ctrl-C.

    `fit` and `save` work afterwards.

    At the end of a run, the learning rate of its schedule is 0. The new optimizer has the constant peak rate, and no
    state of the run.

    Args:
        model: the model that is trained.
        config: the settings of the run.
        compile_model: function of an optimizer that compiles `model`.
        optimizer: the user's optimizer, which is kept with its state; None for a new one.
    """
    with ops.distribution_scope(model):
        try:
            yield
        finally:
            if optimizer is None:
                optimizer = bert_adamw(config.learning_rate, config.weight_decay)
                optimizer.build(model.trainable_variables)  # Keras warns if it loads an optimizer that was not built
            compile_model(optimizer)


def steps_per_epoch(batches, accumulate: int) -> int:
    """Return the optimizer steps of one epoch, at least 1."""
    return max(1, len(batches) // accumulate)


def jit_compile() -> bool:
    """Return the `jit_compile` argument for `Model.compile`.

    It is True only on JAX, where XLA is the backend's own compiler. On TensorFlow, XLA would compile the model again
    for each input shape.
    """
    return keras.backend.backend() == "jax"


def checksum(array: np.ndarray) -> str:
    """Return a short checksum of an array's shape and content that is the same on every machine.

    >>> checksum(np.zeros((2, 3), np.int32))
    '2x3-a3c1ca20'
    """
    return f"{'x'.join(map(str, array.shape))}-{zlib.crc32(np.ascontiguousarray(array).data):08x}"


def examples_checksum(examples: PretrainingExamples) -> str:
    """Return the checksum of the token ids. For `StoredExamples` it was computed when they were written."""
    return examples.fingerprint if isinstance(examples, StoredExamples) else checksum(examples.input_word_ids)
