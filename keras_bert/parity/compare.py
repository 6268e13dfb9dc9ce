"""Two models on the same inputs: the largest and the mean difference of every output and every layer."""

import dataclasses
import math
from pathlib import Path

import numpy as np

from keras_bert.errors import InputError
from keras_bert.weights.canonical_names import parts
from keras_bert.weights.formats.huggingface import run_transformers
from keras_bert.weights.formats.keras_hub import run_keras_hub
from keras_bert.weights.formats.tfhub import open_tfhub

TOLERANCE = 5e-5  # float32 through 12 layers leaves 1e-5; the nearest mistake, epsilon 1e-6, makes 2e-4
KEYS = ("input_word_ids", "input_mask", "input_type_ids")
SENTENCES = (
    "A fine film, and a brave one.",
    "Nothing in it is new; everything in it is true.",
    "I'd not see it twice.",
    "The plot? Unbelievable, in the bad sense of the word, and it takes two hours and forty minutes to say so.",
)
PAIRS = (
    ("Who wrote it?", "She did, over eleven years, mostly at night."),
    ("He paints.", "The sea was grey and nobody spoke until the boat had gone behind the rocks."),
    ("It was raining when we left the cinema.", "Good."),
)


@dataclasses.dataclass(frozen=True)
class Parity:
    """How far an encoder is from a reference.

    Attributes:
        max_abs_difference: `{"sequence_output": …, "pooled_output": …, "encoder_outputs": [one a layer]}`, with the
            keys that both models have; NaN where either gave NaN.
        mean_abs_difference: the same keys, the mean instead of the largest.
        parameters: numbers in the encoder's weights.
        examples: rows compared.
        tolerance: what the largest difference may be.
    """

    max_abs_difference: dict
    mean_abs_difference: dict
    parameters: int
    examples: int
    tolerance: float = TOLERANCE

    @property
    def worst(self) -> float:
        """The largest difference of all; NaN if any is."""
        values = _flat(self.max_abs_difference)
        return math.nan if any(math.isnan(value) for value in values) else max(values)

    @property
    def passed(self) -> bool:
        """True if no difference is above the tolerance; NaN never passes."""
        return self.worst <= self.tolerance

    def to_dict(self) -> dict:
        """All of it, ready for JSON."""
        return {**dataclasses.asdict(self), "passed": self.passed}


def compare(encoder, reference, inputs: dict, tolerance: float = TOLERANCE) -> Parity:
    """Run an encoder and a reference on the same inputs and measure how far apart they are.

    Padding rows count too: TF-Hub's BERT computes them like any other, so a mask put on the queries would show there.

    Args:
        encoder: a `BertEncoder` (or a `BertPretrainer`, whose encoder is taken).
        reference: a TF-Hub handle, a SavedModel folder of that interface or one already loaded, a Keras model with our
            inputs and output keys, a backbone of KerasHub, or a model of transformers.
        inputs: dict of the three inputs, int `[B, T]`; `parity_inputs` makes them.
        tolerance: the largest difference that passes.

    Returns:
        A `Parity`.

    Raises:
        InputError: an input is missing, the reference is none of these, or its outputs have other shapes.

    Example:

    >>> import keras_bert as kb
    >>> from keras_bert.weights import parity_inputs, to_keras_hub
    >>> config = kb.BertConfig(vocab_size=100, hidden_size=32, num_layers=1, num_heads=2, intermediate_size=64)
    >>> encoder = kb.BertEncoder(config)
    >>> kb.compare(encoder, to_keras_hub(encoder), parity_inputs(config, sequence_length=16)).passed
    True

    Source: the outputs compared are those of TF-Hub's `tensorflow/bert_en_uncased_L-12_H-768_A-12`, named as there.
    """
    encoder, _ = parts(encoder)
    inputs = _checked(inputs)
    # Compiled, as a SavedModel is: operation by operation, float32 rounds at other places than in a graph.
    ours, theirs = _numpy(encoder.predict_on_batch(inputs)), _numpy(_run(reference, inputs))
    shared = [key for key in ours if key in theirs]
    layers = [sum(key.startswith("encoder_outputs_") for key in outputs) for outputs in (ours, theirs)]
    if not shared:
        raise InputError(
            f"the reference must give one of {', '.join(ours)}. Received: {', '.join(theirs) or 'nothing'}"
        )
    if all(layers) and layers[0] != layers[1]:
        raise InputError(
            f"both models must have as many layers. Received: {layers[0]}, and {layers[1]} in the reference"
        )
    largest, mean = {}, {}
    for key in shared:
        if ours[key].shape != theirs[key].shape:
            raise InputError(
                f"{key} must have one shape in both models. "
                f"Received: {ours[key].shape}, and {theirs[key].shape} in the reference"
            )
        difference = np.abs(ours[key].astype("float64") - theirs[key])
        largest[key], mean[key] = float(difference.max()), float(difference.mean())
    return Parity(_nested(largest), _nested(mean), encoder.count_params(), len(inputs[KEYS[0]]), tolerance)


