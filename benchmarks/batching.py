"""Batches of like length for every peer: what our `LengthGroupedBatches` does, and Hugging Face's `group_by_length`.

The same pools, sizes and seed for all, so that all get the very batches that we get.
"""

import numpy as np

POOL = 32  # batches that are sorted together


def grouped(lengths: np.ndarray, batch_size: int) -> list[np.ndarray]:
    """The row numbers of each batch of an epoch."""
    rng = np.random.default_rng([0, 0])
    order = rng.permutation(len(lengths))
    batches = []
    for start in range(0, len(order), POOL * batch_size):
        pool = order[start : start + POOL * batch_size]
        pool = pool[np.argsort(lengths[pool], kind="stable")]
        batches += [pool[i : i + batch_size] for i in range(0, len(pool), batch_size)]
    return [batches[i] for i in rng.permutation(len(batches))]


class Epochs:
    """Batches one after another, epoch after epoch, each cut to its longest row.

    Args:
        rows: the three inputs `[N, T]` and `labels` `[N]`.
        batch_size: B.
    """

    def __init__(self, rows: dict, batch_size: int):
        self.rows, self.lengths = rows, rows["input_mask"].sum(axis=1)
        self.batches, self.place = grouped(self.lengths, batch_size), 0

    def __next__(self) -> dict:
        chosen = self.batches[self.place % len(self.batches)]
        self.place += 1
        width = int(self.lengths[chosen].max())
        return {name: v[chosen, :width] if v.ndim == 2 else v[chosen] for name, v in self.rows.items()}
