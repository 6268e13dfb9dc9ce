"""Attention probabilities of an encoder."""

import numpy as np
from keras import ops

from keras_bert.constants import INPUT_KEYS
from keras_bert.errors import InputError
from keras_bert.models.encoder_tools import check_returns_scores


def attention_maps(encoder, inputs: dict) -> list[np.ndarray]:
    """Compute the attention probabilities of every block and head.

    The blocks of the encoder compute them, without dropout, so these are the probabilities that the encoder uses.

    Args:
        encoder: a `BertEncoder`.
        inputs: a dict of its three inputs, int `[B, T]` each: `input_word_ids`, `input_mask`, `input_type_ids`.

    Returns:
        A list of L float32 arrays `[B, A, T, T]`. The third axis is the query, the last axis the key; over the keys,
        the probabilities sum to 1. Padding keys have probability 0. Ignore the rows of padding queries.

    Raises:
        InputError: an input is missing, T is greater than the encoder's `max_position_embeddings`, or a custom block
            does not return attention scores.

    Example:

    >>> import numpy as np, keras_bert as kb
    >>> from keras_bert.explain import attention_maps
    >>> config = kb.BertConfig(vocab_size=100, hidden_size=32, num_layers=3, num_heads=2, intermediate_size=128)
    >>> ids = np.array([[2, 7, 9, 3, 0]])
    >>> maps = attention_maps(
    ...     kb.BertEncoder(config), {"input_word_ids": ids, "input_mask": ids > 0, "input_type_ids": 0 * ids}
    ... )
    >>> len(maps), maps[0].shape
    (3, (1, 2, 5, 5))

    Source: Vaswani et al. 2017 (arXiv:1706.03762), section 3.2; Clark et al. 2019 (arXiv:1906.04341) on what the maps
    show.
    """
    missing = [key for key in INPUT_KEYS if key not in inputs]
    if missing:
        raise InputError(f"`inputs` must have the keys {', '.join(INPUT_KEYS)}. Received: no {', '.join(missing)}")
    return [ops.convert_to_numpy(scores) for scores in attention_tensors(encoder, inputs)]


def attention_tensors(encoder, inputs: dict) -> list:
    """Compute what `attention_maps` returns as tensors: it may be a part of a graph."""
    ids, mask, types = (ops.convert_to_tensor(inputs[key], dtype="int32") for key in INPUT_KEYS)  # [B, T] each
    x = encoder.embeddings(ids, types, training=False)  # [B, T, H]
    maps = []
    for block in encoder.blocks:
        check_returns_scores(block)
        x, scores = block(x, mask, training=False, return_attention_scores=True)  # [B, T, H], [B, A, T, T]
        maps.append(ops.cast(scores, "float32"))
    return maps
