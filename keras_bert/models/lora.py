"""LoRA in the blocks of an encoder."""

import math

import keras

from keras_bert import keras_internals
from keras_bert.errors import InputError
from keras_bert.layers.lora import has_lora, keep_lora_weights

TARGETS = {  # name: the projection in a `TransformerBlock`
    "query": lambda block: block.attention.query_dense,
    "key": lambda block: block.attention.key_dense,
    "value": lambda block: block.attention.value_dense,
    "attention_output": lambda block: block.attention.output_dense,
    "intermediate": lambda block: block.intermediate,
    "output": lambda block: block.output_dense,
}


def enable_lora(encoder, rank: int, targets, alpha: float | None) -> None:
    """Enable LoRA in an encoder, see `BertEncoder.enable_lora`."""
    targets = (targets,) if isinstance(targets, str) else tuple(targets)
    if isinstance(rank, bool) or not isinstance(rank, int) or rank < 1:
        raise InputError(f"`rank` must be an integer of at least 1. Received: rank={rank!r}")
    if not targets or not set(targets) <= set(TARGETS):
        raise InputError(f"`targets` must be some of {', '.join(map(repr, TARGETS))}. Received: targets={targets!r}")
    if alpha is not None and not 0 < alpha < math.inf:
        raise InputError(f"`alpha` must be a finite number above 0, or None. Received: alpha={alpha!r}")
    if has_lora(encoder):
        raise InputError("`enable_lora` must be called once. Received: an encoder with LoRA. Use `merge_lora` first.")
    layers = [_target(block, name) for block in dict.fromkeys(encoder.blocks) for name in targets]
    for layer in layers:
        layer.enable_lora(rank, lora_alpha=alpha)
    keep_lora_weights(encoder)
    freeze_all_but_lora(encoder)


def freeze_all_but_lora(encoder) -> None:
    """Freeze all weights of an encoder but those of LoRA."""
    for part in (encoder, *encoder.parts):
        part.trainable = has_lora(part)
    for part in filter(has_lora, encoder.parts):
        for layer in keras_internals.layers_in(part):  # each before the layers inside it
            layer.trainable = has_lora(layer)
            if getattr(layer, "lora_enabled", False):
                for variable in keras_internals.own_variables(layer):
                    variable.trainable = variable.name.startswith("lora_")


def train_all(encoder) -> None:
    """Make all weights of an encoder trainable."""
    for layer in (encoder, *keras_internals.layers_in(encoder)):
        layer.trainable = True
        for variable in keras_internals.own_variables(layer):
            variable.trainable = True


def _target(block, name: str):
    try:
        layer = TARGETS[name](block)
    except AttributeError:
        layer = None
    if not isinstance(layer, keras.layers.Dense | keras.layers.EinsumDense):
        raise InputError(
            f"`targets` must be projections that every block has. Received: {name!r} for a {type(block).__name__} "
            f"without the `Dense` or `EinsumDense` layer"
        )
    return layer
