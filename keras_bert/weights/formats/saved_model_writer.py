"""Writer of TensorFlow objects as SavedModels."""

from pathlib import Path

from keras_bert.errors import InputError
from keras_bert.files import atomic_write


def require_tensorflow_backend(purpose: str = "write a SavedModel") -> None:
    """Check that Keras runs on TensorFlow, because a SavedModel contains a TensorFlow graph.

    Args:
        purpose: what the backend is needed for, in the error message.

    Raises:
        InputError: Keras runs on another backend.
    """
    import keras

    backend = keras.backend.backend()
    if backend != "tensorflow":
        raise InputError(
            f"`KERAS_BACKEND` must be tensorflow to {purpose}. Received: KERAS_BACKEND={backend}. Save the "
            "model with `kb.save_pretrained`, then load and export it in a process with KERAS_BACKEND=tensorflow."
        )


def write_saved_model(root, path, signatures: dict) -> Path:
    """Write a trackable object as a SavedModel. An existing folder is replaced when the new one is complete.

    Args:
        root: the trackable object. All variables and tables that its functions read must be its attributes.
        path: the folder to write.
        signatures: a dict of signature name to concrete function.

    Returns:
        The folder's path.

    Raises:
        InputError: `path` is a file.
        OSError: the disk is full or not writable. No partial folder remains.
    """
    import tensorflow as tf

    if Path(path).is_file():
        raise InputError(f"`path` must be a new folder or one to replace. Received: path={path} (a file)")
    with atomic_write(path) as draft:
        try:
            tf.saved_model.save(root, str(draft), signatures=signatures)
        except tf.errors.OpError as error:  # TensorFlow raises this, and not OSError, when it cannot write
            # The message also contains graph nodes and a temporary file: use its last part, the reason.
            reason = error.message.rsplit("; ", 1)[-1].split(" [Op:")[0]
            raise OSError(f"cannot write {path}: {reason}") from None
    return Path(path)
