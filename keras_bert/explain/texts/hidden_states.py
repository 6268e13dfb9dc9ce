"""The hidden states of all layers for texts, and for the words of texts."""

from collections.abc import Iterator

import numpy as np
from keras import ops

from keras_bert.constants import INPUT_KEYS
from keras_bert.errors import InputError
from keras_bert.explain.texts.text_model import TextModel, open_model
from keras_bert.explain.texts.tokenized_text import TokenizedText, padded_inputs

BATCH, WIDTH_STEP = 32, 8  # rows of similar length; few different lengths, because JAX compiles for each


def tokenize_strings(opened: TextModel, texts, name: str = "texts") -> list[TokenizedText]:
    """Tokenize single texts.

    Args:
        opened: the model.
        texts: list of N strings.
        name: the argument's name, for messages.

    Raises:
        InputError: there is no text, an entry is not a string, has no token, or is longer than the model's rows.
    """
    texts = texts if isinstance(texts, str) else list(texts)
    if isinstance(texts, str) or not all(isinstance(text, str) for text in texts):
        raise InputError(f"`{name}` must be a list of strings. Received: {texts!r:.80}")
    if not texts:
        raise InputError(f"`{name}` must have at least one text. Received: {name}=[]")
    return opened.tokenize(texts, name)


def hidden_states(opened: TextModel, inputs: dict) -> np.ndarray:
    """Compute the output of the embeddings and of each block, without dropout.

    Args:
        opened: the model.
        inputs: the inputs of its encoder, int `[B, T]` each.

    Returns:
        float32 `[L + 1, B, T, H]`. Layer 0 is the embeddings, after their LayerNorm; layer L is `sequence_output`.
    """
    inputs = {key: ops.convert_to_tensor(inputs[key], dtype="int32") for key in INPUT_KEYS}  # [B, T] each
    states = opened.states(opened.embed(inputs), inputs["input_mask"])
    return np.stack([ops.convert_to_numpy(ops.cast(state, "float32")) for state in states])


def states_of(pretrained, texts, name: str = "texts") -> tuple[list[TokenizedText], list[np.ndarray]]:
    """Tokenize texts and compute the hidden states of their tokens, in batches of texts of similar length.

    Special tokens in a text are split, as in `kb.embed`.

    Args:
        pretrained: see `open_model`.
        texts: list of N strings.
        name: the argument's name, for messages.

    Returns:
        N tokenized texts, and for each float32 `[L + 1, T, H]` without padding. A batch gives the states of the text
        alone.
    """
    opened = open_model(pretrained, special_tokens=())
    rows = tokenize_strings(opened, texts, name)
    states = [np.zeros(0)] * len(rows)
    for numbers, inputs in _batches(rows, opened):
        for number, found in zip(numbers, np.moveaxis(hidden_states(opened, inputs), 1, 0), strict=True):
            states[number] = found[:, : len(rows[number].ids)]  # [L + 1, T, H]
    return rows, states


def _batches(rows: list[TokenizedText], opened: TextModel) -> Iterator[tuple[list[int], dict]]:
    order = sorted(range(len(rows)), key=lambda i: len(rows[i].ids))
    for start in range(0, len(order), BATCH):
        numbers = order[start : start + BATCH]
        longest = len(rows[numbers[-1]].ids)
        width = min(-(-longest // WIDTH_STEP) * WIDTH_STEP, opened.tokenizer.max_length)
        yield numbers, padded_inputs([rows[i] for i in numbers], opened.tokenizer.pad_id, width)


def word_states(text: TokenizedText, states: np.ndarray) -> np.ndarray:
    """Average the states `[L + 1, T, H]` of a text over the tokens of each word, without [CLS] and [SEP].

    Returns:
        `[L + 1, W - 2, H]`.
    """
    return np.stack([states[:, tokens].mean(1) for tokens in text.word_tokens[1:-1]], 1)


def check_layers(layers, count: int) -> list[int]:
    """Return layers as a list of ints; None is all from 0 to `count`.

    Raises:
        InputError: a layer is not in 0 … `count`, or there is none.
    """
    if layers is None:
        return list(range(count + 1))
    layers = [layers] if isinstance(layers, int) else list(layers)
    wrong = [layer for layer in layers if isinstance(layer, bool) or layer not in range(count + 1)]
    if wrong or not layers:
        raise InputError(f"`layers` must be in 0 … {count} (0 is the embeddings). Received: layers={layers!r:.60}")
    return layers
