"""The speed of an encoder on this machine."""

import time

import keras
import numpy as np

from keras_bert.ops import predict_on_batch
from keras_bert.system import available_cpus


def measure_speed(encoder, batch_size: int, sequence_length: int, seconds: float = 2.0) -> dict:
    """Measure the encoder's tokens per second on this machine, on batches of full rows of random ids.

    The first calls, which compile, are not measured. The values are those of the median call.

    Args:
        encoder: a `BertEncoder`.
        batch_size: B.
        sequence_length: T.
        seconds: time to measure for each of the two batch sizes, B and 1.

    Returns:
        A dict of `batch_size`, `sequence_length`, `tokens_per_second` (of a batch), `milliseconds_per_text` (of a batch
        of one text), `backend` and `processors`.

    Example:

    >>> import keras_bert as kb
    >>> config = kb.BertConfig(vocab_size=100, hidden_size=8, num_layers=1, num_heads=2, intermediate_size=16)
    >>> measure_speed(kb.BertEncoder(config), 2, 8, seconds=0.01)["tokens_per_second"] > 0
    True
    """
    call = predict_on_batch(encoder)
    medians = {rows: _median_seconds(call, encoder, rows, sequence_length, seconds) for rows in {batch_size, 1}}
    return {
        "batch_size": batch_size,
        "sequence_length": sequence_length,
        "tokens_per_second": batch_size * sequence_length / medians[batch_size],
        "milliseconds_per_text": 1000 * medians[1],
        "backend": keras.backend.backend(),
        "processors": available_cpus(),
    }


def _median_seconds(call, encoder, rows: int, length: int, seconds: float) -> float:
    ids = np.random.default_rng(0).integers(encoder.config.vocab_size, size=(rows, length)).astype("int32")  # [B, T]
    batch = {"input_word_ids": ids, "input_mask": np.ones_like(ids), "input_type_ids": np.zeros_like(ids)}
    for _ in range(2):
        call(batch)
    times, end = [], time.perf_counter() + seconds
    while len(times) < 3 or time.perf_counter() < end:
        start = time.perf_counter()
        call(batch)
        times.append(time.perf_counter() - start)
    return float(np.median(times))
