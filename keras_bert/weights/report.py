"""Copying tensors by name, each exactly once, and the account of it."""

import dataclasses
import math

import numpy as np

from keras_bert.errors import InputError


@dataclasses.dataclass(frozen=True)
class LoadReport:
    """What was copied into a model.

    Attributes:
        source: where the tensors came from.
        tensors: (name at the source, shape) of each, in the model's order; every tensor of the source is there once.
        untouched: names of the model's weights that the source has no tensor for (its heads); they keep their values.
        left: heads of the source that the model has no place for.

    Example:

    >>> from keras_bert.weights import LoadReport
    >>> LoadReport("a folder", [("pooler_transform/kernel", (8, 8)), ("pooler_transform/bias", (8,))], []).parameters
    72
    """

    source: str
    tensors: list
    untouched: list
    left: list = dataclasses.field(default_factory=list)

    @property
    def count(self) -> int:
        """How many tensors."""
        return len(self.tensors)

    @property
    def parameters(self) -> int:
        """How many numbers in them."""
        return sum(math.prod(shape) for _, shape in self.tensors)

    def to_dict(self) -> dict:
        """All of it, ready for JSON."""
        return {
            "source": self.source,
            "count": self.count,
            "parameters": self.parameters,
            "tensors": [{"name": name, "shape": list(shape)} for name, shape in self.tensors],
            "untouched": self.untouched,
            "left": self.left,
        }


def assign_exactly_once(targets: dict, tensors: dict, source: str, untouched=()) -> LoadReport:
    """Copy tensors into weights of the same name; everything is checked before the first is written.

    Args:
        targets: name to `keras.Variable`.
        tensors: name to `numpy.ndarray`.
        source: what to call the source in errors.
        untouched: names of weights the caller leaves alone, for the report.

    Returns:
        A `LoadReport`.

    Raises:
        InputError: a tensor is missing, left over, of another shape, of whole numbers, or not finite as float32. The
            weights are as they were.
    """
    missing = [name for name in targets if name not in tensors]
    left_over = [name for name in tensors if name not in targets]
    if missing:
        raise InputError(f"{len(missing)} tensors of the model are not in {source}. Received: no {_some(missing)}")
    if left_over:
        raise InputError(
            f"{len(left_over)} tensors of {source} have no place in the model. Received: {_some(left_over)}"
        )
    for name, variable in targets.items():
        expected, received = tuple(variable.shape), tuple(tensors[name].shape)
        if expected != received:
            raise InputError(f"tensor {name} has shape {expected} in the model. Received: {received} in {source}")
        if tensors[name].dtype.kind in "biuc":  # quantized, say: not the numbers that the model computes with
            raise InputError(
                f"weights are floating-point numbers. Received: {tensors[name].dtype} in {name} of {source}"
            )
        with np.errstate(over="ignore"):  # float64 may be too large
            numbers = np.asarray(tensors[name]).astype(np.float32, copy=False)
        if not np.isfinite(numbers).all():
            raise InputError(f"weights are finite numbers. Received: NaN or infinity in {name} of {source}")
    for name, variable in targets.items():
        variable.assign(tensors[name])
    return LoadReport(source, [(name, tuple(variable.shape)) for name, variable in targets.items()], list(untouched))


def _some(names) -> str:
    return ", ".join(names[:3]) + (f" and {len(names) - 3} more" if len(names) > 3 else "")
