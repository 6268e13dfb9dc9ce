"""Reader and writer of TensorFlow checkpoints: files `*.index` and `*.data-*` with tensors by name."""

import contextlib
import re
from pathlib import Path

import numpy as np

from keras_bert.errors import InputError
from keras_bert.extras import require_tensorflow
from keras_bert.weights.messages import first_line, first_names

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
        path: a folder with one checkpoint, or with a file `checkpoint` that names the last one.
        keep: function of a tensor's name that returns whether to read it.

    Returns:
        dict of name to array.

    Raises:
        InputError: the folder contains no checkpoint or several, or the checkpoint is damaged.
    """
    reader, names = _open(path)
    with _readable(path):
        return {name: reader.get_tensor(name) for name in names if keep(name)}


def read_shapes(path: Path) -> dict[str, tuple]:
    """Read the names and shapes of the tensors of the checkpoint in a folder, as `read_tensors`."""
    reader, names = _open(path)
    shapes = reader.get_variable_to_shape_map()
    return {name: tuple(shapes[name]) for name in names}


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
    file = _index_file(path)
    with _readable(path):
        reader = tf.train.load_checkpoint(str(file.with_suffix("")))
        return reader, sorted(reader.get_variable_to_shape_map())


def _index_file(path: Path) -> Path:
    """Return the index file of the only checkpoint in a folder, or of the one that the file `checkpoint` names."""
    files = sorted(path.glob("*.index"))
    if len(files) == 1:
        return files[0]
    state = path / "checkpoint"
    text = state.read_bytes().decode("utf-8", "replace") if files and state.is_file() else ""
    # A text of one line per checkpoint; the paths may be those of another machine.
    hint = ". A file `checkpoint` may name one of them, as TensorFlow writes it." if files else ""
    if found := re.search(r'^model_checkpoint_path: *"([^"\n]*)"', text, re.MULTILINE):
        name = re.split(r"[/\\]", found[1])[-1]
        if path / f"{name}.index" in files:
            return path / f"{name}.index"
        hint = f". The file `checkpoint` names {name!r:.60}, which is not in the folder."
    names = first_names(file.name for file in files) or "no .index file"
    raise InputError(f"`path` must be a folder with one checkpoint. Received: path={path} ({names}){hint}")


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
