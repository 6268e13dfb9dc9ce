"""The functions that the layers are written in: a plain body each, and a kernel if there is one."""

import keras

from keras_bert import keras_internals
from keras_bert.ops.activation import activate
from keras_bert.ops.dispatch import find_kernel
from keras_bert.ops.unmodified import is_unmodified


def attention(layer, query, value, input_mask, training=None, return_attention_scores=False):
    """Compute multi-head attention from `query` to `value`, with padding masked on the key side.

    softmax(Q K^T / sqrt(D)) V in A heads of size D = H / A. Only `input_mask` masks: a Keras mask attached to a tensor
    is not used.

    Args:
        layer: a `keras.layers.MultiHeadAttention`, or a layer that is called like one.
        query: float `[B, P, H]`.
        value: float `[B, T, H]`, which is also the key.
        input_mask: int or bool `[B, T]`, 1 at tokens, 0 at padding.
        training: whether dropout acts.
        return_attention_scores: also return the attention probabilities, before their dropout.

    Returns:
        Float `[B, P, H]`; with `return_attention_scores` a pair of it and float `[B, A, P, T]`.

    Source: Vaswani et al. 2017 (arXiv:1706.03762), section 3.2.
    """
    if not return_attention_scores:
        kernel = find_kernel("attention", layers=(layer,), inputs=(query, value), training=training)
        if kernel:
            return kernel(layer, query, value, input_mask, training)
    mask = keras.ops.cast(input_mask, "bool")[:, None, :]  # [B, 1, T]: the same keys for every query
    return layer(
        _without_mask(query),  # [B, P, H]
        _without_mask(value),  # [B, T, H]
        attention_mask=mask,
        training=training,
        return_attention_scores=return_attention_scores,
    )


def dense(layer, x, activation: str | None = None, training=None):
    """Compute activation(x kernel + bias).

    Args:
        layer: a `keras.layers.Dense`, or any layer from `[..., H]` to `[..., F]`.
        x: float `[B, T, H]`, or `[B, H]`.
        activation: `"gelu_tanh"`, `"gelu"`, `"relu"`, or None.
        training: True if gradients will be computed, which selects the kernel.

    Returns:
        Float `[B, T, F]`, or `[B, F]`.
    """
    kernel = find_kernel("dense", layers=(layer,), inputs=(x,), training=training)
    if kernel:
        return kernel(layer, x, activation)
    return activate(layer(x), activation)  # [B, T, F]


def feed_forward(intermediate, output, x, activation: str, training=None):
    """Compute the feed-forward network of a transformer block, output(activation(intermediate(x))).

    Args:
        intermediate: a `keras.layers.Dense` of F units, or any layer from `[B, T, H]` to `[B, T, F]`.
        output: a `keras.layers.Dense` of H units, or any layer from `[B, T, F]` to `[B, T, H]`.
        x: float `[B, T, H]`.
        activation: `"gelu_tanh"`, `"gelu"` or `"relu"`.
        training: True if gradients will be computed, which selects the kernel.

    Returns:
        Float `[B, T, H]`.

    Source: Vaswani et al. 2017 (arXiv:1706.03762), section 3.3.
    """
    kernel = find_kernel("feed_forward", layers=(intermediate, output), inputs=(x,), training=training)
    if kernel:
        return kernel(intermediate, output, x, activation)
    inner = dense(intermediate, x, activation, training)  # [B, T, F]
    return dense(output, inner, training=training)  # [B, T, H]


def dropout_add_norm(x, residual, dropout, norm, training=None):
    """Compute norm(residual + dropout(x)), which ends both parts of a transformer block ("post-LN").

    Args:
        x: float `[B, T, H]`.
        residual: float `[B, T, H]`.
        dropout: a `keras.layers.Dropout`, or any layer that keeps the shape.
        norm: a `keras.layers.LayerNormalization`, or any layer that keeps the shape.
        training: whether dropout acts.

    Returns:
        Float `[B, T, H]`.

    Source: Vaswani et al. 2017 (arXiv:1706.03762), sections 3.1 and 5.4.
    """
    kernel = find_kernel("dropout_add_norm", layers=(dropout, norm), inputs=(x, residual), training=training)
    if kernel:
        return kernel(x, residual, dropout, norm, training)
    return norm(residual + dropout(x, training=training))  # [B, T, H]


