"""The config of TF-Hub's BERT encoders: read from the asset that this package writes, or inferred from shapes."""

import re

from keras_bert.config import BertConfig
from keras_bert.errors import InputError
from keras_bert.weights.canonical_names import canonical_shapes
from keras_bert.weights.formats.saved_model import CONFIG_ASSET

TOKEN_TABLE = "word_embeddings/embeddings"
QUERY_KERNEL = "transformer/layer_0/self_attention/query/kernel"


def infer_config(tensors: dict, **changes) -> BertConfig:
    """Infer the config from the tensors' shapes.

    The activation, the epsilon and the dropout rates cannot be inferred: Google's values are used (tanh GELU, 1e-12,
    0.1). For ALBERT, the number of layers cannot be inferred either: pass `num_layers`.

    Args:
        tensors: canonical name to array, as `read_tensors` returns them.
        **changes: config fields to set to other values.

    Returns:
        A `BertConfig`.

    Raises:
        InputError: a tensor that determines a size is missing or has an unexpected shape.
    """
    try:
        vocab_size, embedding_size = tensors[TOKEN_TABLE].shape
        hidden_size, num_heads, head_size = tensors[QUERY_KERNEL].shape
        positions, types = (len(tensors[f"{name}/embeddings"]) for name in ("position_embedding", "type_embeddings"))
        intermediate_size = len(tensors["transformer/layer_0/intermediate/bias"])
    except KeyError as error:
        raise InputError(
            f"`tensors` must be those of TF-Hub's BERT. Received: {len(tensors)} tensors without {error}"
        ) from None
    except ValueError:
        shapes = ", ".join(f"{name} {tensors[name].shape}" for name in (TOKEN_TABLE, QUERY_KERNEL) if name in tensors)
        raise InputError(
            f"`tensors` must have a token table (V, E) and query kernels (H, A, H / A). Received: {shapes}"
        ) from None
    if num_heads * head_size != hidden_size:
        raise InputError(
            "`tensors` must have query kernels of the shape (H, A, H / A). "
            f"Received: {QUERY_KERNEL} ({hidden_size}, {num_heads}, {head_size})"
        )
    layers = {match[1] for name in tensors if (match := re.match(r"transformer/layer_(\d+)/", name))}
    sizes = {
        "vocab_size": vocab_size,
        "hidden_size": hidden_size,
        "num_layers": len(layers),
        "num_heads": num_heads,
        "intermediate_size": intermediate_size,
        "max_position_embeddings": positions,
        "type_vocab_size": types,
        "activation": "gelu_tanh",
        "layer_norm_epsilon": 1e-12,
        "pooler": "pooler_transform/kernel" in tensors,
    }
    if "embedding_projection/kernel" in tensors:
        sizes |= {"embedding_size": embedding_size, "share_blocks": True}
    return BertConfig.from_dict({**sizes, **changes})


def read_config(model, tensors: dict, **changes) -> BertConfig:
    """Read the config from the asset that this package writes, or infer it from shapes and output signatures.

    Raises:
        InputError: the asset is damaged or does not fit the tensors.
    """
    file = model.asset_path(CONFIG_ASSET)
    if file is None:
        if "embedding_projection/kernel" in tensors:  # ALBERT: one shared block, applied once per layer output
            lengths = model.output_list_lengths("encoder_outputs")
            changes = {**({"num_layers": lengths[0]} if lengths else {}), **changes}
        return infer_config(tensors, **changes)
    config = BertConfig.from_json(file)
    expected, found = canonical_shapes(config)["encoder"], {name: tensor.shape for name, tensor in tensors.items()}
    for name in {**expected, **found}:
        if expected.get(name) != found.get(name):
            raise InputError(
                f"`source` must fit its config: tensor {name} must have shape {expected.get(name)}, as {file} states. "
                f"Received: shape={found.get(name)} in {model.label}"
            )
    return BertConfig.from_dict({**config.to_dict(), **changes})
