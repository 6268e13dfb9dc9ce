"""The config of TF-Hub's BERT encoders: read from the asset that this package writes, or inferred from shapes."""

import re

from keras_bert.config import BertConfig
from keras_bert.errors import InputError
from keras_bert.weights.canonical_names import canonical_shapes
from keras_bert.weights.formats.saved_model import CONFIG_ASSET

QUERY_KERNEL = "transformer/layer_0/self_attention/query/kernel"


def infer_config(tensors: dict, **changes) -> BertConfig:
    """Infer the config from the tensors' shapes.

    Shapes do not show the activation, the epsilon and the dropout rates: Google's values are used (tanh GELU, 1e-12,
    0.1). They do not show either how often ALBERT's one block is applied: pass `num_layers`.

    Args:
        tensors: canonical name to array, as `read_tensors` returns them.
        **changes: config fields to set to other values.

    Returns:
        A `BertConfig`.

    Raises:
        InputError: a tensor that determines a size is missing or has an unexpected shape.
    """
    try:
        vocab_size, width = tensors["word_embeddings/embeddings"].shape
        hidden_size, num_heads, head_size = tensors[QUERY_KERNEL].shape
        positions, types = (len(tensors[f"{name}/embeddings"]) for name in ("position_embedding", "type_embeddings"))
        intermediate_size = len(tensors["transformer/layer_0/intermediate/bias"])
    except KeyError as error:
        raise InputError(
            f"`tensors` must be those of TF-Hub's BERT. Received: {len(tensors)} tensors without {error}"
        ) from None
    except ValueError:
        shape = tensors[QUERY_KERNEL].shape
        raise InputError(f"a query kernel must have shape (H, A, H / A). Received: shape={shape}") from None
    if num_heads * head_size != hidden_size:
        raise InputError(
            f"num_heads * head_size must equal hidden_size={hidden_size}. Received: {num_heads} * {head_size}"
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
    }
    if "embedding_projection/kernel" in tensors:
        sizes |= {"embedding_size": width, "share_blocks": True}
    return BertConfig.from_dict({**sizes, **changes})


def read_config(model, tensors: dict, **changes) -> BertConfig:
    """Read the config from the asset that this package writes, or infer it from shapes and output signatures.

    Raises:
        InputError: the asset is damaged or does not fit the tensors.
    """
    file = model.asset_path(CONFIG_ASSET)
    if file is None:
        if "embedding_projection/kernel" in tensors:  # ALBERT: one block, as often as there are layer outputs
            lengths = model.output_list_lengths("encoder_outputs")
            changes = {**({"num_layers": lengths[0]} if lengths else {}), **changes}
        return infer_config(tensors, **changes)
    config = BertConfig.from_json(file)
    expected, found = canonical_shapes(config)["encoder"], {name: tensor.shape for name, tensor in tensors.items()}
    for name in {**expected, **found}:
        if expected.get(name) != found.get(name):
            raise InputError(
                f"tensor {name} must have shape {expected.get(name)}, as {file} states. "
                f"Received: shape={found.get(name)} in {model.label}"
            )
    return BertConfig.from_dict({**config.to_dict(), **changes})
