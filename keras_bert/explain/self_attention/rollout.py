"""Attention rollout and attention flow: how much of each input token reaches a token of a layer."""

import numpy as np

from keras_bert.errors import InputError
from keras_bert.extras import require

CAPACITY = 10**9  # of a probability of 1: `scipy.sparse.csgraph.maximum_flow` computes with 32-bit integers


def with_residual(attention) -> np.ndarray:
    """Average the heads and add the residual connection: 0.5 A + 0.5 I, float64 `[L, T, T]`; rows sum to 1.

    Args:
        attention: an `Attention`, or its `maps`, float `[L, A, T, T]`.

    Raises:
        InputError: the maps have another shape.
    """
    maps = np.asarray(getattr(attention, "maps", attention), "float64")
    if maps.ndim != 4 or maps.shape[2] != maps.shape[3] or not maps.size:
        raise InputError(f"`attention` must be an Attention or maps [L, A, T, T]. Received: shape={maps.shape}")
    mean = maps.mean(1)  # [L, T, T]
    mixed = 0.5 * mean + 0.5 * np.eye(mean.shape[-1])
    return mixed / mixed.sum(-1, keepdims=True)


def attention_rollout(attention) -> np.ndarray:
    """Multiply the attention of all layers: the share of each input token in each token of a layer.

    The attention of a layer is the mean over its heads; half of each token comes from the residual connection.

    Args:
        attention: what `kb.explain.attention` returns for one text, or its `maps`, float `[L, A, T, T]`.

    Returns:
        Float64 `[L, T, T]`: layer, token of the layer, input token. Rows sum to 1.

    Raises:
        InputError: the maps have another shape.

    Example:

    >>> attention_rollout([[[[0.5, 0.5], [0.0, 1.0]]]]).tolist()
    [[[0.75, 0.25], [0.0, 1.0]]]

    Source: Abnar and Zuidema 2020 (arXiv:2005.00928), sections 3 and 4.
    """
    mixed = with_residual(attention)  # [L, T, T]
    rolled = [mixed[0]]
    for layer in mixed[1:]:
        rolled.append(layer @ rolled[-1])  # [T, T]
    return np.stack(rolled)


def attention_flow(attention, layer: int | None = None, queries: list[int] | None = None) -> np.ndarray:
    """Compute the maximum flow from tokens of a layer to each input token, through the attention of the layers between.

    The edges are the attention probabilities, averaged over the heads and with the residual connection, and their
    values are the capacities. Capacities are rounded to a billionth.

    Args:
        attention: what `kb.explain.attention` returns for one text, or its `maps`, float `[L, A, T, T]`.
        layer: number of the layer whose tokens are the sources, from 1. The default is the last layer.
        queries: indices of these tokens, from 0. The default is all. Each costs T maximum flows.

    Returns:
        Float64 `[Q, T]`: query, input token. Rows are divided by their sums, so they sum to 1.

    Raises:
        InputError: the maps have another shape, there is no such layer or token, or SciPy is not installed.

    Example:

    >>> attention_flow([[[[0.5, 0.5], [0.0, 1.0]]]]).tolist()
    [[0.75, 0.25], [0.0, 1.0]]

    Source: Abnar and Zuidema 2020 (arXiv:2005.00928), section 3.
    """
    sparse = require("scipy.sparse", "attention flow")
    maximum_flow = require("scipy.sparse.csgraph", "attention flow").maximum_flow
    mixed = with_residual(attention)  # [L, T, T]
    layers, length = mixed.shape[:2]
    if layer is not None and (isinstance(layer, bool) or not isinstance(layer, int) or not 1 <= layer <= layers):
        raise InputError(f"`layer` must be from 1 to {layers}. Received: layer={layer!r:.40}")
    queries = range(length) if queries is None else queries
    if not len(queries) or not all(0 <= query < length for query in queries):
        raise InputError(f"`queries` must be from 0 to {length - 1}. Received: queries={queries!r:.60}")
    layers = layers if layer is None else layer
    capacities = np.rint(mixed[:layers] * CAPACITY).astype(np.int32)  # [layers, T, T]
    # Node n T + t is token t of layer n; layer 0 is the input.
    level, query, key = np.nonzero(capacities)
    edges = (level + 1) * length + query, level * length + key
    nodes = (layers + 1) * length
    graph = sparse.csr_array((capacities[level, query, key], edges), shape=(nodes, nodes))
    flows = np.array(
        [
            [maximum_flow(graph, layers * length + query, key).flow_value for key in range(length)]  # to input tokens
            for query in queries
        ],
        "float64",
    )  # [Q, T]
    return flows / flows.sum(-1, keepdims=True)
