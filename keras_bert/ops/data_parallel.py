"""Batches on several devices: `tf.distribute` on TensorFlow, `keras.distribution` on JAX."""

import contextlib
from collections.abc import Iterator

import keras
import numpy as np


def replicas(model: keras.Model) -> int:
    """Return the number of devices that a batch of a model is divided between, at least 1."""
    if keras.backend.backend() == "tensorflow":
        return model.distribute_strategy.num_replicas_in_sync
    distribution = keras.distribution.distribution()
    name = getattr(distribution, "batch_dim_name", None)
    if name is None:
        return 1
    mesh = distribution.device_mesh
    return mesh.shape[mesh.axis_names.index(name)]


def processes() -> int:
    """Return the number of processes that train one model together, by `keras.distribution.initialize` on JAX."""
    distribution = keras.distribution.distribution()
    return 1 if distribution is None else distribution.num_processes


@contextlib.contextmanager
def distribution_scope(model: keras.Model) -> Iterator[None]:
    """Enter the strategy that a model was made under; on TensorFlow, the variables of an optimizer must be in it."""
    with model.distribute_strategy.scope() if keras.backend.backend() == "tensorflow" else contextlib.nullcontext():
        yield


def pad_batch(inputs: dict, targets, weights, multiple: int) -> tuple:
    """Repeat the last row of a batch with weight 0, so that the number of rows is a multiple of `multiple`.

    Args:
        inputs: dict of arrays `[B, …]`.
        targets: an array `[B, …]`, or a dict of arrays by output.
        weights: the same for the weights; None for one prediction per row, all of weight 1.
        multiple: of the result's number of rows.

    Returns:
        Inputs, targets and weights. Weights stay None if no row is added.

    Example:

    >>> pad_batch({"x": np.ones((3, 2))}, np.array([1, 0, 2]), None, 2)[1:]
    (array([1, 0, 2, 2]), array([1., 1., 1., 0.], dtype=float32))
    """
    if not (-len(next(iter(inputs.values()))) % multiple):
        return inputs, targets, weights
    if weights is None:
        weights = keras.tree.map_structure(lambda target: np.ones(len(target), np.float32), targets)
    inputs, targets = pad_rows(inputs, multiple), pad_rows(targets, multiple)
    return inputs, targets, pad_rows(weights, multiple, factor=0)


def pad_rows(arrays, multiple: int, factor: int = 1):
    """Repeat the last row of each array, times `factor`, up to a multiple of `multiple` rows."""

    def pad(array):
        missing = -len(array) % multiple
        return np.concatenate([array, np.repeat(array[-1:] * array.dtype.type(factor), missing, axis=0)])

    return keras.tree.map_structure(pad, arrays)


def own_rows(batch):
    """Return the rows of a batch for the devices of this process. Keras puts the rows of all processes together.

    Args:
        batch: structure of arrays `[B, …]` and None, the same in every process; B is a multiple of the devices.

    Returns:
        The structure with arrays `[B / n, …]` if the batch is divided between n processes.
    """
    if processes() == 1:
        return batch
    distribution = keras.distribution.distribution()

    def select(array):
        if array is None:
            return None
        layout = distribution.get_data_layout(array.shape).backend_layout
        indices = layout.addressable_devices_indices_map(array.shape).values()  # a slice per axis for each device
        own = sorted({index[0].indices(len(array)) for index in indices})
        return np.concatenate([array[slice(*each)] for each in own])

    return keras.tree.map_structure(select, batch)


def on_devices(arrays):
    """Divide arrays `[B, …]` between the devices of one process on JAX. Keras does so in training, not in prediction.

    Outputs of several processes would be on devices that a process cannot read, so there each computes all rows.
    """
    distribution = keras.distribution.distribution()
    if distribution is None or processes() > 1:
        return arrays

    def divide(array):
        return keras.distribution.distribute_tensor(array, distribution.get_data_layout(array.shape))

    return keras.tree.map_structure(divide, arrays)


def to_numpy(variable) -> np.ndarray:
    """Return the value of a variable. If it is divided between processes, all of them must call this function."""
    if processes() > 1 and not variable.value.is_fully_replicated:
        from jax.experimental import multihost_utils

        return multihost_utils.process_allgather(variable.value, tiled=True)
    return keras.ops.convert_to_numpy(variable)
