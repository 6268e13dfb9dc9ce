"""Changes of dropout rates and dtype policies in the config of a model, and the classes that its layers need."""

import keras

from keras_bert import keras_internals

RATES = {"dropout", "attention_dropout", "hidden_dropout"}  # also "rate" of a `keras.layers.Dropout`


def change_config(config, dropout: float | None = None, dtype=None):
    """Return the config of a model with other dropout rates or another dtype policy in all its layers.

    Args:
        config: a config, with the configs of replaced sublayers and the states of `keras_bert.layers.layer_state`.
        dropout: the rate of all dropout layers, or None to keep the rates.
        dtype: a dtype policy, or None to keep the policies. A quantized layer stays quantized.
    """
    if isinstance(config, list):
        return [change_config(value, dropout, dtype) for value in config]
    if not isinstance(config, dict):
        return config
    changed = {}
    for name, value in config.items():
        if dropout is not None and _is_rate(name, value):
            value = dropout
        elif dtype is not None and name == "dtype":
            value = _change_policy(value, dtype)
        elif dtype is not None and name == "sublayers":
            value = change_config({part: each for part, each in value.items() if part}, dropout, dtype)
        else:
            value = change_config(value, dropout, dtype)
        if value is not None or name != "dtype":
            changed[name] = value
    return changed


def custom_classes(model):
    """Return a scope in which the classes of a model's layers can be deserialized, also if they are not registered."""
    classes = {type(layer) for layer in keras_internals.layers_in(model)}
    return keras.saving.custom_object_scope({keras.saving.get_registered_name(cls): cls for cls in classes})


def _is_rate(name: str, value) -> bool:
    return isinstance(value, float | int) and (name in RATES or name == "rate")


def _change_policy(value, dtype):
    """Return a changed entry `dtype` of the config or, if it is a string, of the state of a layer."""
    name = keras.dtype_policies.get(dtype).name
    if isinstance(value, str):  # the state of a layer: None if it needs none
        mode, quantized, _ = value.partition("_from_")
        return f"{mode}_from_{name}" if quantized else None
    if value is None or "mode" not in value["config"]:
        return keras.dtype_policies.serialize(keras.dtype_policies.get(dtype))
    return {**value, "config": {**value["config"], "source_name": name}}
