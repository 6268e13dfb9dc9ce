"""Helpers for tests: tiny models, random inputs with padding, random weights, and checks for any model or layer."""

import json
import tempfile
from pathlib import Path

import keras
import numpy as np

import keras_bert as kb
from keras_bert.models.cast import cast_model


def tiny_config(**changes) -> kb.BertConfig:
    """Return a config with L=2, H=32, A=2, V=100 and no dropout; `changes` are fields to set."""
    sizes = {
        "vocab_size": 100,
        "hidden_size": 32,
        "num_layers": 2,
        "num_heads": 2,
        "intermediate_size": 64,
        "max_position_embeddings": 40,
        "hidden_dropout": 0.0,
        "attention_dropout": 0.0,
    }
    return kb.BertConfig(**{**sizes, **changes})


def randomize(model, seed: int = 0):
    """Set every weight of a model or layer to random values, biases and LayerNorms too, and return the model.

    Initial biases are 0 and initial gammas are 1, which hides a missing bias or two swapped norms. The kernels are
    large enough that attention is far from uniform, so that a wrong mask changes the outputs.
    """
    rng = np.random.default_rng(seed)
    for weight in model.weights:
        if weight.name == "gamma":
            value = 1 + 0.2 * rng.standard_normal(weight.shape)
        elif len(weight.shape) == 1 or weight.name == "bias":
            value = 0.2 * rng.standard_normal(weight.shape)
        else:
            value = rng.standard_normal(weight.shape) * 0.15
        weight.assign(value.astype("float32"))
    return model


