"""Drawing of the architecture of a model, from the inputs at the bottom to the heads at the top."""

from keras_bert.explain.figures.figure import Figure
from keras_bert.explain.figures.style import INK, SERIES, new_axes, style

WIDTH, GAP, LINE = 5.4, 0.4, 0.21  # inches: width of the drawing, distance of the rows, height of a line of text
MARGIN, COLUMN_GAP = 0.12, 0.2
INPUTS = {
    "name": "token ids, mask, type ids",
    "type": "inputs",
    "outputs": [["B", "T"]],
    "parameters": 0,
    "count": 1,
    "lines": [],
    "color": 2,
}


def architecture(facts: dict) -> Figure:
    """Draw the architecture of a model.

    Args:
        facts: `facts` of a `ModelSummary`.

    Returns:
        A `Figure`. Its data: `parts`, the boxes from the inputs to the heads, each a dict of `name`, `type`, `count`,
        `lines` (texts in the box), `outputs` (shapes) and `parameters`.
    """
    rows = _rows(facts)
    heights = [LINE * (1 + max(len(part["lines"]) for part, *_ in row)) + 2 * MARGIN for row in rows]
    total = sum(heights) + GAP * len(rows) + 0.1
    with style():
        figure, axes = new_axes(WIDTH + 0.3, total + 0.2)
        y = 0.05
        for i, (row, height) in enumerate(zip(rows, heights, strict=True)):
            for part, left, right in row:
                _draw_box(axes, part, (left, right), y, height)
                above = [each for row_above in rows[i + 1 : i + 2] for each in row_above if left <= each[1] < right]
                for target in above or [None]:
                    _draw_arrow(axes, (left if target is None else target[1]) + 0.7, y + height, part)
            y += height + GAP
        axes.set(xlim=(-0.15, WIDTH + 0.15), ylim=(0, total), aspect="equal")
        axes.axis("off")
    parts = [part for row in rows for part, *_ in row]
    data = {"parts": [{name: value for name, value in part.items() if name != "color"} for part in parts]}
    return Figure(
        figure,
        f"{facts['name']}: {facts['parameters']:,} parameters. B rows of T tokens; read from bottom to top.",
        data,
        f"Diagram of the architecture of {facts['name']}: {'; '.join(map(_sentence, parts))}",
    )


def _rows(facts: dict) -> list[list[tuple[dict, float, float]]]:
    """Return the rows of boxes from bottom to top, each box with its left and right edge.

    The inputs, the embeddings and the blocks have a row each. The next row has what reads the tokens' vectors: the
    pooler and heads on tokens. Heads that read the pooled vector are above the pooler.
    """
    tree, config = facts["architecture"], facts["config"] or {}
    encoder = next((layer for layer in [tree, *tree["layers"]] if layer["type"] == "BertEncoder"), None)
    inner = [] if encoder is None else [_part(layer, config, True) for layer in encoder["layers"]]
    others = [] if encoder is tree else [layer for layer in tree["layers"] if layer is not encoder]
    others = [layer for layer in others if layer["type"] != "Dropout"]
    pooler = [part for part in inner if part["type"] == "Pooler"]
    reads_tokens = [_part(layer, config, False) for layer in others if len((layer["inputs"] or [[]])[0]) == 3]
    reads_pooled = [_part(layer, config, False) for layer in others if len((layer["inputs"] or [[]])[0]) != 3]
    rows = [
        _columns([part], 0, WIDTH) for part in [{**INPUTS, "parameters": 0, "color": 2}, *inner] if part not in pooler
    ]
    left, right = 0, WIDTH
    if pooler or reads_tokens:
        rows.append(_columns([*pooler, *reads_tokens], 0, WIDTH))
        if pooler:
            _, left, right = rows[-1][0]
    if reads_pooled:
        rows.append(_columns(reads_pooled, left, right))
    return rows


