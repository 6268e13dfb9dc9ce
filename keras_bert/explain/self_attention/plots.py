"""Figures of attention heads: lines between tokens, and all heads as small matrices.

`plots.attention_map` draws one head as a matrix.
"""

import collections

import numpy as np

from keras_bert.errors import InputError
from keras_bert.explain.figures.figure import Figure
from keras_bert.explain.figures.style import GRID, INK, SERIES, new_axes, style
from keras_bert.extras import require

COLUMNS = 6  # of the heads of one layer
SIDE = 64  # largest side of the small matrices, in cells
FEWEST = 0.02  # lines and cells with less than this share of the largest probability are not drawn


def attention_lines(weights, tokens: list[str], title: str = "") -> Figure:
    """Plot the attention probabilities of one head as lines from each query, left, to the keys, right.

    Args:
        weights: float `[T, T]`: row = query, column = key. Rows sum to 1.
        tokens: list of T tokens.
        title: the name of the head, such as `"layer 2, head 1"`, for the caption.

    Returns:
        A `Figure`. The opacity of a line is its probability relative to the largest one. Its data are `queries`, `keys`
        and `weights`, one entry per line.

    Raises:
        InputError: the weights are not T by T.

    Example:

    >>> plot = attention_lines([[0.9, 0.1], [0.0, 1.0]], ["a", "film"], "layer 1, head 1")
    >>> plot.data["queries"], plot.data["keys"]
    ([0, 0, 1], [0, 1, 1])

    Source: the head view of Vig 2019 (arXiv:1906.05714).
    """
    weights = np.asarray(weights, "float64")
    count = len(tokens)
    if weights.shape != (count, count) or not count:
        raise InputError(f"`weights` must have shape [T, T] for T = {count} tokens. Received: shape={weights.shape}")
    largest = max(weights.max(), 1e-12)
    queries, keys = np.nonzero(weights >= FEWEST * largest)
    drawn = weights[queries, keys]
    with style():
        from matplotlib.collections import LineCollection
        from matplotlib.colors import to_rgb

        figure, axes = new_axes(4.2, 0.9 + 0.24 * count)
        order = np.argsort(drawn)  # the strongest lines on top
        lines = [[(0, q), (1, k)] for q, k in zip(queries[order], keys[order], strict=True)]
        colors = [(*to_rgb(SERIES[0]), weight / largest) for weight in drawn[order]]
        axes.add_collection(LineCollection(lines, colors=colors, linewidths=1.8))
        for place, token in enumerate(tokens):
            axes.text(-0.04, place, token, ha="right", va="center")
            axes.text(1.04, place, token, ha="left", va="center")
        axes.text(-0.04, -1.3, "query", ha="right", va="center", fontweight="bold")
        axes.text(1.04, -1.3, "key", ha="left", va="center", fontweight="bold")
        axes.set(xlim=(-0.02, 1.02), ylim=(count - 0.5, -1.8))
        axes.set_axis_off()
    query, key = np.unravel_index(weights.argmax(), weights.shape)
    caption = f"{title[:1].upper()}{title[1:]}. " if title else ""
    caption += "A line from a query, left, to a key, right, is the stronger the larger the probability; "
    caption += "lines that meet in one key show what all tokens attend to. "
    caption += f'The largest probability, {weights.max():.2f}, is from "{tokens[query]}" to "{tokens[key]}".'
    data = {"queries": queries.tolist(), "keys": keys.tolist(), "weights": drawn.tolist()}
    return Figure(figure, caption, {"tokens": list(tokens), **data})