def random_inputs(config, batch: int = 3, length: int = 12, seed: int = 0, positions: int = 0) -> dict:
    """Return the inputs of an encoder, int32 `[B, T]`: two segments, and padding in all rows but the first.

    With `positions` the dict also has `masked_lm_positions`, int32 `[B, P]`.
    """
    rng = np.random.default_rng(seed)
    lengths = np.concatenate([[length], rng.integers(length // 2, length, batch - 1)])  # [B]
    index = np.arange(length)[None, :]  # [1, T]
    mask = index < lengths[:, None]  # [B, T]
    second = (index >= lengths[:, None] // 2) & mask  # [B, T]
    ids = np.where(mask, rng.integers(1, config.vocab_size, (batch, length)), 0)  # [B, T]
    inputs = {"input_word_ids": ids, "input_mask": mask, "input_type_ids": second}
    if positions:
        inputs["masked_lm_positions"] = np.sort(rng.integers(0, lengths.min(), (batch, positions)), axis=1)  # [B, P]
    return {key: value.astype("int32") for key, value in inputs.items()}


def to_numpy(outputs):
    """Return a tensor, or a structure of tensors, as float32 NumPy arrays, on any backend."""
    return keras.tree.map_structure(lambda x: keras.ops.convert_to_numpy(keras.ops.cast(x, "float32")), outputs)


def assert_close(actual, expected, atol: float = 0.0):
    """Assert that two structures of tensors or arrays have the same keys and values within `atol`."""
    keras.tree.assert_same_structure(actual, expected)
    for x, y in zip(*(keras.tree.flatten(to_numpy(outputs)) for outputs in (actual, expected)), strict=True):
        np.testing.assert_allclose(x, y, atol=atol, rtol=0)


def check_model(cls, init_kwargs: dict, inputs: dict, shapes, mixed_dtypes, atol: float = 5e-6):
    """Check what all models have in common, on the current backend, and return the model with random weights.

    Checked are: output shapes, `get_config` and `from_config`, saving to a `.keras` file, the `mixed_bfloat16` policy,
    padding, `trainable=False`, and the kind.

    Args:
        cls: class of the model.
        init_kwargs: its arguments.
        inputs: dict of int32 `[B, T]`; T + 5 positions must exist.
        shapes: the expected shape of the output, or a dict of them.
        mixed_dtypes: the expected dtype of the output under `mixed_bfloat16`, or a dict of them.
        atol: largest difference that more padding may make.
    """
    model = randomize(cls(**init_kwargs))
    outputs = to_numpy(model(inputs))
    assert keras.tree.map_structure(lambda x: x.shape, outputs) == shapes
    assert kb.models.MODEL_CLASSES[model.kind] is cls and kb.models.kind_of(model) == model.kind

    copy = cls.from_config(model.get_config())
    assert type(copy) is cls and _json(copy.get_config()) == _json(model.get_config())
    copy.set_weights(model.get_weights())
    assert_close(copy(inputs), outputs)

    with tempfile.TemporaryDirectory() as folder:
        model.save(Path(folder) / "model.keras")
        loaded = keras.saving.load_model(Path(folder) / "model.keras")
    assert type(loaded) is cls and _json(loaded.get_config()) == _json(model.get_config())
    assert loaded.count_params() == model.count_params()
    assert_close(loaded(inputs), outputs)

    mixed = cast_model(model, "mixed_bfloat16")
    assert type(mixed) is cls and mixed.dtype_policy.name == "mixed_bfloat16"
    assert all(weight.dtype == "float32" for weight in mixed.weights)
    mixed_outputs = mixed(inputs)
    assert keras.tree.map_structure(lambda x: keras.backend.standardize_dtype(x.dtype), mixed_outputs) == mixed_dtypes
    for x, y in zip(*(keras.tree.flatten(to_numpy(outs)) for outs in (mixed_outputs, outputs)), strict=True):
        assert np.abs(x - y).max() < 0.05 * (1 + np.abs(y).max())
    assert _json(cls.from_config(mixed.get_config()).get_config()) == _json(mixed.get_config())
    assert_close(cast_model(mixed, "float32")(inputs), outputs)

    length = inputs["input_mask"].shape[1]
    padded = dict(inputs)
    for key, value in (("input_word_ids", 77), ("input_mask", 0), ("input_type_ids", 1)):
        padded[key] = np.pad(inputs[key], ((0, 0), (0, 5)), constant_values=value)  # [B, T + 5]
    padded_outputs = keras.tree.map_structure(
        lambda x: x[:, :length] if x.ndim > 1 and x.shape[1] == length + 5 else x, to_numpy(model(padded))
    )
    assert_close(padded_outputs, outputs, atol)

    frozen = cls.from_config({**model.get_config(), "trainable": False})
    assert model.trainable_weights and not frozen.trainable_weights
    assert not cls.from_config(frozen.get_config()).trainable_weights
    return model


def check_layer(cls, init_kwargs: dict, inputs: tuple, shape: tuple, shared=lambda layer: ()):
    """Check what all layers have in common, on the current backend, and return the layer with random weights.

    Checked are: output shape, `get_config` and `from_config`, saving within a `.keras` file, the `mixed_bfloat16`
    policy and `trainable=False`.

    Args:
        cls: class of the layer.
        init_kwargs: its arguments.
        inputs: tuple of arrays `[B, ...]`, the positional arguments of the call.
        shape: the expected shape of the output.
        shared: function of the layer; returns the layers that it uses and whose weights are not its own.
    """

    def assign(target, source):
        target(*inputs)
        for one, other in zip((target, *shared(target)), (source, *shared(source)), strict=True):
            one.set_weights(other.get_weights())
        return target

    layer = cls(**init_kwargs)
    assert tuple(layer(*inputs).shape) == shape
    for part in (layer, *shared(layer)):
        randomize(part)
    outputs = to_numpy(layer(*inputs))

    copy = keras.layers.deserialize(keras.layers.serialize(layer))
    assert type(copy) is cls and _json(copy.get_config()) == _json(layer.get_config())
    assert_close(assign(copy, layer)(*inputs), outputs)

    symbols = [keras.Input(x.shape[1:], dtype=keras.backend.standardize_dtype(x.dtype)) for x in inputs]
    model = keras.Model(symbols, layer(*symbols))
    with tempfile.TemporaryDirectory() as folder:
        model.save(Path(folder) / "model.keras")
        loaded = keras.saving.load_model(Path(folder) / "model.keras").get_layer(layer.name)
    assert type(loaded) is cls
    for part, other in zip(shared(loaded), shared(layer), strict=True):
        part.set_weights(other.get_weights())
    assert_close(loaded(*inputs), outputs)

    mixed = assign(cls(**{**init_kwargs, "dtype": "mixed_bfloat16"}), layer)
    mixed_outputs = mixed(*inputs)
    assert keras.backend.standardize_dtype(mixed_outputs.dtype) == "bfloat16"
    assert all(weight.dtype == "float32" for weight in mixed.weights)
    assert np.abs(to_numpy(mixed_outputs) - outputs).max() < 0.05 * (1 + np.abs(outputs).max())

    frozen = cls.from_config({**layer.get_config(), "trainable": False})
    frozen(*inputs)
    assert len(layer.trainable_weights) == len(layer.weights) and not frozen.trainable_weights
    return layer


def _json(config: dict) -> str:
    return json.dumps(config, sort_keys=True, default=str)
