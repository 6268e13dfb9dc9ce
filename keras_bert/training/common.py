"""Functions that the three trainers share: the optimizer of a config, steps per epoch, and checksums of the data."""

import zlib

import keras
import numpy as np

from keras_bert.text.packing import PretrainingExamples
from keras_bert.text.shards import StoredExamples
from keras_bert.training.config import TrainingConfig
from keras_bert.training.optimizer import BertAdamW, bert_adamw
from keras_bert.training.schedule import WarmupLinearDecay


def make_optimizer(config: TrainingConfig, steps: int, rates: dict | None = None) -> BertAdamW:
    """Create the optimizer and learning-rate schedule of a run.

    Args:
        config: settings in which `learning_rate` and `warmup` have values.
        steps: optimizer steps of the whole run.
        rates: learning-rate factors per variable from `layer_rates`, or None.
    """
    schedule = WarmupLinearDecay(config.learning_rate, steps, int(config.warmup * steps))
    return bert_adamw(schedule, config.weight_decay, config.accumulate, rates)


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
