"""What is measured: BERT base as published, or a toy that shows on a CPU that all of it works."""

import dataclasses

from benchmarks import inputs


@dataclasses.dataclass(frozen=True)
class Size:
    """A size.

    Attributes:
        config: of the model.
        product: rows of the matrices whose product is the limit.
        unit: tokens of a unit of work; every batch divides it, so that all contestants do the same.
        batch_sizes: rows that are tried, by length; the likely best first, should time run out.
        positions: masked positions a row, by length.
        forms: of each contestant.
        check: rows and length of the comparison.
        learning_rate: so large that three steps move the loss by far more than the comparison allows.
    """

    config: dict
    product: int
    unit: int
    batch_sizes: dict[int, tuple[int, ...]]
    positions: dict[int, int]
    forms: dict[str, tuple[str, ...]]
    check: tuple[int, int]
    learning_rate: float


BASE = Size(
    config=inputs.BASE,
    product=8192,
    unit=2**18,
    batch_sizes={128: (256, 512, 128), 512: (64, 128, 32)},
    positions={128: 20, 512: 76},
    forms={"ours": ("threefry", "philox"), "Hugging Face": ("compile",)},
    check=(16, 128),
    learning_rate=1e-4,
)
TOY = Size(
    config=inputs.TINY,
    product=64,
    unit=2**7,
    batch_sizes={16: (4, 2)},
    positions={16: 4},
    forms={"ours": ("threefry",), "Hugging Face": ("eager",)},
    check=(2, 16),
    learning_rate=1e-3,
)
