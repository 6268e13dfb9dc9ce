"""The nested layers of a model with their weights and shapes, as a tree and as the usual listing."""

import math
import re

import keras

from keras_bert import keras_internals

AXES = {"MaskedLMHead": "BP"}  # the names of the axes of unknown size; of every other layer B and T


def layer_tree(model: keras.Model) -> dict:
    """List the layers of a model at all depths.

    Args:
        model: a built Keras model.

    Returns:
        A dict for the model, with a list of such dicts for its sublayers, in order:

        - `name`, `type`: the name and the class;
        - `inputs`, `outputs`: shapes such as `["B", "T", 256]`, where the layer is a part of a functional model;
        - `weights`: name to shape of the layer's own weights;
        - `parameters`: number of parameters with all sublayers;
        - `count`: number of consecutive layers with the same sublayers and shapes, which are listed once;
        - `layers`: the sublayers.

    Example:

    >>> import keras_bert as kb
    >>> config = kb.BertConfig(vocab_size=100, hidden_size=32, num_layers=3, num_heads=2, intermediate_size=128)
    >>> tree = layer_tree(kb.BertEncoder(config))
    >>> [(layer["name"], layer["count"], layer["outputs"]) for layer in tree["layers"]]
    [('embeddings', 1, [['B', 'T', 32]]), ('block_0 … block_2', 3, [['B', 'T', 32]]), ('pooler', 1, [['B', 32]])]
    """
    return _node(model, set())


def layer_listing(tree: dict) -> str:
    """Write a tree of layers as the nested listing that `print` shows for a model in PyTorch.

    Args:
        tree: from `layer_tree`.

    Returns:
        Lines of text: each layer with its class, its weights and their shapes, the shapes of its outputs after `->`,
        and its number of parameters after `#`.

    Example:

    >>> import keras_bert as kb
    >>> config = kb.BertConfig(vocab_size=100, hidden_size=32, num_layers=3, num_heads=2, intermediate_size=128)
    >>> print(layer_listing(layer_tree(kb.BertEncoder(config).pooler)))
    Pooler(  -> [B, 32]  # 1,056
      (dense): Dense(kernel [32, 32], bias [32])  # 1,056
    )
    """
    lines = []
    _write(tree, "", "", lines)
    return "\n".join(lines)


def _write(node: dict, indent: str, label: str, lines: list[str]) -> None:
    repeated = f"{node['count']} x " if node["count"] > 1 else ""
    weights = ", ".join(f"{name} {_shape(shape)}" for name, shape in node["weights"].items())
    notes = f"  -> {', '.join(map(_shape, node['outputs']))}" if node["outputs"] else ""
    notes += f"  # {node['parameters']:,}" if node["parameters"] else ""
    start = f"{indent}{label}{repeated}{node['type']}("
    if not node["layers"]:
        lines.append(f"{start}{weights}){notes}")
        return
    lines.append(f"{start}{weights}{notes}")
    for layer in node["layers"]:
        _write(layer, f"{indent}  ", f"({layer['name']}): ", lines)
    lines.append(f"{indent})")


def _shape(shape: list) -> str:
    return f"[{', '.join(map(str, shape))}]"


def _node(layer, seen: set) -> dict:
    """Return the tree of one layer. `seen` holds the ids of the layers that are in the tree already."""
    seen.add(id(layer))
    children = [child for child in keras_internals.sublayers(layer) if not _is_input(child)]
    nodes = [_node(child, seen) for child in children if id(child) not in seen]
    own = [weight for weight in keras_internals.own_weights(layer) if "seed_generator" not in weight.path]
    kind = public_name(type(layer))
    return {
        "name": _plain_name(layer),
        "type": kind,
        **_call_shapes(layer, AXES.get(kind, "BT")),
        "weights": {weight.name: list(weight.shape) for weight in own},
        "parameters": sum(math.prod(weight.shape) for weight in own) + sum(node["parameters"] for node in nodes),
        "count": 1,
        "layers": _collapse(nodes),
    }


def public_name(cls: type) -> str:
    """Return the name of a layer class or, for a private class, of its first public base class."""
    return next(base.__name__ for base in cls.__mro__ if not base.__name__.startswith("_"))


def _is_input(layer) -> bool:
    return isinstance(layer, keras.layers.InputLayer)


def _plain_name(layer) -> str:
    """Return the name of a layer, without the number that Keras appends to a name of its own choice."""
    default = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", type(layer).__name__).lower()
    return re.sub(rf"^({default})_\d+$", r"\1", layer.name)


def _call_shapes(layer, axes: str) -> dict[str, list[list]]:
    """Return the named shapes of a layer's inputs and outputs; none for a model, whose layers have them."""
    shapes = ([], []) if isinstance(layer, keras.Model) else keras_internals.call_shapes(layer)
    named = [[[axes[i] if n is None else n for i, n in enumerate(shape)] for shape in each] for each in shapes]
    return dict(zip(("inputs", "outputs"), named, strict=True))


def _collapse(nodes: list[dict]) -> list[dict]:
    """Replace consecutive equal layers by one with their number, as PyTorch lists the blocks of an encoder."""
    groups = []
    for node in nodes:
        if groups and _structure(groups[-1][0]) == _structure(node) and node["layers"]:
            groups[-1].append(node)
        else:
            groups.append([node])
    return [_merge(group) for group in groups]


def _merge(group: list[dict]) -> dict:
    if len(group) == 1:
        return group[0]
    name = f"{group[0]['name']} … {group[-1]['name']}"
    return {**group[0], "name": name, "count": len(group), "parameters": sum(node["parameters"] for node in group)}


def _structure(node: dict):
    """Return what two layers must have in common to be listed once: all but their own names."""
    return {name: value for name, value in node.items() if name != "name"}