def attention_grid(maps, tokens: list[str], first_layer: int = 1) -> Figure:
    """Plot the attention probabilities of all heads of some layers as small matrices.

    Args:
        maps: float `[L, A, T, T]`: layer, head, query, key.
        tokens: list of T tokens.
        first_layer: number of the first of the layers, for the labels.

    Returns:
        A `Figure`. The opacity of a cell is its probability relative to the largest one of the head. The heads of
        several layers are a table of L rows and A columns. Of more than 64 tokens, a cell has the largest probability
        of a block. Its data are `most`, `[L, A]`, the index of the token that gets the most attention of each head,
        and the drawn `maps`.

    Raises:
        InputError: the maps do not have this shape.

    Example:

    >>> plot = attention_grid([[[[0.9, 0.1], [0.8, 0.2]], [[0.0, 1.0], [0.5, 0.5]]]], ["a", "film"])
    >>> plot.data["most"]
    [[0, 1]]

    Source: the model view of Vig 2019 (arXiv:1906.05714).
    """
    maps = np.asarray(maps, "float64")
    count = len(tokens)
    if maps.ndim != 4 or maps.shape[2:] != (count, count) or not maps.size:
        raise InputError(f"`maps` must have shape [L, A, T, T] for T = {count} tokens. Received: shape={maps.shape}")
    layers, heads = maps.shape[:2]
    small = largest_of_blocks(maps)  # [L, A, S, S]
    columns = heads if layers > 1 else min(heads, COLUMNS)
    rows = layers if layers > 1 else -(-heads // columns)
    size = 0.62 if layers > 1 else 1.25  # of one matrix, in inches
    with style():
        figure = require("matplotlib.figure", "figures").Figure(
            figsize=(max(2.5, 0.9 + size * columns), 0.75 + (size + 0.22 * (layers == 1)) * rows), layout="constrained"
        )
        figure.get_layout_engine().set(w_pad=0.03, h_pad=0.03, wspace=0.02, hspace=0.02)
        grid = figure.subplots(rows, columns, squeeze=False)
        for number, axes in enumerate(grid.ravel()):
            layer, head = divmod(number, columns) if layers > 1 else (0, number)
            axes.set(xticks=[], yticks=[])
            if head >= heads:
                axes.set_axis_off()
                continue
            axes.imshow(_cells(small[layer, head]), interpolation="none", aspect="equal")
            axes.spines[:].set(visible=True, color=GRID, linewidth=0.6)
            if layers == 1:
                axes.set_title(f"head {head + 1}", fontsize=9, fontweight="normal", pad=3)
            elif layer == 0:
                axes.set_title(str(head + 1), fontsize=9, fontweight="normal", pad=3)
            if layers > 1 and head == 0:
                axes.set_ylabel(str(first_layer + layer), rotation=0, ha="right", va="center", color=INK, fontsize=9)
        figure.suptitle("head" if layers > 1 else f"layer {first_layer}", fontsize=10)
        if layers > 1:
            figure.supylabel("layer", fontsize=10, fontweight="bold")
    most = maps.sum(2).argmax(-1)  # [L, A]
    token, times = collections.Counter(tokens[index] for index in most.ravel()).most_common(1)[0]
    caption = "Each square is one head: rows are queries, columns are keys, in the order of the text. "
    caption += "A strong column is a token that many attend to, a strong diagonal attention of tokens to themselves, "
    caption += "and a strong line beside it attention to neighbors. "
    caption += f'The token with the most attention is "{token}" in {times} of {layers * heads} heads.'
    return Figure(figure, caption, {"tokens": list(tokens), "most": most.tolist(), "maps": small.tolist()})


def largest_of_blocks(maps: np.ndarray) -> np.ndarray:
    """Reduce maps `[L, A, T, T]` to `[L, A, S, S]`, S at most `SIDE`: the largest value of each block of cells."""
    length = maps.shape[-1]
    starts = np.arange(min(length, SIDE)) * length // min(length, SIDE)  # [S]
    return np.maximum.reduceat(np.maximum.reduceat(maps, starts, axis=2), starts, axis=3)


def _cells(weights: np.ndarray) -> np.ndarray:
    """Convert probabilities `[S, S]` to one color of different opacity, uint8 `[S, S, 4]`."""
    from matplotlib.colors import to_rgb

    cells = np.empty((*weights.shape, 4), np.uint8)
    cells[..., :3] = np.round(255 * np.array(to_rgb(SERIES[0])))
    cells[..., 3] = np.round(255 * weights / max(weights.max(), 1e-12))
    return cells


def token_bars(tokens: list[str], measures: dict[str, list[float]], title: str = "") -> Figure:
    """Plot one number per token for several measures, side by side.

    Args:
        tokens: list of T tokens.
        measures: a dict of name to T numbers. At most four.
        title: what the numbers belong to, for the caption.

    Returns:
        A `Figure`. Each measure has its own scale. Its data are the `tokens` and the `measures`.

    Raises:
        InputError: there is no measure, there are more than four, or one does not have T numbers.

    Example:

    >>> token_bars(["a", "film"], {"rollout": [0.2, 0.8], "flow": [0.4, 0.6]}).caption
    'One bar per token and measure, each measure with its own scale. Largest: rollout "film", flow "film".'
    """
    if not 1 <= len(measures) <= len(SERIES) or any(len(values) != len(tokens) for values in measures.values()):
        raise InputError(
            f"`measures` must be one to {len(SERIES)} lists of T = {len(tokens)} numbers. "
            f"Received: {', '.join(f'{name}: {len(values)}' for name, values in measures.items()) or 'none'}"
        )
    with style():
        size = 1.2 + 1.5 * len(measures), 0.9 + 0.22 * len(tokens)
        figure = require("matplotlib.figure", "figures").Figure(figsize=size, layout="constrained")
        for axes, (name, values), color in zip(
            figure.subplots(1, len(measures), sharey=True, squeeze=False)[0], measures.items(), SERIES, strict=False
        ):
            axes.barh(range(len(tokens)), values, color=color, height=0.7)
            axes.axvline(0, color=INK, linewidth=0.8)
            axes.set_title(name, fontsize=10)
            axes.set_yticks(range(len(tokens)), tokens)
            axes.tick_params(axis="y", length=0)
            axes.xaxis.get_major_locator().set_params(nbins=3)
            axes.grid(axis="x", linewidth=0.6)
        axes.set_ylim(len(tokens) - 0.4, -0.6)
    largest = ", ".join(f'{name} "{tokens[int(np.argmax(values))]}"' for name, values in measures.items())
    caption = f"{title[:1].upper()}{title[1:]}. " if title else ""
    caption += f"One bar per token and measure, each measure with its own scale. Largest: {largest}."
    data = {name: np.asarray(values, float).tolist() for name, values in measures.items()}
    return Figure(figure, caption, {"tokens": list(tokens), "measures": data})
