"""What several tests need: tiny models, random inputs with real padding, and weights that hide no mistake."""

import numpy as np

import keras_bert as kb


def tiny_config(**changes) -> kb.BertConfig:
    """L-2 H-32 A-2, 100 words, no dropout: every part is there and a test takes milliseconds."""
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
    """Give every weight of a model or layer a random value, biases and LayerNorms included; returns the model.

    Fresh biases are 0 and fresh gammas 1, which hides a forgotten bias or a swapped norm. Kernels are large enough that
    attention is far from uniform, so that a wrong mask moves the outputs.
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
    """The three int32 inputs `[B, T]`: rows but the first padded, two segments; with `positions`, also `[B, P]`."""
    rng = np.random.default_rng(seed)
    lengths = np.concatenate([[length], rng.integers(length // 2, length, batch - 1)])  # [B]
    place = np.arange(length)[None, :]  # [1, T]
    mask = place < lengths[:, None]  # [B, T]
    second = (place >= lengths[:, None] // 2) & mask  # [B, T]
    ids = np.where(mask, rng.integers(1, config.vocab_size, (batch, length)), 0)
    inputs = {"input_word_ids": ids, "input_mask": mask, "input_type_ids": second}
    if positions:
        inputs["masked_lm_positions"] = np.sort(rng.integers(0, lengths.min(), (batch, positions)), axis=1)
    return {key: value.astype("int32") for key, value in inputs.items()}
