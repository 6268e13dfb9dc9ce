"""What LoRA, quantization, dtype policies and freezing change in the layers inside a layer: described and restored.

The config of a Keras layer does not contain the state of the layers inside it, for example of the projections of
`keras.layers.MultiHeadAttention`. A layer of this package adds it to its own config.
"""

import contextlib
import gc

import keras

from keras_bert import keras_internals
from keras_bert.errors import InputError
from keras_bert.layers.lora import keep_lora_weights
from keras_bert.ops.unmodified import overridden_method


def describe(layer, dtype: str, keeps_own_state=lambda layer: False) -> dict[str, dict]:
    """Return the states of a layer and of all layers inside it that differ from a new layer of its config.

    Args:
        layer: a Keras layer.
        dtype: name of the dtype policy that a new layer, and all layers inside it, have.
        keeps_own_state: function of a layer; True if its own config contains the states of the layers inside it.

    Returns:
        A dict of path to state: `""` is the layer itself, `"0.2"` the third layer inside its first one. A state has
        some of the keys `dtype`, `quantization_config`, `lora`, `trainable` and `frozen`.

    Raises:
        InputError: a layer has a method or a layer that no config can contain.
    """
    states = {}
    for path, parent, each in _walk(layer, keeps_own_state):
        _check_can_be_stored(each, parent)
        if state := _state(each, dtype):
            states[path] = state
    return states


def restore(layer, states: dict[str, dict], keeps_own_state=lambda layer: False) -> None:
    """Change a built layer, and the layers inside it, as `describe` found them. Values of weights are not restored.

    Args:
        layer: a built Keras layer.
        states: the dict that `describe` returned.
        keeps_own_state: as for `describe`.
    """
    with short_garbage_collections() if states else contextlib.nullcontext():
        for path, _, each in list(_walk(layer, keeps_own_state)):
            if path in states:
                _restore_state(each, states[path])


@contextlib.contextmanager
def short_garbage_collections():
    """Exclude all objects that exist now from garbage collections: Keras runs one for each layer that it quantizes.

    With TensorFlow's million objects, each takes half a second.
    """
    gc.freeze()
    try:
        yield
    finally:
        gc.unfreeze()


def set_dtype_policy(layer, policy) -> None:
    """Set the dtype policy of a layer; a quantized layer stays quantized.

    Args:
        layer: a Keras layer.
        policy: a Keras dtype policy, or its name.
    """
    name, mode = keras.dtype_policies.get(policy).name, layer.dtype_policy.name.partition("_from_")
    layer.dtype_policy = f"{mode[0]}_from_{name}" if mode[1] and "_from_" not in name else name


def _walk(layer, keeps_own_state, path: str = "", parent=None):
    """Yield path, parent and layer of a layer and of all layers inside it."""
    yield path, parent, layer
    if keeps_own_state(layer):
        return
    for index, child in enumerate(keras_internals.layers_in(layer, recursive=False)):
        yield from _walk(child, keeps_own_state, f"{path}.{index}" if path else str(index), layer)


def _state(layer, dtype: str) -> dict:
    state = {}
    if layer.dtype_policy.name != dtype:
        state["dtype"] = layer.dtype_policy.name
    config = getattr(layer, "quantization_config", None)
    if layer.quantization_mode and config is not None:
        state["quantization_config"] = keras.saving.serialize_keras_object(config)
    if getattr(layer, "lora_enabled", False):
        state["lora"] = [layer.lora_rank, layer.lora_alpha]
    if not layer.trainable:
        state["trainable"] = False
    elif frozen := [variable.name for variable in keras_internals.own_variables(layer) if not variable.trainable]:
        state["frozen"] = frozen
    return state


def _restore_state(layer, state: dict) -> None:
    policy = keras.dtype_policies.get(state.get("dtype", layer.dtype_policy))
    if policy.quantization_mode and layer.quantization_mode is None:
        config = keras.saving.deserialize_keras_object(state.get("quantization_config"))
        layer.quantize(policy.quantization_mode, config=config)
    if layer.dtype_policy.name != policy.name:
        layer.dtype_policy = policy
    if "lora" in state:
        rank, alpha = state["lora"]
        if not layer.lora_enabled:
            layer.enable_lora(rank)
        layer.lora_alpha = alpha  # which Keras does not restore from the config of a layer
    keep_lora_weights(layer)
    if "trainable" in state:
        layer.trainable = False
    for variable in keras_internals.own_variables(layer):
        if variable.name in state.get("frozen", ()):
            variable.trainable = False


def _check_can_be_stored(layer, parent) -> None:
    """Raise InputError for what would be lost: no config contains it."""
    name = layer.name if parent is None else f"{parent.name}/{layer.name}"
    if method := overridden_method(layer):
        raise InputError(
            f"`{name}` must not have a method of its own, to be saved or copied. Received: {name}.{method} set on the "
            f"instance. Override {method} in a subclass and register it with keras.saving.register_keras_serializable."
        )
    if type(parent) is keras.layers.MultiHeadAttention:
        is_standard = type(layer).__module__.startswith("keras.")
        if not is_standard or getattr(layer, "activation", keras.activations.linear) is not keras.activations.linear:
            raise InputError(
                f"`{name}` must be the layer that MultiHeadAttention makes, to be saved or copied. Received: a changed "
                f"{type(layer).__name__}. Use a registered subclass of MultiHeadAttention that makes this layer."
            )
