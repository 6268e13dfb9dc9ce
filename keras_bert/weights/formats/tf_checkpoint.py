"""Reader and writer of TensorFlow checkpoints: files `*.index` and `*.data-*` with tensors by name."""

import contextlib
from pathlib import Path

import numpy as np

from keras_bert.errors import InputError
from keras_bert.extras import require_tensorflow
from keras_bert.weights.messages import first_line

OBJECT_SUFFIX = "/.ATTRIBUTES/VARIABLE_VALUE"  # of every tensor that `tf.train.Checkpoint` writes


def is_object_based(path: Path) -> bool:
    """Return whether a folder contains a checkpoint of TensorFlow 2 objects; False if it cannot be read."""
    try:
        return any(name.endswith(OBJECT_SUFFIX) for name in _open(path)[1])
    except InputError:
        return False


def read_tensors(path: Path, keep=lambda name: True) -> dict[str, np.ndarray]:
    """Read the tensors of the checkpoint in a folder.

    Args:
        path: a folder with exactly one checkpoint.
        keep: function of a tensor's name that returns whether to read it.

    Returns:
        dict of name to array.

    Raises:
        InputError: the folder contains no checkpoint or several, or the checkpoint is damaged.
    """
    reader, names = _open(path)
    with _readable(path):
        return {name: reader.get_tensor(name) for name in names if keep(name)}


def write_tensors(prefix: Path, tensors: dict[str, np.ndarray]) -> None:
    """Write tensors as a checkpoint `prefix.index`, `prefix.data-*`."""
    tf = require_tensorflow("a TensorFlow checkpoint")
    names = sorted(tensors)
    tf.raw_ops.SaveV2(
        prefix=str(prefix), tensor_names=names, shape_and_slices=[""] * len(names), tensors=[tensors[n] for n in names]
    )


def _open(path: Path) -> tuple:
    """Return the reader of the checkpoint in a folder, and the sorted names of the tensors."""
    tf = require_tensorflow(f"the TensorFlow checkpoint {path}")
    files = sorted(path.glob("*.index"))
    if len(files) != 1:
        names = ", ".join(file.name for file in files) or "no .index file"
        raise InputError(f"`path` must be a folder with one checkpoint. Received: path={path} ({names})")
    with _readable(path):
        reader = tf.train.load_checkpoint(str(files[0].with_suffix("")))
        return reader, sorted(reader.get_variable_to_shape_map())


@contextlib.contextmanager
def _readable(path: Path):
    """Convert the errors that TensorFlow raises on a damaged checkpoint to an InputError of one line."""
    import tensorflow as tf

    try:
        yield
    except (tf.errors.OpError, RuntimeError, ValueError, IndexError) as error:
        raise InputError(
            f"`path` must contain a complete checkpoint. Received: path={path} ({first_line(error)})"
        ) from None