def parity_inputs(config, vectorizer=None, sequence_length: int = 64, seed: int = 0) -> dict:
    """Inputs that show what a BERT can get wrong: any padding, two segments, ids from the whole vocabulary.

    Args:
        config: the encoder's `BertConfig`; ids, segments and length stay within it.
        vectorizer: a `BertTextVectorization` of the encoder's vocabulary adds real sentences and pairs of them.
        sequence_length: T; the positions, if those are fewer.
        seed: of the random rows.

    Returns:
        dict of the three inputs, int32 `[B, T]`: 8 random rows, with a vectorizer 7 of text before them.

    Raises:
        InputError: the vectorizer's vocabulary is larger than the encoder's.

    Example:

    >>> import keras_bert as kb
    >>> from keras_bert.weights import parity_inputs
    >>> parity_inputs(kb.BertConfig(vocab_size=100), sequence_length=16)["input_word_ids"].shape
    (8, 16)
    """
    length = min(sequence_length, config.max_position_embeddings)
    rows = []
    if vectorizer is not None:
        if vectorizer.vocabulary_size() > config.vocab_size:
            raise InputError(
                f"the vocabulary must fit the encoder's vocab_size={config.vocab_size}. "
                f"Received: {vectorizer.vocabulary_size()} tokens"
            )
        rows += [vectorizer(list(SENTENCES)), vectorizer(tuple(list(side) for side in zip(*PAIRS, strict=True)))]
    rng = np.random.default_rng(seed)
    lengths = np.linspace(1, length, 8).astype(int)[:, None]  # [8, 1]
    places = np.arange(length)[None, :]  # [1, T]
    mask = places < lengths  # [8, T]
    segments = rng.integers(0, max(1, config.type_vocab_size), (8, length)) * mask
    segments[::2] = (places >= lengths[::2] // 2) & mask[::2] & (config.type_vocab_size > 1)  # as in real pairs
    ids = rng.integers(0, config.vocab_size, (8, length)) * mask
    rows.append(dict(zip(KEYS, (ids, mask, segments), strict=True)))
    return {key: np.concatenate([_fit(row[key], length) for row in rows]).astype("int32") for key in KEYS}


def _fit(rows, length):
    rows = np.asarray(rows)[:, :length]
    return np.pad(rows, ((0, 0), (0, length - rows.shape[1])))


def _checked(inputs) -> dict:
    missing = [key for key in KEYS if key not in inputs]
    if missing:
        raise InputError(f"the inputs are {', '.join(KEYS)}. Received: no {', '.join(missing)}")
    return {key: np.asarray(inputs[key], "int32") for key in KEYS}


def _run(reference, inputs: dict) -> dict:
    import keras

    if isinstance(reference, keras.Model):
        names = {tensor.name for tensor in reference.inputs or ()}
        if {"token_ids", "padding_mask"} <= names:
            return run_keras_hub(reference, inputs)
        if names != set(KEYS):
            expected = f"a reference Keras model takes {', '.join(KEYS)}"
            raise InputError(f"{expected}. Received: {reference.name} taking {', '.join(sorted(names)) or 'no dict'}")
        return reference.predict_on_batch(inputs)
    if type(reference).__module__.startswith("transformers."):
        return run_transformers(reference, inputs)
    if not isinstance(reference, (str, Path)) and not hasattr(reference, "variables"):
        raise InputError(f"a reference is a TF-Hub model or a Keras model. Received: {type(reference).__name__}")
    import tensorflow as tf

    outputs = dict(open_tfhub(reference)({key: tf.constant(value) for key, value in inputs.items()}))
    layers = outputs.pop("encoder_outputs", [])
    outputs.pop("default", None)  # pooled_output once more
    return {**outputs, **{f"encoder_outputs_{i}": layer for i, layer in enumerate(layers)}}


def _numpy(outputs) -> dict:
    import keras

    if not isinstance(outputs, dict):
        raise InputError(f"a reference gives a dict of outputs. Received: {type(outputs).__name__}")
    # A TF-Hub reference gives TensorFlow tensors on every backend: those have their own way to numpy.
    return {
        key: np.asarray(
            value.numpy() if type(value).__module__.startswith("tensorflow") else keras.ops.convert_to_numpy(value),
            "float32",
        )
        for key, value in outputs.items()
    }


def _nested(flat: dict) -> dict:
    nested = {key: flat[key] for key in ("sequence_output", "pooled_output") if key in flat}
    layers = [flat[f"encoder_outputs_{i}"] for i in range(len(flat)) if f"encoder_outputs_{i}" in flat]
    return {**nested, "encoder_outputs": layers} if layers else nested


def _flat(nested: dict) -> list:
    return [value for key, value in nested.items() if key != "encoder_outputs"] + nested.get("encoder_outputs", [])
