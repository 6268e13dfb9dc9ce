"""One model's tensors in two layouts: by Google's names and shapes, which are ours, and as a format stores them.

And the JSON files beside them.
"""

import dataclasses
import json
from pathlib import Path

import numpy as np

from keras_bert.errors import InputError


@dataclasses.dataclass(frozen=True)
class TensorMapping:
    """Where a tensor of ours stands in a foreign format, and how it lies there.

    Args:
        ours: its name in `names`.
        theirs: its name there.
        shape: as ours.
        flat: theirs has the heads side by side, `[H, H]` where ours is `[H, A, H / A]`.
        transposed: theirs has outputs before inputs, as PyTorch's linear layers.

    Example:

    >>> place = TensorMapping("layer/query/kernel", "q.weight", (8, 2, 4), transposed=True)
    >>> place.their_shape, place.to_ours(np.zeros((8, 8))).shape
    ((8, 8), (8, 2, 4))
    """

    ours: str
    theirs: str
    shape: tuple[int, ...]
    flat: bool = True
    transposed: bool = False

    @property
    def their_shape(self) -> tuple[int, ...]:
        """What it must have there."""
        shape = self._flat_shape()
        return shape[::-1] if self.transposed else shape

    def to_ours(self, tensor: np.ndarray) -> np.ndarray:
        """A tensor of theirs, as ours."""
        return np.ascontiguousarray(tensor.T if self.transposed else tensor).reshape(self.shape)

    def to_theirs(self, tensor: np.ndarray) -> np.ndarray:
        """A tensor of ours, as theirs."""
        flat = np.reshape(tensor, self._flat_shape())
        return np.ascontiguousarray(flat.T if self.transposed else flat)

    def _flat_shape(self) -> tuple[int, ...]:
        if not self.flat:
            return self.shape
        if len(self.shape) == 3:  # [H, A, H / A] or, back to one vector, [A, H / A, H]
            a, b, c = self.shape
            return (a * b, c) if "attention_output" in self.ours else (a, b * c)
        if len(self.shape) == 2 and self.ours.endswith("bias"):  # [A, H / A]
            return (self.shape[0] * self.shape[1],)
        return self.shape


def to_ours(parts: dict[str, list[TensorMapping]], tensors: dict[str, np.ndarray], source: str) -> dict[str, dict]:
    """A format's tensors by our names, each used once; a part is there whole or not at all.

    Args:
        parts: tensor_mappings by part, `"encoder"` and heads.
        tensors: theirs, by their names.
        source: what to call them in errors.

    Returns:
        dict of part to dict of our name to array, of the parts that are there.

    Raises:
        InputError: a tensor is missing, left over or of another shape.
    """
    found, known = {}, set()
    for part, tensor_mappings in parts.items():
        there = [place for place in tensor_mappings if place.theirs in tensors]
        if part != "encoder" and not there:
            continue
        missing = [place.theirs for place in tensor_mappings if place.theirs not in tensors]
        if missing:
            raise InputError(f"{source} lacks tensors of its {part}. Received: no {some(missing)}")
        found[part] = {}
        for place in tensor_mappings:
            tensor = tensors[place.theirs]
            if tuple(tensor.shape) != place.their_shape:
                raise InputError(
                    f"tensor {place.theirs} has shape {place.their_shape} by the config. "
                    f"Received: {tuple(tensor.shape)} in {source}"
                )
            found[part][place.ours] = place.to_ours(tensor)
        known |= {place.theirs for place in tensor_mappings}
    left_over = [name for name in tensors if name not in known]
    if left_over:
        raise InputError(f"{len(left_over)} tensors of {source} have no place. Received: {some(left_over)}")
    return found


def to_theirs(parts: dict[str, list[TensorMapping]], tensors: dict[str, dict]) -> dict[str, np.ndarray]:
    """Our tensors, by part, as a format stores them."""
    return {
        place.theirs: place.to_theirs(tensors[part][place.ours])
        for part, tensor_mappings in parts.items()
        if part in tensors
        for place in tensor_mappings
    }


def read_json(path: Path) -> dict:
    """The object in a JSON file.

    Raises:
        InputError: no file, no JSON or no object.
    """
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise InputError(f"a JSON file that can be read is expected. Received: {path} ({error})") from None
    if not isinstance(found, dict):
        raise InputError(f"a JSON file that holds an object is expected. Received: {path} with {found!r:.40}")
    return found


def some(names) -> str:
    """The first of many names."""
    names = list(names)
    return ", ".join(names[:3]) + (f" and {len(names) - 3} more" if len(names) > 3 else "")