def layer_norm(layer, x, training=None):
    """Normalize the last axis.

    Args:
        layer: a `keras.layers.LayerNormalization`, or any layer that keeps the shape.
        x: float `[B, T, H]`.
        training: True if gradients will be computed, which selects the kernel.

    Returns:
        Float `[B, T, H]`.

    Source: Ba et al. 2016 (arXiv:1607.06450).
    """
    kernel = find_kernel("layer_norm", layers=(layer,), inputs=(x,), training=training)
    return kernel(layer, x) if kernel else layer(x)  # [B, T, H]


def embedding_lookup(layer, ids):
    """Look up rows of an embedding.

    On TensorFlow, Keras's `Embedding` copies the whole table while it is trained; the kernel reads only the rows.

    Args:
        layer: a `keras.layers.Embedding` of V rows, or a layer that is called like one.
        ids: int `[B, T]`, in `[0, V)`.

    Returns:
        Float `[B, T, E]`.
    """
    kernel = find_kernel("embedding_lookup", layers=(layer,))
    return kernel(layer, ids) if kernel else layer(ids)  # [B, T, E]


def embedding_table(layer, rows=None):
    """Return the rows of an embedding as one tensor.

    Args:
        layer: a `keras.layers.Embedding` of V rows, or a layer that is called like one. A quantized table is computed
            in float, and a subclass is called, so the result is always what a lookup of all ids returns.
        rows: number of rows, an int or a scalar tensor; all V by default.

    Returns:
        Float `[V, E]`, or `[rows, E]`.

    Example:

    >>> import keras
    >>> from keras_bert import ops
    >>> tuple(ops.embedding_table(keras.layers.Embedding(5, 2), rows=3).shape)
    (3, 2)
    """
    if is_unmodified(layer, None):
        table = keras.ops.convert_to_tensor(layer.embeddings)  # [V, E]
        return table if rows is None else keras.ops.slice(table, (0, 0), (rows, table.shape[1]))  # [rows, E]
    return layer(keras.ops.arange(layer.input_dim if rows is None else rows, dtype="int32"))


def gather_positions(x, positions):
    """Select positions of each sequence.

    Args:
        x: float `[B, T, H]`.
        positions: int `[B, P]`, in `[0, T)`.

    Returns:
        Float `[B, P, H]`.

    Example:

    >>> import numpy as np
    >>> from keras_bert import ops
    >>> x = np.arange(6.0).reshape(1, 3, 2)
    >>> np.asarray(ops.gather_positions(x, np.array([[2, 0]]))).tolist()
    [[[4.0, 5.0], [0.0, 1.0]]]
    """
    x = keras.ops.convert_to_tensor(x)
    batch, length = keras.ops.shape(x)[:2]
    # One gather from [B * T, H]: sequence b starts at row b * T.
    starts = keras.ops.arange(batch, dtype="int32")[:, None] * length  # [B, 1]
    rows = keras.ops.cast(positions, "int32") + starts  # [B, P]
    return keras.ops.take(keras.ops.reshape(x, (-1, x.shape[-1])), rows, axis=0)  # [B, P, H]


def tied_logits(x, table, bias, training=None):
    """Compute logits over a vocabulary, x table^T + bias, with the token embedding as output kernel.

    Args:
        x: float `[B, P, E]`.
        table: variable or tensor `[V, E]`, the token embedding.
        bias: variable `[V]`.
        training: True if gradients will be computed, which selects the kernel.

    Returns:
        Float `[B, P, V]`, in the dtype of `x`.

    Source: Press and Wolf 2016 (arXiv:1608.05859).
    """
    table, bias = keras.ops.cast(table, x.dtype), keras.ops.cast(bias, x.dtype)  # [V, E], [V]
    kernel = find_kernel("tied_logits", inputs=(x,), training=training)
    if kernel:
        return kernel(x, table, bias)
    return keras.ops.matmul(x, keras.ops.transpose(table)) + bias  # [B, P, V]


def _without_mask(x):
    """Return the same tensor without its Keras mask, which `MultiHeadAttention` would add to `attention_mask`."""
    return x if keras_internals.keras_mask(x) is None else keras.ops.reshape(x, keras.ops.shape(x))
