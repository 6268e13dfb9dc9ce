"""LoRA weights in Keras layers: stored exactly, and merged into the kernels."""

import keras

from keras_bert import keras_internals
from keras_bert.errors import InputError

LORA_NAMES = ("lora_kernel_a", "lora_kernel_b", "lora_embeddings_a", "lora_embeddings_b")


def has_lora(layer) -> bool:
    """Return whether LoRA is enabled in a layer or in one inside it."""
    return any(getattr(each, "lora_enabled", False) for each in (layer, *keras_internals.layers_in(layer)))


def keep_lora_weights(layer) -> None:
    """Make a layer, and all layers inside it, store LoRA weights as they are.

    Keras stores the sum of the kernel and the LoRA weights, and sets the LoRA weights to zero when it loads them. With
    zeros in both matrices, their gradients are zero too, so that training could not continue.

    Args:
        layer: a Keras layer. Layers without LoRA are not changed.
    """
    for each in (layer, *keras_internals.layers_in(layer)):
        if getattr(each, "lora_enabled", False):
            each.save_own_variables = lambda store, each=each: _save(each, store)
            each.load_own_variables = lambda store, each=each: _load(each, store)


def merge_lora(layer) -> None:
    """Add the LoRA weights of a layer, and of all layers inside it, to their kernels, and remove them.

    Args:
        layer: a Keras layer.

    Raises:
        InputError: a layer with LoRA is quantized.
    """
    layers = [each for each in (layer, *keras_internals.layers_in(layer)) if getattr(each, "lora_enabled", False)]
    for each in layers:
        if each.quantization_mode:
            raise InputError(
                f"`{each.name}` must not be quantized when its LoRA weights are merged. "
                f"Received: quantization_mode={each.quantization_mode!r}"
            )
    for each in layers:
        kernel = keras_internals.stored_kernel(each)
        names = [name for name in LORA_NAMES if hasattr(each, name)]
        a, b = (keras.ops.convert_to_tensor(getattr(each, name)) for name in names)
        delta = (each.lora_alpha / each.lora_rank) * keras.ops.matmul(a, b)
        kernel.assign(keras.ops.convert_to_tensor(kernel) + keras.ops.cast(delta, kernel.dtype))
        for name in names:
            delattr(each, name)
        each.lora_enabled, each.lora_rank, each.lora_alpha = False, None, None
        kernel.trainable = each.trainable
        for name in ("save_own_variables", "load_own_variables"):
            vars(each).pop(name, None)


def _save(layer, store) -> None:
    for variable in keras_internals.own_variables(layer, trainable_only=False):
        store[variable.name] = variable


def _load(layer, store) -> None:
    variables = {variable.name: variable for variable in keras_internals.own_variables(layer, trainable_only=False)}
    if set(variables) != set(store.keys()):
        raise InputError(
            f"`filepath` must contain the weights of {layer.name} with LoRA, {', '.join(variables)}. "
            f"Received: {', '.join(store.keys())}. Load the weights before `enable_lora`."
        )
    for name, variable in variables.items():
        variable.assign(store[name])
