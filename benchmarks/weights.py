"""Random weights that all contestants load, under TF-Hub's names, and their names in other libraries.

Biases and layer normalizations are random too: with 0 and 1, a forgotten bias or a swapped norm would not be noticed.
"""

import numpy as np

SPREAD = 0.04  # of kernels; large enough that attention is far from uniform and a wrong mask changes the outputs


def random_weights(config: dict, classes: int = 2, seed: int = 0) -> dict[str, np.ndarray]:
    """Draw the weights of an encoder, a masked-LM head (`bert/cls/...`) and a classifier (`classifier/...`).

    Args:
        config: the fields of a `BertConfig`.
        classes: C.
        seed: random seed.

    Returns:
        float32 arrays by TF-Hub's name.
    """
    hidden, heads, inner = config["hidden_size"], config["num_heads"], config["intermediate_size"]
    shapes = {
        "word_embeddings/embeddings": (config["vocab_size"], hidden),
        "position_embedding/embeddings": (config["max_position_embeddings"], hidden),
        "type_embeddings/embeddings": (config["type_vocab_size"], hidden),
    }
    norms, by_head = {"gamma": (hidden,), "beta": (hidden,)}, (heads, hidden // heads)

    def add(prefix: str, parts: dict) -> None:
        shapes.update({f"{prefix}/{name}": shape for name, shape in parts.items()})

    add("embeddings/layer_norm", norms)
    for i in range(config["num_layers"]):
        layer = f"transformer/layer_{i}"
        for part in ("query", "key", "value"):
            add(f"{layer}/self_attention/{part}", {"kernel": (hidden, *by_head), "bias": by_head})
        add(f"{layer}/self_attention/attention_output", {"kernel": (*by_head, hidden), "bias": (hidden,)})
        add(f"{layer}/self_attention_layer_norm", norms)
        add(f"{layer}/intermediate", {"kernel": (hidden, inner), "bias": (inner,)})
        add(f"{layer}/output", {"kernel": (inner, hidden), "bias": (hidden,)})
        add(f"{layer}/output_layer_norm", norms)
    add("pooler_transform", {"kernel": (hidden, hidden), "bias": (hidden,)})
    add("bert/cls/predictions/transform/dense", {"kernel": (hidden, hidden), "bias": (hidden,)})
    add("bert/cls/predictions/transform/LayerNorm", norms)
    add("bert/cls/predictions/output_bias", {"bias": (config["vocab_size"],)})
    add("classifier", {"kernel": (hidden, classes), "bias": (classes,)})
    rng = np.random.default_rng(seed)
    tensors = {}
    for name, shape in shapes.items():
        value = rng.standard_normal(shape, np.float32) * (0.1 if name.endswith(("bias", "gamma", "beta")) else SPREAD)
        tensors[name] = value + 1 if name.endswith("gamma") else value
    return tensors


KERAS_HUB = {
    "": {
        "word_embeddings/": "token_embedding/",
        "type_embeddings/": "segment_embedding/",
        "embeddings/layer_norm/": "embeddings_layer_norm/",
        "pooler_transform/": "pooled_dense/",
        "bert/cls/predictions/transform/dense/": "mlm_head/intermediate_dense/",
        "bert/cls/predictions/transform/LayerNorm/": "mlm_head/intermediate_layer_norm/",
        "bert/cls/predictions/output_bias/bias": "mlm_head/output_bias",
        "classifier/": "logits/",
    },
    "layer": {
        "self_attention/": "self_attention_layer/",
        "intermediate/": "feedforward_intermediate_dense/",
        "output/": "feedforward_output_dense/",
        "output_layer_norm/": "feedforward_layer_norm/",
    },
}
HUGGING_FACE = {
    "": {
        "word_embeddings/": "bert/embeddings/word_embeddings/",
        "position_embedding/": "bert/embeddings/position_embeddings/",
        "type_embeddings/": "bert/embeddings/token_type_embeddings/",
        "embeddings/layer_norm/": "bert/embeddings/LayerNorm/",
        "pooler_transform/": "bert/pooler/dense/",
        "bert/cls/predictions/output_bias/": "cls/predictions/",
        "bert/": "",
    },
    "layer": {
        "self_attention/attention_output/": "attention/output/dense/",
        "self_attention/": "attention/self/",
        "self_attention_layer_norm/": "attention/output/LayerNorm/",
        "intermediate/": "intermediate/dense/",
        "output/": "output/dense/",
        "output_layer_norm/": "output/LayerNorm/",
    },
}
TORCH_SUFFIXES = {"kernel": "weight", "embeddings": "weight", "gamma": "weight", "beta": "bias", "bias": "bias"}


def to_keras_hub(tensors: dict) -> dict[str, np.ndarray]:
    """Rename tensors to KerasHub's variable paths. Shapes are the same."""
    return {_renamed(name, KERAS_HUB, "transformer_layer_{}/"): value for name, value in tensors.items()}


def to_hugging_face(tensors: dict) -> dict[str, np.ndarray]:
    """Convert tensors to the state dict of transformers: heads merged into one axis, kernels transposed."""
    hidden = tensors["word_embeddings/embeddings"].shape[1]
    state = {}
    for name, value in tensors.items():
        *path, suffix = _renamed(name, HUGGING_FACE, "bert/encoder/layer/{}/").split("/")
        if "attention" in path and suffix in ("kernel", "bias"):
            value = value.reshape(hidden, hidden) if suffix == "kernel" else value.reshape(hidden)
        value = value.T if suffix == "kernel" else value
        state[".".join([*path, TORCH_SUFFIXES[suffix]])] = np.ascontiguousarray(value)
    return state


def _renamed(name: str, names: dict, layer_prefix: str) -> str:
    """Replace the first known beginning of a name. The names inside a layer have a table of their own."""
    prefix, table = "", names[""]
    if name.startswith("transformer/layer_"):
        _, layer, name = name.split("/", 2)
        prefix, table = layer_prefix.format(layer.removeprefix("layer_")), names["layer"]
    for start, replacement in table.items():
        if name.startswith(start):
            return prefix + replacement + name.removeprefix(start)
    return prefix + name
