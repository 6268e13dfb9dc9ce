"""Batches of like length for every peer: what our `LengthGroupedBatches` does, and Hugging Face's `group_by_length`.

The same pools, sizes and seed for all, so that all get as much padding as we do.
"""

from collections.abc import Callable, Iterator

import numpy as np

POOL = 32  # batches that are sorted together


def grouped(rows: dict, batch_size: int, count: int) -> Callable[[int], Iterator[dict]]:
    """A function of the round's number that gives its `count` batches, spread over an epoch, cut to their longest."""
    lengths = rows["input_mask"].sum(axis=1)
    rng = np.random.default_rng([0, 0])
    order = rng.permutation(len(lengths))
    batches = []
    for start in range(0, len(order), POOL * batch_size):
        pool = order[start : start + POOL * batch_size]
        pool = pool[np.argsort(lengths[pool], kind="stable")]
        batches += [pool[i : i + batch_size] for i in range(0, len(pool), batch_size)]
    batches = [batches[i] for i in rng.permutation(len(batches))]
    stride = max(1, len(batches) // count)

    def of_round(number: int) -> Iterator[dict]:
        for i in range(count):
            chosen = batches[(i * stride + max(number, 0)) % len(batches)]
            width = int(lengths[chosen].max())
            yield {name: v[chosen, :width] if v.ndim == 2 else v[chosen] for name, v in rows.items()}

    return of_round
