"""What every SavedModel of ours is made with: the right backend, a whole folder, core operations only."""

from pathlib import Path

from keras_bert.errors import InputError
from keras_bert.files import atomic_write


def need_tensorflow() -> None:
    """InputError unless Keras runs on TensorFlow: a SavedModel is a TensorFlow graph."""
    import keras

    backend = keras.backend.backend()
    if backend != "tensorflow":
        raise InputError(
            "a SavedModel is written on the TensorFlow backend: save the model with save_pretrained, load it in a "
            f"process with KERAS_BACKEND=tensorflow and export it there. Received: KERAS_BACKEND={backend}"
        )


def write(root, path, signatures: dict) -> Path:
    """Save a trackable object as a SavedModel that takes the place of `path` once it is complete.

    Args:
        root: the object; everything that its functions read hangs on it.
        path: the folder.
        signatures: name to concrete function.

    Returns:
        The folder's path.

    Raises:
        InputError: `path` is a file.
        OSError: the disk is full or not writable; nothing is left behind.
    """
    import tensorflow as tf

    if Path(path).is_file():
        raise InputError(f"a SavedModel is a folder. Received: {path}, which is a file")
    with atomic_write(path) as draft:
        try:
            tf.saved_model.save(root, str(draft), signatures=signatures)
        except tf.errors.OpError as error:  # TensorFlow's own name for a failed write
            reason = error.message.rsplit("; ", 1)[-1].split(" [Op:")[0]  # without its nodes and its temporary names
            raise OSError(f"cannot write {path}: {reason}") from None
    return Path(path)


def longest_row(vectorizer, longest: int) -> int:
    """The most tokens of a row: `longest`, or the vectorizer's own length where it has a shorter one."""
    return min(longest, vectorizer.sequence_length or longest)


def serving_ids(vectorizer, texts, longest: int) -> dict:
    """Texts to the three inputs, padded to the longest text of the batch, never beyond `longest`.

    Args:
        vectorizer: a `BertTextVectorization`.
        texts: string tensor `[B]`.
        longest: the most tokens the encoder takes; the vectorizer's own length, where it has one, counts too.

    Returns:
        dict of three int32 tensors `[B, T]`.
    """
    import tensorflow as tf

    limit = longest_row(vectorizer, longest)
    tokens = vectorizer.tokenize(texts)  # [B, (tokens)]
    lengths = tf.cast(tokens.row_lengths(), tf.int32)  # [B]
    needed = 2 + tf.reduce_max(tf.concat([lengths, [0]], 0))  # with [CLS] and [SEP]; a batch may be empty
    return vectorizer.pack([tokens], tf.minimum(needed, limit))
