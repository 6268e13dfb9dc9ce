"""Comparison of an encoder with a reference: the differences of all outputs at the tokens, layer by layer."""

import dataclasses
import math

import numpy as np

from keras_bert.constants import INPUT_KEYS
from keras_bert.errors import InputError
from keras_bert.parity.references import run_reference
from keras_bert.weights.canonical_names import encoder_and_pretrainer

# Rounding errors of float32 in 12 layers cause 1e-5. The smallest known mistake, epsilon 1e-6 for 1e-12, causes 2e-4.
TOLERANCE = 5e-5


@dataclasses.dataclass(frozen=True)
class ParityReport:
    """The differences between an encoder and a reference.

    Attributes:
        max_abs_difference: a dict of `"sequence_output"`, `"pooled_output"` and `"encoder_outputs"` (a list of L) to
            the largest absolute difference where `input_mask` is 1, with the outputs that both models have. NaN if one
            model returned NaN there.
        mean_abs_difference: the same keys with the mean absolute difference.
        padding_max_abs_difference: the same keys without `"pooled_output"`: the largest absolute difference where
            `input_mask` is 0. It does not count for `passed`. Empty without padding.
        parameters: the number of parameters of the encoder.
        examples: B, the number of rows compared.
        tolerance: the largest difference that passes.
    """

    max_abs_difference: dict
    mean_abs_difference: dict
    parameters: int
    examples: int
    tolerance: float = TOLERANCE
    padding_max_abs_difference: dict = dataclasses.field(default_factory=dict)

    @property
    def worst(self) -> float:
        """The largest difference of all outputs at the tokens; NaN if any is NaN."""
        values = [value for key, value in self.max_abs_difference.items() if key != "encoder_outputs"]
        values += self.max_abs_difference.get("encoder_outputs", [])
        return math.nan if any(math.isnan(value) for value in values) else max(values)

    @property
    def passed(self) -> bool:
        """True if no difference is above the tolerance. NaN never passes."""
        return self.worst <= self.tolerance

    def to_dict(self) -> dict:
        """Return all fields and `passed` as a dict that JSON can write."""
        return {**dataclasses.asdict(self), "passed": self.passed}


def compare(encoder, reference, inputs: dict, tolerance: float = TOLERANCE) -> ParityReport:
    """Run an encoder and a reference on the same inputs and measure the differences of their outputs.

    A SavedModel as the reference is a program, which is run: use only one that you trust.

    The positions where `input_mask` is 1 decide. No model reads the outputs at padding, where float32 may round much
    more coarsely: they are compared too, and reported separately.

    Args:
        encoder: a `BertEncoder`, or a `BertPretrainer`, of which the encoder is compared.
        reference: a TF-Hub handle, a SavedModel with the same interface (a folder, or loaded), a Keras model with the
            inputs and outputs of `BertEncoder`, a backbone of KerasHub, or an encoder of transformers.
        inputs: a dict of the three encoder inputs, int `[B, T]`, such as `parity_inputs` creates.
        tolerance: the largest difference that passes.

    Returns:
        A `ParityReport`.

    Raises:
        InputError: an input is missing or `input_mask` has no 1, the reference is of another kind, or its outputs have
            other shapes.

    Example:

    >>> import keras_bert as kb
    >>> from keras_bert.parity import parity_inputs
    >>> from keras_bert.weights import to_keras_hub
    >>> config = kb.BertConfig(vocab_size=100, hidden_size=32, num_layers=1, num_heads=2, intermediate_size=64)
    >>> encoder = kb.BertEncoder(config)
    >>> kb.compare(encoder, to_keras_hub(encoder), parity_inputs(config, sequence_length=16)).passed
    True

    Source: the outputs are those of TF-Hub's `tensorflow/bert_en_uncased_L-12_H-768_A-12`, with the same names.
    """
    encoder, _ = encoder_and_pretrainer(encoder)
    missing = [key for key in INPUT_KEYS if key not in inputs]
    if missing:
        raise InputError(f"`inputs` must have the keys {', '.join(INPUT_KEYS)}. Received: no {', '.join(missing)}")
    inputs = {key: np.asarray(inputs[key], "int32") for key in INPUT_KEYS}  # [B, T] each
    is_token = inputs["input_mask"] != 0  # [B, T]
    if not is_token.any():
        raise InputError("`inputs` must have a token, where `input_mask` is 1. Received: input_mask with zeros only")
    # Compiled, as a SavedModel is: eager execution would round float32 differently.
    outputs, expected = _to_numpy(encoder.predict_on_batch(inputs)), _to_numpy(run_reference(reference, inputs))
    _check_outputs(outputs, expected)
    largest, mean, padding = {}, {}, {}
    for key in outputs:
        if key in expected:
            difference = np.abs(outputs[key].astype("float64") - expected[key])  # [B, T, H], or [B, H] of the pooler
            if difference.ndim == 3:
                if not is_token.all():
                    padding[key] = float(difference[~is_token].max())
                difference = difference[is_token]  # [tokens, H]
            largest[key], mean[key] = float(difference.max()), float(difference.mean())
    examples = len(inputs[INPUT_KEYS[0]])
    return ParityReport(_nest(largest), _nest(mean), encoder.count_params(), examples, tolerance, _nest(padding))


def _check_outputs(outputs: dict, expected: dict) -> None:
    """Raise InputError if an encoder's outputs cannot be compared with a reference's."""
    shared = [key for key in outputs if key in expected]
    if not shared:
        raise InputError(
            f"`reference` must have one of the outputs {', '.join(outputs)}. "
            f"Received: {', '.join(expected) or 'no outputs'}"
        )
    layers, expected_layers = (
        sum(key.startswith("encoder_outputs_") for key in model) for model in (outputs, expected)
    )
    if layers and expected_layers and layers != expected_layers:
        raise InputError(
            f"`reference` must have as many layers as the encoder, {layers}. Received: {expected_layers} layers"
        )
    for key in shared:
        if outputs[key].shape != expected[key].shape:
            raise InputError(
                f"`reference` must have outputs of the encoder's shapes. "
                f"Received: {key} of shape {expected[key].shape}, and {outputs[key].shape} in the encoder"
            )


def _to_numpy(outputs) -> dict:
    """Convert a dict of tensors to float32 NumPy arrays."""
    import keras

    if not isinstance(outputs, dict):
        raise InputError(f"`reference` must return a dict of outputs. Received: {type(outputs).__name__}")
    # A TF-Hub reference returns TensorFlow tensors, which Keras cannot convert on another backend.
    return {
        key: np.asarray(
            value.numpy() if type(value).__module__.startswith("tensorflow") else keras.ops.convert_to_numpy(value),
            "float32",
        )
        for key, value in outputs.items()
    }


def _nest(flat: dict) -> dict:
    """Collect the keys `encoder_outputs_0`, `encoder_outputs_1` and so on into one list."""
    nested = {key: flat[key] for key in ("sequence_output", "pooled_output") if key in flat}
    layers = [flat[f"encoder_outputs_{i}"] for i in range(len(flat)) if f"encoder_outputs_{i}" in flat]
    return {**nested, "encoder_outputs": layers} if layers else nested
