"""The encoder inside a model, also inside a functional model of the user."""

import keras

from keras_bert.constants import INPUT_KEYS
from keras_bert.errors import InputError
from keras_bert.models.encoder import BertEncoder


def encoder_of(model) -> BertEncoder:
    """Return the encoder of a model with a head.

    Args:
        model: an encoder, a `TaskModel`, or a functional `keras.Model` that calls one `BertEncoder`.

    Raises:
        InputError: the model has no `BertEncoder`, or more than one.

    Example:

    >>> import keras_bert as kb
    >>> config = kb.BertConfig(vocab_size=50, hidden_size=8, num_layers=1, num_heads=2, intermediate_size=16)
    >>> encoder = kb.BertEncoder(config)
    >>> head = keras.layers.Dense(2)(encoder(encoder.input)["pooled_output"])
    >>> encoder_of(keras.Model(encoder.input, head)) is encoder
    True
    """
    encoder = model if isinstance(model, BertEncoder) else getattr(model, "encoder", None)
    if isinstance(encoder, BertEncoder):
        return encoder
    found = [layer for layer in getattr(model, "layers", []) if isinstance(layer, BertEncoder)]
    if len(found) != 1:
        raise InputError(
            f"`model` must contain one BertEncoder. Received: {type(model).__name__} with {len(found)} of them"
        )
    return found[0]


def is_user_model(model) -> bool:
    """Return whether a model is a `keras.Model` that the user built on a `BertEncoder`, not a model of this package."""
    return (
        isinstance(model, keras.Model)
        and not hasattr(model, "kind")
        and any(isinstance(layer, BertEncoder) for layer in model.layers)
    )


def check_user_model(model) -> None:
    """Raise InputError if a functional model does not map the dict of the encoder's inputs to a single output."""
    inputs = getattr(model, "input", None)  # a subclassed model has none
    if not isinstance(inputs, dict) or set(inputs) != set(INPUT_KEYS):
        received = f"inputs {sorted(inputs)}" if isinstance(inputs, dict) else f"inputs of type {type(inputs).__name__}"
        raise InputError(f"`model` must be functional, with a dict of {', '.join(INPUT_KEYS)}. Received: {received}")
    if not isinstance(model.output, keras.KerasTensor):
        raise InputError(f"`model` must have a single output. Received: {type(model.output).__name__} of outputs")


def returns_class_logits(model) -> bool:
    """Return whether the output of a functional model is logits of classes `[B, C]`: a `Dense` without activation."""
    layers = [layer for layer in model.layers if isinstance(layer, keras.layers.Dense)]
    last = next((layer for layer in layers if layer.output is model.output), None)
    return (
        last is not None and last.activation is keras.activations.linear and last.units > 1 and model.output.ndim == 2
    )
