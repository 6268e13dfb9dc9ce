"""Tensors in a checkpoint that are no weights of the model: slots of an optimizer, counters, a scale of the loss."""

import math
from collections.abc import Collection

# Parts of names, in lower case, by which programs mark the state of the training.
MARKS = ("optimizer", "adam", "lamb", "global_step", "loss_scale", "exp_avg", "momentum", "beta1_power", "beta2_power")


def training_state(shapes: dict[str, tuple], weights: Collection[str]) -> list[str]:
    """Find the tensors that are the state of a training.

    The name of an optimizer's slot starts with that of a weight, as `…/kernel/adam_m` does, or contains one of `MARKS`.
    A counter has one number.

    Args:
        shapes: name to shape of all tensors.
        weights: the names of the weights.

    Returns:
        The names of the others that are the state of a training, in the order of `shapes`.

    Example:

    >>> shapes = {"dense/kernel": (2, 3), "dense/kernel/LAMB_1": (2, 3), "step": (), "dense_1/kernel": (3, 3)}
    >>> training_state(shapes, ["dense/kernel"])
    ['dense/kernel/LAMB_1', 'step']
    """
    known = set(weights)
    return [
        name
        for name, shape in shapes.items()
        if name not in known
        and (math.prod(shape) == 1 or any(mark in name.lower() for mark in MARKS) or _is_slot(name, known))
    ]


def _is_slot(name: str, weights: set[str]) -> bool:
    """Return whether a name starts with the name of a weight and a separator."""
    return any(name[:end] in weights for end, char in enumerate(name) if char in "/.")
