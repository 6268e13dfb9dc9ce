"""Conversion of tensors between the canonical layout of this package and the layout of a format."""

import dataclasses

import numpy as np

from keras_bert.errors import InputError
from keras_bert.weights.messages import first_names


@dataclasses.dataclass(frozen=True)
class TensorMapping:
    """The name and the layout of one canonical tensor in a format.

    Args:
        canonical_name: the tensor's name in `canonical_names.py`.
        format_name: its name in the format.
        shape: its canonical shape.
        merged_heads: whether the format stores the attention heads in one axis: `[H, H]` for the canonical
            `[H, A, H / A]`.
        transposed: whether the format stores the output axis first, as PyTorch's `Linear` does.

    Example:

    >>> mapping = TensorMapping("layer/query/kernel", "q.weight", (8, 2, 4), transposed=True)
    >>> mapping.format_shape, mapping.to_canonical(np.zeros((8, 8))).shape
    ((8, 8), (8, 2, 4))
    """

    canonical_name: str
    format_name: str
    shape: tuple[int, ...]
    merged_heads: bool = True
    transposed: bool = False

    @property
    def format_shape(self) -> tuple[int, ...]:
        """The tensor's shape in the format."""
        shape = self._merged_shape()
        return shape[::-1] if self.transposed else shape

    def to_canonical(self, tensor: np.ndarray) -> np.ndarray:
        """Convert a tensor of the format to the canonical layout."""
        return np.ascontiguousarray(tensor.T if self.transposed else tensor).reshape(self.shape)

    def to_format(self, tensor: np.ndarray) -> np.ndarray:
        """Convert a canonical tensor to the layout of the format."""
        merged = np.reshape(tensor, self._merged_shape())
        return np.ascontiguousarray(merged.T if self.transposed else merged)

    def _merged_shape(self) -> tuple[int, ...]:
        if not self.merged_heads:
            return self.shape
        if len(self.shape) == 3:  # [H, A, H / A], or [A, H / A, H] for the output projection of the attention
            a, b, c = self.shape
            return (a * b, c) if "attention_output" in self.canonical_name else (a, b * c)
        if len(self.shape) == 2 and self.canonical_name.endswith("bias"):  # [A, H / A]
            return (self.shape[0] * self.shape[1],)
        return self.shape


def to_canonical(mappings: dict[str, list[TensorMapping]], tensors: dict[str, np.ndarray], source: str) -> dict:
    """Convert the tensors of a format to canonical names and layouts, each exactly once.

    Args:
        mappings: `"encoder"` and heads, each with its list of `TensorMapping`.
        tensors: name in the format to array.
        source: name of the source in error messages.

    Returns:
        dict of part (`"encoder"` or a head) to dict of canonical name to array. A head without any tensor is omitted.

    Raises:
        InputError: a tensor is missing, unexpected or has another shape.
    """
    found, known = {}, set()
    for part, part_mappings in mappings.items():
        missing = [mapping.format_name for mapping in part_mappings if mapping.format_name not in tensors]
        if part != "encoder" and len(missing) == len(part_mappings):
            continue
        if missing:
            raise InputError(
                f"`source` must contain every tensor of its {part}. Received: source={source} (missing: "
                f"{first_names(missing)})"
            )
        found[part] = {}
        for mapping in part_mappings:
            tensor = tensors[mapping.format_name]
            if tuple(tensor.shape) != mapping.format_shape:
                raise InputError(
                    f"`source` must fit its config: tensor {mapping.format_name} must have shape "
                    f"{mapping.format_shape}, as the config states. Received: shape={tuple(tensor.shape)} in {source}"
                )
            found[part][mapping.canonical_name] = mapping.to_canonical(tensor)
        known |= {mapping.format_name for mapping in part_mappings}
    unexpected = [name for name in tensors if name not in known]
    if unexpected:
        raise InputError(
            f"`source` must contain only tensors that its config describes. Received: source={source} "
            f"({len(unexpected)} unexpected tensors: {first_names(unexpected)})"
        )
    return found


def to_format(mappings: dict[str, list[TensorMapping]], tensors: dict[str, dict]) -> dict[str, np.ndarray]:
    """Convert canonical tensors, grouped by part, to the names and layouts of a format."""
    return {
        mapping.format_name: mapping.to_format(tensors[part][mapping.canonical_name])
        for part, part_mappings in mappings.items()
        if part in tensors
        for mapping in part_mappings
    }
