"""Batches of similar length for the contestants that do not use `LengthGroupedBatches`.

Pool size, batch size and seed are those of `LengthGroupedBatches`, so all contestants train on the same batches.
"""

import numpy as np

POOL = 32  # batches that are sorted together


def group_by_length(lengths: np.ndarray, batch_size: int) -> list[np.ndarray]:
    """Divide rows into the batches of one epoch.

    Args:
        lengths: number of tokens of each row, int `[N]`.
        batch_size: B.

    Returns:
        One array of row indices per batch.
    """
    rng = np.random.default_rng([0, 0])
    order = rng.permutation(len(lengths))
    batches = []
    for start in range(0, len(order), POOL * batch_size):
        pool = order[start : start + POOL * batch_size]
        pool = pool[np.argsort(lengths[pool], kind="stable")]
        batches += [pool[i : i + batch_size] for i in range(0, len(pool), batch_size)]
    return [batches[i] for i in rng.permutation(len(batches))]


class LengthGroupedRows:
    """Endless iterator over batches, each trimmed to its longest row.

    Args:
        rows: the three inputs, int `[N, T]` each, and `labels` `[N]`.
        batch_size: B.
    """

    def __init__(self, rows: dict, batch_size: int):
        self.rows, self.lengths = rows, rows["input_mask"].sum(axis=1)
        self.batches, self.next_batch = group_by_length(self.lengths, batch_size), 0

    def __next__(self) -> dict:
        indices = self.batches[self.next_batch % len(self.batches)]
        self.next_batch += 1
        length = int(self.lengths[indices].max())
        return {name: v[indices, :length] if v.ndim == 2 else v[indices] for name, v in self.rows.items()}
