"""Checks of packed rows: the shapes, and the range of every id, label and length."""

from keras_bert.text.packing import PretrainingExamples

CHUNK = 2**13  # rows that are checked at a time, so that stored rows need little memory


def find_fault(rows: PretrainingExamples, vocab_size: int) -> str | None:
    """Find the first fault of packed rows.

    Args:
        rows: the rows, in memory or on disk.
        vocab_size: V; ids are in 0 … V - 1.

    Returns:
        A text that names the field and what is wrong, or None.

    Example:

    >>> import numpy as np
    >>> rows = PretrainingExamples(np.array([[2, 9, 3]]), np.zeros((1, 3), np.int8), np.array([3]))
    >>> find_fault(rows, vocab_size=10), find_fault(rows, vocab_size=9)
    (None, 'input_word_ids with 9, outside 0 … 8')
    """
    words = rows.input_word_ids
    if words.ndim != 2:
        return f"input_word_ids of shape {words.shape}"
    count, length = words.shape
    fields = {
        "input_word_ids": ((count, length), 0, vocab_size - 1),
        "input_type_ids": ((count, length), 0, 1),
        "lengths": ((count,), 1, length),
        "next_sentence_labels": ((count,), 0, 1),
        "sentence_order_labels": ((count,), 0, 1),
    }
    for name, (shape, low, high) in fields.items():
        values = getattr(rows, name)
        if values is None:
            continue
        if values.shape != shape or values.dtype.kind not in "iu":
            return f"{name} of shape {values.shape} and dtype {values.dtype}, not integers of shape {shape}"
        for start in range(0, count, CHUNK):
            part = values[start : start + CHUNK]
            for value in (int(part.min()), int(part.max())) if part.size else ():
                if not low <= value <= high:
                    return f"{name} with {value}, outside {low} … {high}"
    return None
