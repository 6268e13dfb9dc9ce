"""Checks of the modes of quantization."""

from keras_bert import keras_internals
from keras_bert.errors import InputError

MODES = ("int8", "int4", "float8")


def check_quantization(model, mode, config) -> str:
    """Return the mode of `mode` and `config`; raise InputError if the model cannot be quantized in it.

    GPTQ and AWQ of Keras call each block with its hidden states alone, without the mask.
    """
    name = getattr(config, "mode", None) or (config if isinstance(config, str) else mode)
    if name not in MODES or (mode is not None and mode != name):
        raise InputError(f"`mode` must be one of {', '.join(map(repr, MODES))}. Received: mode={mode or name!r}")
    for layer in keras_internals.layers_in(model):
        if layer.quantization_mode:
            raise InputError(
                f"`mode` must be given once for a model. Received: mode={name!r} for a model in which {layer.name} is "
                f"quantized to {layer.quantization_mode}"
            )
    return name
