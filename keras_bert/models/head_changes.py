"""What was changed in the layers of a task model's head: described for its config, and restored."""

import inspect

import keras

from keras_bert import keras_internals
from keras_bert.errors import InputError
from keras_bert.layers.composite import NOT_COMPUTATION, CompositeLayer, describe_states, restore_states
from keras_bert.ops.unmodified import SET_BY_KERAS, SET_FOR_LORA


def head_layers(model) -> list:
    """Return the layers of a task model besides its encoder."""
    parts = {id(part) for part in (model.encoder, *model.encoder.parts)}
    layers = keras_internals.layers_in(model, recursive=False)
    return [layer for layer in layers if id(layer) not in parts and not isinstance(layer, keras.layers.InputLayer)]


def description(layer) -> tuple:
    """Return the dtype policy of a new layer, and its arguments and those of the layers inside it.

    The arguments are read from the attributes: `get_config` of Keras imports TensorFlow where it is installed, on every
    backend.
    """
    inside = [layer, *keras_internals.layers_in(layer)]
    return layer.dtype_policy.name, [_arguments(each) for each in inside if not isinstance(each, keras.Model)]


def _arguments(layer) -> tuple:
    """Return the class of a layer, and the constructor arguments and methods that are set on the instance."""
    arguments = inspect.signature(type(layer).__init__).parameters
    values = {}
    for name, value in vars(layer).items():
        is_method = inspect.isfunction(value) and callable(getattr(type(layer), name, None))
        if (name in arguments or is_method) and name not in {*SET_BY_KERAS, *SET_FOR_LORA, *NOT_COMPUTATION}:
            values[name] = value if is_method or callable(value) else repr(value)
    return type(layer), values


def changes(layer, new: tuple) -> dict:
    """Return what was changed in a layer since `description` returned `new`, as an entry of a config.

    Raises:
        InputError: the arguments of the layer were changed on the instance.
    """
    dtype, arguments = new
    found = {}
    if isinstance(layer, CompositeLayer):
        if sublayers := layer.get_config().get("sublayers"):
            found["sublayers"] = sublayers
    elif description(layer)[1] != arguments:
        raise InputError(
            f"`{layer.name}` must have the arguments that it was made with, to be saved or copied. Received: other "
            f"arguments of {type(layer).__name__}, set on the instance. Use the arguments of the model."
        )
    if states := describe_states(layer, dtype):
        found["states"] = states
    return found


def restore_heads(model, heads: dict) -> None:
    """Change the layers of a new task model as `changes` found them, a dict by the names of the layers."""
    for name, change in heads.items():
        layer = model.get_layer(name)
        if "sublayers" in change:
            layer.restore_sublayers(change["sublayers"])
        restore_states(layer, change.get("states", {}))
