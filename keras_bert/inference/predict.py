"""Batched prediction on token ids, sorted by length so that little padding is computed."""

from collections.abc import Callable, Iterator

import keras
import numpy as np

from keras_bert.data.id_arrays import as_id_arrays, check_ids, row_lengths, trim
from keras_bert.models.encoder_of import encoder_of
from keras_bert.ops import predict_on_batch


def predict_logits(model: keras.Model, ids: dict, batch_size: int = 64, on_batch=None):
    """Compute the outputs of a task model for all rows.

    Args:
        model: a model with a head on an encoder, such as `BertClassifier`.
        ids: dict of `input_word_ids`, `input_mask`, `input_type_ids`, int `[N, T]`.
        batch_size: B.
        on_batch: see `predict_length_sorted`.

    Returns:
        float32, in the order of the rows: logits `[N, C]` of a classifier, `[N, T, C]` of a token classifier; of a span
        labeler a dict of `start_logits` and `end_logits` `[N, T]`. Values at padding are undefined.

    Raises:
        InputError: an input is missing or has another shape, an id is outside the vocabulary, or a row is longer than
            the positions of the encoder.

    Example:

    >>> import keras_bert as kb
    >>> config = kb.BertConfig(vocab_size=50, hidden_size=8, num_layers=1, num_heads=2, intermediate_size=16)
    >>> ids = np.array([[2, 7, 3, 0], [2, 8, 9, 3]])
    >>> rows = {"input_word_ids": ids, "input_mask": ids > 0, "input_type_ids": 0 * ids}
    >>> predict_logits(kb.BertClassifier(kb.BertEncoder(config), num_classes=3), rows).shape
    (2, 3)
    """
    ids = as_id_arrays(ids)
    check_ids(encoder_of(model).config, ids)
    outputs = model.output if isinstance(model.output, dict) else {"": model.output}
    shapes = {name: tuple(tensor.shape) for name, tensor in outputs.items()}
    found = predict_length_sorted(predict_on_batch(model), ids, batch_size, shapes, on_batch)
    return found if isinstance(model.output, dict) else found[""]


def predict_length_sorted(
    predict_batch: Callable, ids: dict[str, np.ndarray], batch_size: int, shapes: dict[str, tuple], on_batch=None
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

    Returns:
        A dict of float32 arrays, in the order of the rows. Outputs with a token axis are padded with zeros to T.
    """
    count, width = ids["input_mask"].shape
    per_token = {name: not isinstance(shape[1], int) for name, shape in shapes.items()}
    merged = {
        name: np.zeros((count, width, *shape[2:]) if per_token[name] else (count, *shape[1:]), np.float32)
        for name, shape in shapes.items()
    }
    for rows, batch in length_sorted_batches(ids, batch_size):
        if on_batch is not None:
            on_batch.begin()
        outputs = predict_batch(batch)
        for name, output in outputs.items() if isinstance(outputs, dict) else [("", outputs)]:
            if name not in shapes:
                continue
            if not per_token[name]:
                merged[name][rows] = output
            else:
                tokens = min(output.shape[1], width)  # on JAX batches are padded to multiples of 8
                merged[name][rows, :tokens] = np.asarray(output)[:, :tokens]
        if on_batch is not None:
            on_batch.end(rows, {name: values[rows] for name, values in merged.items()})
    return merged


def length_sorted_batches(ids: dict[str, np.ndarray], batch_size: int) -> Iterator[tuple[np.ndarray, dict]]:
    """Cut rows into batches of similar length, the shortest first.

    Args:
        ids: the encoder's inputs, int32 `[N, T]` each.
        batch_size: B.

    Yields:
        The indices of the rows, int `[B]`, and the inputs of these rows, trimmed to the longest of them.
    """
    lengths = row_lengths(ids)
    order = np.argsort(lengths, kind="stable")
    for start in range(0, len(order), batch_size):
        rows = order[start : start + batch_size]
        yield rows, trim(ids, lengths, rows)
