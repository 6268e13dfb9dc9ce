"""Token ids back to texts."""

import re

import keras
import numpy as np

from keras_bert.constants import SPECIAL_TOKENS
from keras_bert.errors import InputError

# English clean-up of Hugging Face: each of these is replaced by itself without its spaces, in this order.
CLEANED = (" .", " ?", " !", " ,", " ' ", " n't", " 'm", " 's", " 've", " 're")


class Detokenizer:
    """Function that joins the tokens of ids into texts, with core TensorFlow operations.

    Args:
        vocabulary: the tokens in the order of their ids.

    Example:

    >>> detokenizer = Detokenizer(["[CLS]", "film", "##s", "!"])
    >>> detokenizer([[0, 1, 2, 3], [1]])
    ['[CLS] films !', 'film']

    Source: `decode` of `BertTokenizerLegacy` in Hugging Face transformers.
    """

    def __init__(self, vocabulary):
        import tensorflow as tf

        with tf.init_scope():
            self.tokens = tf.constant(list(vocabulary))  # [V]
            self.is_special = tf.constant([token in SPECIAL_TOKENS for token in vocabulary])  # [V]

    def __call__(self, ids, skip_special_tokens: bool = False, clean_up_tokenization_spaces: bool = False):
        """Detokenize, see `BertTextVectorization.detokenize`."""
        import tensorflow as tf

        with tf.device("CPU:0"):
            ids, is_batch = _rows(ids)
            is_eager = hasattr(ids.values, "numpy")
            if is_eager:
                check_ids(ids.values.numpy(), len(self.tokens), "ids")
            ids = tf.cast(ids, tf.int64)
            if skip_special_tokens:
                ids = tf.ragged.boolean_mask(ids, ids.with_values(~tf.gather(self.is_special, ids.values)))
            tokens = ids.with_values(tf.gather(self.tokens, ids.values))  # [B, (tokens)]
            texts = tf.strings.reduce_join(tokens, axis=-1, separator=" ")  # [B]
            texts = tf.strings.regex_replace(texts, " ##", "")
            for pattern in CLEANED if clean_up_tokenization_spaces else ():
                texts = tf.strings.regex_replace(texts, re.escape(pattern), pattern.strip())
        texts = [text.decode("utf-8") for text in texts.numpy()] if is_eager else texts
        return texts if is_batch else texts[0]


def check_ids(ids: np.ndarray, size: int, name: str) -> None:
    """Raise InputError if an array does not contain integers from 0 to `size - 1`."""
    if ids.size and ids.dtype.kind not in "iu":
        raise InputError(f"`{name}` must be integers. Received: {name} of dtype {ids.dtype}")
    wrong = ids[(ids < 0) | (ids >= size)] if ids.size else ids
    if wrong.size:
        raise InputError(f"`{name}` must be in 0 … {size - 1}. Received: {name}={wrong.flat[0]}")


def _integers(ids: np.ndarray) -> np.ndarray:
    """Return an array as int64; raise InputError if it is not of integers."""
    if ids.size and ids.dtype.kind not in "iu":
        raise InputError(f"`ids` must be integers. Received: ids of dtype {ids.dtype}")
    return ids.astype("int64")


def _rows(ids):
    """Convert ids to a `RaggedTensor` `[B, (tokens)]`, and tell whether they were a batch."""
    import tensorflow as tf

    if not tf.is_tensor(ids):
        if keras.ops.is_tensor(ids):  # of JAX or PyTorch
            ids = keras.ops.convert_to_numpy(ids)
        if isinstance(ids, list | tuple) and ids and all(np.ndim(row) == 1 for row in ids):
            lengths = [len(row) for row in ids]
            values = _integers(np.concatenate([np.asarray(row) for row in ids if len(row)] or [[]]))
            return tf.RaggedTensor.from_row_lengths(values, lengths), True
        ids = tf.constant(_integers(np.asarray(ids)))
    if not ids.dtype.is_integer:
        raise InputError(f"`ids` must be integers. Received: ids of dtype {ids.dtype.name}")
    if ids.shape.rank not in (1, 2):
        raise InputError(f"`ids` must have one or two axes. Received: ids of shape {ids.shape}")
    if isinstance(ids, tf.RaggedTensor):
        return ids, True
    return tf.RaggedTensor.from_tensor(ids if ids.shape.rank == 2 else ids[None]), ids.shape.rank == 2
