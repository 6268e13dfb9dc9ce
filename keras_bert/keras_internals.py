"""Access to private names of Keras, all in this file: a test per function shows which name a Keras upgrade changed."""

import keras
from keras.src.backend.common.stateless_scope import get_stateless_scope, in_stateless_scope


def momentums(optimizer) -> list:
    """Return the first-moment variables of a built `keras.optimizers.AdamW`, one per trainable variable."""
    return optimizer._momentums


def velocities(optimizer) -> list:
    """Return the second-moment variables of a built `keras.optimizers.AdamW`, one per trainable variable."""
    return optimizer._velocities


def variable_index(optimizer, variable) -> int:
    """Return the index of a `keras.Variable`, or of its backend variable, in `optimized_variables`."""
    return optimizer._get_variable_index(variable)


def optimized_variables(optimizer) -> list:
    """Return the variables a built optimizer updates."""
    return optimizer._trainable_variables


def uses_weight_decay(optimizer, variable) -> bool:
    """Return False for a variable that `exclude_from_weight_decay` named."""
    return optimizer._use_weight_decay(variable)


def schedule_of(optimizer):
    """Return the `LearningRateSchedule` an optimizer was made with, or None for a constant learning rate."""
    rate = optimizer._learning_rate
    return rate if isinstance(rate, keras.optimizers.schedules.LearningRateSchedule) else None


def is_rematerialized(layer) -> bool:
    """Return True for a layer that was made in a `keras.RematScope`."""
    return layer._remat_mode is not None


def attention_softmax(attention):
    """Return the softmax layer of a built `keras.layers.MultiHeadAttention`."""
    return attention._softmax


def attention_dropout(attention):
    """Return the dropout layer of a built `keras.layers.MultiHeadAttention`, which acts on the probabilities."""
    return attention._dropout_layer


def has_attention_options(attention) -> bool:
    """Return True for a `keras.layers.MultiHeadAttention` with flash attention, a gate or a sliding window."""
    return bool(attention._flash_attention or attention._use_gate or attention._sliding_window)


def keras_mask(x):
    """Return the mask that a layer such as `keras.layers.Masking` attached to a tensor, or None."""
    return getattr(x, "_keras_mask", None)


def uncast_value(variable):
    """Return the backend's variable as it is stored, also inside a layer that casts its variables.

    In a `keras.StatelessScope` (an export, for one) it is the value that the scope holds for the variable.
    """
    if in_stateless_scope():
        value = get_stateless_scope().get_current_value(variable)
        if value is not None:
            return value
    return variable._value


def set_untracked(layer, name: str, value) -> None:
    """Set an attribute that Keras does not track: the weights of `value` do not become weights of `layer`."""
    object.__setattr__(layer, name, value)
