"""Batches of rows of similar length, so that little padding is computed, for any function of a batch.

Keras is not imported, because ONNX and LiteRT models are called with these batches too.
"""

from collections.abc import Callable, Iterator

import numpy as np

from keras_bert.data.id_arrays import row_lengths, trim


def predict_length_sorted(
    predict_batch: Callable,
    ids: dict[str, np.ndarray],
    batch_size: int,
    shapes: dict[str, tuple],
    on_batch=None,
    step: int = 1,
) -> dict[str, np.ndarray]:
    """Call a function on batches of rows of similar length, and merge its outputs.

    Args:
        predict_batch: function of the dict of inputs, `[B, t]` each with t up to T, that returns a dict of arrays, or a
            single array, whose name is then `""`.
        ids: the encoder's inputs, int32 `[N, T]` each.
        batch_size: B.
        shapes: dict of output name to shape. Axis 1 is the token axis if its size is not an int.
        on_batch: an object whose `begin()` is called before each batch, and whose `end(rows, outputs)` is called after
            it with the indices of the rows and a dict of their outputs.
        step: see `length_sorted_batches`.

    Returns:
        A dict of float32 arrays, in the order of the rows. Outputs with a token axis are padded with zeros to T.
    """
    count, width = ids["input_mask"].shape
    per_token = {name: not isinstance(shape[1], int) for name, shape in shapes.items()}
    merged = {
        name: np.zeros((count, width, *shape[2:]) if per_token[name] else (count, *shape[1:]), np.float32)
        for name, shape in shapes.items()
    }
    for rows, batch in length_sorted_batches(ids, batch_size, step):
        if on_batch is not None:
            on_batch.begin()
        outputs = predict_batch(batch)
        for name, output in outputs.items() if isinstance(outputs, dict) else [("", outputs)]:
            if name not in shapes:
                continue
            if not per_token[name]:
                merged[name][rows] = output
            else:
                tokens = min(output.shape[1], width)  # a batch of multiples of `step` may be wider
                merged[name][rows, :tokens] = np.asarray(output)[:, :tokens]
        if on_batch is not None:
            on_batch.end(rows, {name: values[rows] for name, values in merged.items()})
    return merged


def length_sorted_batches(
    ids: dict[str, np.ndarray], batch_size: int, step: int = 1
) -> Iterator[tuple[np.ndarray, dict]]:
    """Cut rows into batches of similar length, the shortest first.

    Args:
        ids: the encoder's inputs, int32 `[N, T]` each.
        batch_size: B.
        step: what the lengths of the batches are multiples of: `ops.WIDTH_STEP` for a Keras model.

    Yields:
        The indices of the rows, int `[B]`, and the inputs of these rows, trimmed to the longest of them.
    """
    lengths = row_lengths(ids)
    order = np.argsort(lengths, kind="stable")
    for start in range(0, len(order), batch_size):
        rows = order[start : start + batch_size]
        yield rows, trim(ids, lengths, rows, step)
