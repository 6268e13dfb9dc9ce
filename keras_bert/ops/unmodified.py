"""Check that a layer computes exactly what Keras's own class computes."""

import keras
from keras import layers

from keras_bert import keras_internals

SET_BY_KERAS = {"build", "loss", "quantize"}  # Keras wraps two methods on every instance; `compile` sets `loss`
SET_FOR_LORA = {"save_own_variables", "load_own_variables"}  # see `layers/lora.py`


def is_unmodified(layer, dtype: str | None) -> bool:
    """Return True if a kernel may compute in place of a layer.

    Args:
        layer: a Keras layer.
        dtype: of the input, such as `"bfloat16"`: the layer must compute in it; None allows any.

    Returns:
        False for a subclass, a class without kernels, a layer with overridden methods, LoRA, quantization, an activity
        regularizer or rematerialization, and for options that the kernels do not have.

    Example:

    >>> import keras
    >>> dense = keras.layers.Dense(3)
    >>> dense.build((None, 2))
    >>> is_unmodified(dense, "float32"), is_unmodified(dense, "bfloat16")
    (True, False)
    """
    options_are_standard = CHECKS.get(type(layer))
    return options_are_standard is not None and _is_plain(layer, dtype) and options_are_standard(layer, dtype)


def _is_plain(layer, dtype) -> bool:
    """Return True if nothing that any Keras layer can have changes what it computes."""
    return (
        layer.built
        and (dtype is None or layer.compute_dtype == dtype)
        and layer.dtype_policy.quantization_mode is None
        and not getattr(layer, "lora_enabled", False)
        and layer.activity_regularizer is None
        and not keras_internals.is_rematerialized(layer)
        and overridden_method(layer) is None
    )


def overridden_method(layer) -> str | None:
    """Return the first attribute of an instance that hides a method of its class, as in `layer.call = function`."""
    attributes = vars(layer)
    names = sorted(attributes.keys() - SET_BY_KERAS - SET_FOR_LORA)
    hiding = (name for name in names if callable(getattr(type(layer), name, None)) and callable(attributes[name]))
    return next(hiding, None)


def _is_linear(layer, dtype) -> bool:
    return layer.bias is not None and layer.activation is keras.activations.linear


def _is_elementwise(dropout, dtype) -> bool:
    return dropout.noise_shape is None and dropout.rate < 1


def _is_plain_lookup(embedding, dtype) -> bool:
    return not embedding.mask_zero


def _normalizes_last_axis(norm, dtype) -> bool:
    return norm.axis in (-1, [-1]) and norm.scale and norm.center and not norm.rms_scaling


def _is_dot_product(attention, dtype) -> bool:
    """Return True for attention over the T axis of `[B, T, H]` whose sublayers are those that Keras makes."""
    softmax = keras_internals.attention_softmax(attention)
    projections = (attention.query_dense, attention.key_dense, attention.value_dense, attention.output_dense)
    return (
        _has_dot_product_options(attention)
        and all(_is_plain(dense, dtype) for dense in projections)
        and _is_plain(softmax, dtype)
        and is_unmodified(keras_internals.attention_dropout(attention), dtype)
    )


def _has_dot_product_options(attention) -> bool:
    dropout, softmax = keras_internals.attention_dropout(attention), keras_internals.attention_softmax(attention)
    projections = (attention.query_dense, attention.key_dense, attention.value_dense, attention.output_dense)
    return (
        not keras_internals.has_attention_options(attention)
        and attention.attention_axes == (1,)
        and attention.value_dim == attention.key_dim
        and all(type(dense) is layers.EinsumDense and _is_linear(dense, None) for dense in projections)
        and len(attention.output_dense.kernel.shape) == 3  # [A, D, H]
        and type(softmax) is layers.Softmax
        and type(dropout) is layers.Dropout
        and attention.dropout == dropout.rate  # Keras skips the dropout layer if `attention.dropout` is 0
    )


def has_standard_options(layer) -> bool:
    """Return True if a built layer computes, from its kernel and bias, what the layers of BERT compute.

    Unlike `is_unmodified`, it allows any dtype and LoRA.
    """
    if isinstance(layer, layers.MultiHeadAttention):
        return _has_dot_product_options(layer)
    if isinstance(layer, layers.EinsumDense):
        return _is_linear(layer, None)
    check = CHECKS.get(type(layer))
    return check is None or check(layer, None)


CHECKS = {
    layers.Dense: _is_linear,
    layers.Dropout: _is_elementwise,
    layers.Embedding: _is_plain_lookup,
    layers.LayerNormalization: _normalizes_last_axis,
    layers.MultiHeadAttention: _is_dot_product,
}
