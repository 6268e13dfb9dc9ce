"""A figure of how self-attention, a dense layer, a convolution and a recurrent layer connect positions."""

import collections

import numpy as np

from keras_bert.errors import InputError
from keras_bert.explain.figures.figure import Figure
from keras_bert.explain.figures.style import GRID, INK, SERIES, style
from keras_bert.extras import require

# Kind: operations of a layer, sequential operations, longest path; n positions of H numbers, kernel size k.
KINDS = {
    "self-attention": ("n² H", "1", "1"),
    "fully connected": ("n² H²", "1", "1"),
    "convolutional": ("k n H²", "1", "n / k"),
    "recurrent": ("n H²", "n", "n"),
}
MOST_POSITIONS = 12  # more do not fit


def connectivity(length: int = 9, kernel_size: int = 5) -> Figure:
    """Plot how information gets from one position to another in four kinds of layers.

    A self-attention layer connects all positions with weights that it computes from the input, so it is as wide as any
    text. A fully connected layer has one weight matrix for each pair of positions, so the length is fixed. A
    convolution needs several layers to connect distant positions, a recurrent layer as many steps as positions.

    Args:
        length: n, the number of positions, from 3 to 12.
        kernel_size: k of the convolution, an odd number from 3 to n.

    Returns:
        A `Figure`. Its data are a dict per kind: `edges`, a list of pairs of nodes `(row, position)`; `layers`;
        `longest_path`, the number of connections from the first input to the last output; `sequential`, the number of
        steps that a layer cannot compute at the same time; and `operations`, `sequential_order` and `path_order`, the
        orders of the paper's table.

    Raises:
        InputError: `length` or `kernel_size` is out of range.

    Example:

    >>> data = connectivity(length=9, kernel_size=5).data
    >>> [(kind, each["longest_path"], each["sequential"]) for kind, each in data.items()]
    [('self-attention', 1, 1), ('fully connected', 1, 1), ('convolutional', 4, 1), ('recurrent', 9, 9)]

    Source: Vaswani et al. 2017 (arXiv:1706.03762), section 4 and table 1.
    """
    for name, value, least, most in (("length", length, 3, MOST_POSITIONS), ("kernel_size", kernel_size, 3, length)):
        if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= most:
            raise InputError(f"`{name}` must be an integer from {least} to {most}. Received: {name}={value!r:.40}")
    if kernel_size % 2 == 0:
        raise InputError(f"`kernel_size` must be odd. Received: kernel_size={kernel_size}")
    data = {kind: _facts(kind, length, kernel_size) for kind in KINDS}
    widths = np.random.default_rng(0).dirichlet(np.full(length, 0.4), length)  # [n, n], as attention has
    with style():
        figure = require("matplotlib.figure", "figures").Figure(figsize=(7.6, 5.6), layout="constrained")
        figure.get_layout_engine().set(h_pad=0.1)
        for axes, (kind, facts) in zip(figure.subplots(2, 2).ravel(), data.items(), strict=True):
            on_path = set(zip(facts["path"], facts["path"][1:], strict=False))
            for begin, end in facts["edges"]:
                marked = (begin, end) in on_path
                width = 0.4 + 3.5 * widths[end[1], begin[1]] if kind == "self-attention" else 1.0
                axes.plot(
                    *np.transpose([begin, end])[::-1],
                    color=SERIES[1] if marked else INK,
                    alpha=1.0 if marked else 0.35,
                    linewidth=max(width, 2.2) if marked else width,
                    zorder=2 if marked else 1,
                )
            rows, columns = zip(*{node for edge in facts["edges"] for node in edge}, strict=True)
            axes.plot(columns, rows, "o", color=SERIES[0], markersize=6.5, zorder=3)
            axes.set(xlim=(-0.6, length - 0.4), ylim=(-0.4, facts["layers"] + 0.4), xticks=[], yticks=[])
            axes.spines[:].set_color(GRID)
            axes.set_title(kind, fontsize=11)
            orders = f"operations {facts['operations']}, sequential {facts['sequential_order']}, "
            axes.set_xlabel(f"{orders}path {facts['path_order']}", fontsize=9)
    paths = ", ".join(f"{kind} {facts['longest_path']}" for kind, facts in data.items())
    caption = "Inputs are at the bottom, outputs at the top. Orange: the connections from the first input to the last "
    caption += f"output; their number, for {length} positions: {paths}. The lines of self-attention have different "
    caption += "widths because it computes its weights from the input; the others have fixed weights."
    return Figure(figure, caption, data)


def _facts(kind: str, length: int, kernel_size: int) -> dict:
    """Return the edges between nodes (row, position) and what follows from them."""
    positions = range(length)
    reach = kernel_size // 2
    layers = -(-(length - 1) // reach) if kind == "convolutional" else 1
    if kind == "recurrent":
        edges = [((0, p), (1, p)) for p in positions] + [((1, p), (1, p + 1)) for p in positions[:-1]]
    else:
        near = reach if kind == "convolutional" else length
        edges = [
            ((row, p), (row + 1, q))
            for row in range(layers)
            for q in positions
            for p in positions
            if abs(p - q) <= near
        ]
    path = _shortest_path(edges, (0, 0), (layers, length - 1))
    waiting = sum(begin[0] == end[0] for begin, end in edges)  # steps that need an output of their own layer
    operations, sequential_order, path_order = KINDS[kind]
    return {
        "edges": edges,
        "layers": layers,
        "path": path,
        "longest_path": len(path) - 1,
        "sequential": waiting + 1,
        "operations": operations,
        "sequential_order": sequential_order,
        "path_order": path_order,
    }


def _shortest_path(edges, start, end) -> list:
    """Return the nodes of a shortest path, by breadth-first search."""
    following = collections.defaultdict(list)
    for begin, stop in edges:
        following[begin].append(stop)
    before, queue = {start: None}, collections.deque([start])
    while end not in before:
        node = queue.popleft()
        for other in following[node]:
            if other not in before:
                before[other] = node
                queue.append(other)
    path = [end]
    while before[path[-1]] is not None:
        path.append(before[path[-1]])
    return path[::-1]
