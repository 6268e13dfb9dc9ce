"""Assignment of tensors to weights by name, each exactly once, and the report of it."""

import dataclasses
import math

import numpy as np

from keras_bert.errors import InputError
from keras_bert.weights.messages import first_names


@dataclasses.dataclass(frozen=True)
class LoadReport:
    """Report of the tensors that were loaded into a model.

    Attributes:
        source: the source of the tensors.
        tensors: list of (name, shape) in the order of the model, one entry per loaded tensor.
        untouched: names of the model's weights that the source does not contain, such as a new head. They keep their
            values.
        skipped: heads of the source that the model does not have, and names of what is no weight of a model.

    Example:

    >>> from keras_bert.weights import LoadReport
    >>> LoadReport("a folder", [("pooler_transform/kernel", (8, 8)), ("pooler_transform/bias", (8,))], []).parameters
    72
    """

    source: str
    tensors: list
    untouched: list
    skipped: list = dataclasses.field(default_factory=list)

    @property
    def count(self) -> int:
        """The number of tensors."""
        return len(self.tensors)

    @property
    def parameters(self) -> int:
        """The number of parameters in the tensors."""
        return sum(math.prod(shape) for _, shape in self.tensors)

    def to_dict(self) -> dict:
        """Return the report as a dict that can be written as JSON."""
        return {
            "source": self.source,
            "count": self.count,
            "parameters": self.parameters,
            "tensors": [{"name": name, "shape": list(shape)} for name, shape in self.tensors],
            "untouched": self.untouched,
            "skipped": self.skipped,
        }


def assign_exactly_once(targets: dict, tensors: dict, source: str, untouched=()) -> LoadReport:
    """Assign each tensor to the weight of the same name. Everything is checked before the first assignment.

    Args:
        targets: name to `keras.Variable`.
        tensors: name to `numpy.ndarray`.
        source: name of the source in error messages.
        untouched: names of weights that the caller does not load, for the report.

    Returns:
        A `LoadReport`.

    Raises:
        InputError: a tensor is missing, unexpected, has another shape, has integer values, or is not finite in
            float32. No weight is changed.
    """
    missing = [name for name in targets if name not in tensors]
    unexpected = [name for name in tensors if name not in targets]
    if missing:
        raise InputError(
            f"`source` must contain every tensor of the model. Received: source={source} ({len(missing)} missing "
            f"tensors: {first_names(missing)})"
        )
    if unexpected:
        raise InputError(
            f"`source` must contain only tensors of the model. Received: source={source} ({len(unexpected)} "
            f"unexpected tensors: {first_names(unexpected)})"
        )
    for name, variable in targets.items():
        expected, received = tuple(variable.shape), tuple(tensors[name].shape)
        if expected != received:
            raise InputError(
                f"`source` must fit the model: tensor {name} must have shape {expected}. "
                f"Received: shape={received} in {source}"
            )
        if tensors[name].dtype.kind in "biuc":  # for example quantized weights, which need a scale
            raise InputError(
                f"`source` must fit the model: tensor {name} must contain floating-point numbers. "
                f"Received: dtype={tensors[name].dtype} in {source}"
            )
        with np.errstate(over="ignore"):  # float64 values may be too large for float32
            numbers = np.asarray(tensors[name]).astype(np.float32, copy=False)
        if not np.isfinite(numbers).all():
            raise InputError(
                f"`source` must have finite weights. Received: tensor {name} with NaN or infinity in {source}"
            )
    for name, variable in targets.items():
        variable.assign(tensors[name])
    return LoadReport(source, [(name, tuple(variable.shape)) for name, variable in targets.items()], list(untouched))