def _columns(parts: list[dict], left: float, right: float) -> list[tuple[dict, float, float]]:
    """Place boxes side by side between two edges."""
    width = (right - left - COLUMN_GAP * (len(parts) - 1)) / len(parts)
    edges = [left + i * (width + COLUMN_GAP) for i in range(len(parts))]
    return [(part, edge, edge + width) for part, edge in zip(parts, edges, strict=True)]


def _part(layer: dict, config: dict, in_encoder: bool) -> dict:
    shared = in_encoder and config.get("share_blocks") and layer["type"] == "TransformerBlock"
    count = config["num_layers"] if shared else layer["count"]
    return {
        **{name: layer[name] for name in ("name", "type", "outputs", "parameters")},
        "count": count,
        "lines": _lines(layer, config) + ([f"the {count} blocks share one set of weights"] if shared else []),
        "color": 0 if in_encoder else 1,
    }


def _lines(layer: dict, config: dict) -> list[str]:
    """Return the lines of text in the box of a layer, below its name."""
    kind, weights = layer["type"], {each["name"]: each["weights"] for each in layer["layers"]}
    if kind == "BertEmbeddings":
        tables = [(name, list(each.values())[0]) for name, each in weights.items() if name.endswith("_embeddings")]
        projection = [f"projection {_shape(weights['projection']['kernel'])}"] if "projection" in weights else []
        return [*(f"{name} {_shape(shape)}" for name, shape in tables), "sum, LayerNormalization, Dropout", *projection]
    if kind == "TransformerBlock" and config:
        hidden, inner, heads = (config[name] for name in ("hidden_size", "intermediate_size", "num_heads"))
        return [
            f"MultiHeadAttention: {heads} heads of size {hidden // heads}; add, LayerNormalization",
            f"Dense {hidden} → {inner} → {hidden}; add, LayerNormalization",
        ]
    own = [f"{name} {_shape(shape)}" for name, shape in layer["weights"].items()]
    nested = [f"{each['name']}: {each['type']}" for each in layer["layers"][:4]]
    return [*nested, *([", ".join(own)] if own else [])]


def _sentence(part: dict) -> str:
    """Describe a box in words, for the text alternative."""
    repeated = f"{part['count']} times " if part["count"] > 1 else ""
    shapes = f" with the output {_shapes(part)}" if part["outputs"] else ""
    return f"{repeated}{part['type']} {part['name']}{shapes}"


def _shape(shape: list) -> str:
    return f"[{', '.join(map(str, shape))}]"


def _shapes(part: dict) -> str:
    return ", ".join(map(_shape, part["outputs"]))


def _draw_box(axes, part: dict, edges: tuple[float, float], y: float, height: float) -> None:
    from matplotlib.colors import to_rgb
    from matplotlib.patches import FancyBboxPatch

    (left, right), color = edges, SERIES[part["color"]]
    colors = {"facecolor": (*to_rgb(color), 0.16), "edgecolor": color}
    shape = "round,pad=0,rounding_size=0.08"
    axes.add_patch(FancyBboxPatch((left, y), right - left, height, boxstyle=shape, linewidth=1.2, **colors))
    repeated = f"{part['count']} × " if part["count"] > 1 else ""
    top = y + height - MARGIN - LINE / 2
    title = part["name"] if part["type"] == "inputs" else f"{repeated}{part['type']}"
    axes.text(left + 0.14, top, title, va="center", weight="bold", fontsize=9.5)
    if part["parameters"]:
        axes.text(right - 0.14, top, f"{part['parameters']:,}", va="center", ha="right", fontsize=9)
    for number, line in enumerate(part["lines"], 1):
        axes.text(left + 0.14, top - number * LINE, line, va="center", fontsize=8.5)


def _draw_arrow(axes, x: float, y: float, part: dict) -> None:
    """Draw an arrow from a box upward, with the shape of its output."""
    arrow = {"arrowstyle": "-|>", "color": INK, "linewidth": 1, "shrinkA": 0, "shrinkB": 0}
    axes.annotate("", (x, y + GAP), (x, y), arrowprops=arrow)
    if part["outputs"]:
        axes.text(x + 0.12, y + GAP / 2, _shapes(part), va="center", fontsize=8.5)
