"""The sizes that are measured: BERT base as published, and a tiny one that tests the code on a CPU."""

import dataclasses

from benchmarks import inputs
from benchmarks.rows import KERAS_BERT


@dataclasses.dataclass(frozen=True)
class Size:
    """Settings of a run.

    Attributes:
        config: the fields of a `BertConfig`.
        product: rows of the square matrices whose product is the peak.
        tokens: tokens per repetition; a multiple of every batch, so that all contestants do the same work.
        batch_sizes: batch sizes to try, by sequence length; the most promising first, in case the time runs out.
        positions: masked positions per row, by sequence length.
        forms: forms by contestant.
        check: batch size and sequence length of the comparison of outputs.
        learning_rate: so large that three steps change the loss by much more than the tolerance.
    """

    config: dict
    product: int
    tokens: int
    batch_sizes: dict[int, tuple[int, ...]]
    positions: dict[int, int]
    forms: dict[str, tuple[str, ...]]
    check: tuple[int, int]
    learning_rate: float


BASE = Size(
    config=inputs.BASE,
    product=8192,
    tokens=2**18,
    batch_sizes={128: (256, 512, 128), 512: (64, 128, 32)},
    positions={128: 20, 512: 76},
    forms={KERAS_BERT: ("threefry", "philox"), "Hugging Face": ("compile",)},
    check=(16, 128),
    learning_rate=1e-4,
)
TINY = Size(
    config=inputs.TINY,
    product=64,
    tokens=2**7,
    batch_sizes={16: (4, 2)},
    positions={16: 4},
    forms={KERAS_BERT: ("threefry",), "Hugging Face": ("eager",)},
    check=(2, 16),
    learning_rate=1e-3,
)
