"""Arrays of token ids: validation, row lengths and trimming of padding."""

import numpy as np

from keras_bert.config import BertConfig
from keras_bert.constants import INPUT_KEYS
from keras_bert.errors import InputError


def as_id_arrays(ids: dict) -> dict[str, np.ndarray]:
    """Convert the three model inputs to int32 arrays.

    Args:
        ids: dict of array-likes `[N, T]`.

    Returns:
        A dict of three int32 arrays `[N, T]`.

    Raises:
        InputError: an input is missing or has other values than integers, or the shapes are not the same `[N, T]`.
    """
    missing = [key for key in INPUT_KEYS if key not in ids]
    if missing:
        raise InputError(
            f"`ids` must be a dict with the keys {', '.join(INPUT_KEYS)}. Received: no {', '.join(missing)}"
        )
    arrays = {key: _as_int32(key, ids[key]) for key in INPUT_KEYS}
    shapes = {array.shape for array in arrays.values()}
    if len(shapes) != 1 or arrays["input_mask"].ndim != 2:
        raise InputError(f"`ids` must be three arrays of one shape [N, T]. Received: shapes {sorted(shapes)}")
    return arrays


def _as_int32(key: str, values) -> np.ndarray:
    """Convert whole numbers to int32; NumPy would cut off fractions and the upper bits without an error."""
    try:
        array = np.asarray(values)
    except ValueError:  # rows of different lengths
        array = np.asarray(None)
    if array.dtype.kind not in "biuf":
        raise InputError(f"`{key}` must be integers of shape [N, T]. Received: other values, or rows of other lengths")
    limit = np.iinfo(np.int32)
    with np.errstate(invalid="ignore"):
        is_valid = (array == np.trunc(array)) & (array >= limit.min) & (array <= limit.max)
    if not is_valid.all():
        raise InputError(f"`{key}` must be integers of 32 bits. Received: {array[~is_valid].flat[0]!r}")
    return array.astype(np.int32)


def row_lengths(ids: dict[str, np.ndarray]) -> np.ndarray:
    """Compute the length of each row without the padding at its end: int `[N]`."""
    mask = ids["input_mask"] > 0  # [N, T]
    return np.where(mask.any(axis=1), mask.shape[1] - np.argmax(mask[:, ::-1], axis=1), 0)


def trim(
    ids: dict[str, np.ndarray], lengths: np.ndarray, rows: np.ndarray, step: int | None = 1
) -> dict[str, np.ndarray]:
    """Select rows, and remove the columns in which all of them are padding.

    Args:
        ids: dict of arrays `[N, T]`.
        lengths: int `[N]`, the result of `row_lengths`.
        rows: int `[n]`, the indices of the rows to select.
        step: what t is a multiple of, such as `ops.WIDTH_STEP` for a Keras model; None for that of `width_step`, which
            gives few lengths.

    Returns:
        A dict of arrays `[n, t]`; t is the longest of the lengths, rounded up to a multiple of `step`, and at most T.
    """
    longest = int(lengths[rows].max())
    step = width_step(longest) if step is None else step
    width = max(1, -(-longest // step)) * step
    return {key: array[rows, :width] for key, array in ids.items()}


def width_step(length: int) -> int:
    """Return the multiple that a length is rounded up to, so that there are few lengths and little padding.

    It is 4, and above 64 an eighth of the next lower power of two: 16 lengths up to 64, then 8 per doubling.

    Example:

    >>> [width_step(length) for length in (3, 64, 65, 128, 129, 512)]
    [4, 4, 8, 8, 16, 32]
    """
    return max(4, 1 << max(0, (length - 1).bit_length() - 4))


def check_ids(config: BertConfig, ids: dict[str, np.ndarray]) -> None:
    """Validate that an encoder of this config has an embedding for every id, and that the mask is 0 or 1.

    Raises:
        InputError: a token id, a segment id or a row length exceeds the config, or the mask has another value.
    """
    low, high = int(ids["input_mask"].min(initial=0)), int(ids["input_mask"].max(initial=0))
    if low < 0 or high > 1:
        raise InputError(
            f"`input_mask` must be 1 for tokens and 0 for padding. Received: {low if low < 0 else high} as a value"
        )
    width = int(row_lengths(ids).max(initial=0))
    if width > config.max_position_embeddings:
        raise InputError(
            f"`ids` must have at most {config.max_position_embeddings} tokens per row (max_position_embeddings). "
            f"Received: {width}"
        )
    for key, size in (("input_word_ids", config.vocab_size), ("input_type_ids", config.type_vocab_size)):
        low, high = int(ids[key].min(initial=0)), int(ids[key].max(initial=0))
        if size and (low < 0 or high >= size):  # size 0: an encoder without segment embeddings ignores them
            raise InputError(
                f"`{key}` must be in 0 … {size - 1}. Received: {low} … {high}. Use the vocabulary of the encoder."
            )
