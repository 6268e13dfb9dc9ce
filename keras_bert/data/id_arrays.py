"""Token-id arrays: validation, row lengths and trimming of padding."""

import keras
import numpy as np

from keras_bert.config import BertConfig
from keras_bert.constants import INPUT_KEYS
from keras_bert.errors import InputError

# On JAX each new shape is compiled, so widths are rounded up to few values.
WIDTH_STEP = 8 if keras.backend.backend() == "jax" else 1


def as_id_arrays(ids: dict) -> dict[str, np.ndarray]:
    """The encoder's three inputs as int32 arrays of one shape `[N, T]`.

    Raises:
        InputError: one is missing, or they are no `[N, T]` of one shape.
    """
    missing = [key for key in INPUT_KEYS if key not in ids]
    if missing:
        raise InputError(f"ids are a dict of {', '.join(INPUT_KEYS)}. Received: no {', '.join(missing)}")
    arrays = {key: np.asarray(ids[key], np.int32) for key in INPUT_KEYS}
    shapes = {array.shape for array in arrays.values()}
    if len(shapes) != 1 or arrays["input_mask"].ndim != 2:
        raise InputError(f"ids are three arrays of one shape [N, T]. Received: {sorted(shapes)}")
    return arrays


def row_lengths(ids: dict[str, np.ndarray]) -> np.ndarray:
    """Where the last token of each row ends, `[N]`."""
    mask = ids["input_mask"] > 0  # [N, T]
    return np.where(mask.any(axis=1), mask.shape[1] - np.argmax(mask[:, ::-1], axis=1), 0)


def trim(ids: dict[str, np.ndarray], lengths: np.ndarray, rows: np.ndarray) -> dict[str, np.ndarray]:
    """These rows, as wide as the longest of them, rounded up to a multiple of `WIDTH_STEP`."""
    width = max(1, -(-int(lengths[rows].max()) // WIDTH_STEP)) * WIDTH_STEP
    return {key: array[rows, :width] for key, array in ids.items()}


def check_ids(config: BertConfig, ids: dict[str, np.ndarray]) -> None:
    """Refuse ids that an encoder of this config has no embedding for.

    Raises:
        InputError: a word id, a type id or a length beyond the encoder's.
    """
    width = int(row_lengths(ids).max(initial=0))
    if width > config.max_position_embeddings:
        raise InputError(f"rows may have {config.max_position_embeddings} tokens, the positions. Received: {width}")
    for key, size in (("input_word_ids", config.vocab_size), ("input_type_ids", config.type_vocab_size)):
        low, high = int(ids[key].min(initial=0)), int(ids[key].max(initial=0))
        if size and (low < 0 or high >= size):  # no size: an encoder without segments reads none
            raise InputError(
                f"{key} must lie in 0 … {size - 1}, as encoder and vocabulary must be of one size. "
                f"Received: {low} … {high}"
            )
