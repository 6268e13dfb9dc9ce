"""Texts as rows of tokens with their places, and the hidden states of all layers for them."""

import dataclasses
from collections.abc import Iterator

import numpy as np
from keras import ops

from keras_bert.constants import INPUT_KEYS
from keras_bert.errors import InputError
from keras_bert.models.encoder_of import encoder_of
from keras_bert.tasks import Preprocessor
from keras_bert.text.offsets import OffsetTokenizer
from keras_bert.weights import Pretrained

BATCH, WIDTH_STEP = 32, 8  # rows of similar length; few different lengths, because JAX compiles for each


@dataclasses.dataclass(frozen=True)
class TextRow:
    """One text as tokens.

    Attributes:
        text: the string.
        ids: T token ids, with [CLS] first and [SEP] last.
        tokens: T tokens.
        spans: for each token its `(start, end)` in the text, None for [CLS] and [SEP].
    """

    text: str
    ids: list[int]
    tokens: list[str]
    spans: list[tuple[int, int] | None]

    def words(self) -> list[tuple[int, int, list[int]]]:
        """List the words: start and end in the text, and the positions of the tokens."""
        found = []
        for position, (token, span) in enumerate(zip(self.tokens, self.spans, strict=True)):
            if span is None:
                continue
            if found and token.startswith("##") and len(token) > 2:
                start, end, positions = found[-1]
                found[-1] = (start, max(end, span[1]), [*positions, position])
            else:
                found.append((*span, [position]))
        return found


def open_model(pretrained) -> tuple:
    """Return the encoder and the `Preprocessor` of the result of `kb.load_pretrained`, or of a model with a vectorizer.

    Raises:
        InputError: it is neither.
    """
    if isinstance(pretrained, Pretrained):
        return pretrained.encoder, Preprocessor.from_pretrained(pretrained)
    if not hasattr(pretrained, "layers"):
        raise InputError(
            "`pretrained` must be a result of `kb.load_pretrained`, or a model with a vectorizer. "
            f"Received: {pretrained!r:.60}"
        )
    encoder = encoder_of(pretrained)
    if encoder.vectorizer is None:
        raise InputError(
            "`pretrained` must have a vectorizer. Received: a model without one. Set `encoder.vectorizer` to a "
            "BertTextVectorization of its vocabulary."
        )
    return encoder, Preprocessor.from_vectorizer(encoder.vectorizer, encoder)


def text_rows(preprocessor: Preprocessor, texts, whole_tokens=(), name: str = "texts") -> list[TextRow]:
    """Tokenize texts, in plain Python. The ids equal those of `BertTextVectorization`.

    Args:
        preprocessor: `Preprocessor`.
        texts: list of N strings.
        whole_tokens: more tokens that stay whole in a text, such as `"[MASK]"`.
        name: the argument's name, for messages.

    Raises:
        InputError: there is no text, an entry is not a string, has no token, or is longer than the model's rows.
    """
    texts = texts if isinstance(texts, str) else list(texts)
    if isinstance(texts, str) or not all(isinstance(text, str) for text in texts):
        raise InputError(f"`{name}` must be a list of strings. Received: {texts!r:.80}")
    if not texts:
        raise InputError(f"`{name}` must have at least one text. Received: {name}=[]")
    vocabulary = list(preprocessor.vocabulary)
    tokenizer = OffsetTokenizer(
        vocabulary, preprocessor.lowercase, [*preprocessor.added_tokens, *whole_tokens], preprocessor.splitting
    )
    cls, sep = vocabulary.index("[CLS]"), vocabulary.index("[SEP]")
    rows = []
    for text in texts:
        ids, spans = tokenizer(text)
        if not ids:
            raise InputError(f"`{name}` must have a token in each text. Received: {text!r:.40}")
        if len(ids) + 2 > preprocessor.sequence_length:
            raise InputError(
                f"`{name}` must have at most {preprocessor.sequence_length} tokens each, [CLS] and [SEP] included. "
                f"Received: {len(ids) + 2} tokens in {text[:40]!r}…. Shorten or split this text."
            )
        ids = [cls, *ids, sep]
        rows.append(TextRow(text, ids, [vocabulary[i] for i in ids], [None, *spans, None]))
    return rows


def encoder_inputs(rows: list[TextRow], pad: int = 0, width: int | None = None) -> dict:
    """Return the encoder's inputs, int32 `[N, T]` each; T is `width`, or the longest row."""
    width = width or max(len(row.ids) for row in rows)
    ids = np.full((len(rows), width), pad, np.int32)  # [N, T]
    mask = np.zeros_like(ids)
    for i, row in enumerate(rows):
        ids[i, : len(row.ids)], mask[i, : len(row.ids)] = row.ids, 1
    return dict(zip(INPUT_KEYS, (ids, mask, np.zeros_like(ids)), strict=True))


def hidden_states(encoder, inputs: dict) -> np.ndarray:
    """Compute the output of the embeddings and of each block, without dropout.

    Args:
        encoder: a `BertEncoder`.
        inputs: its inputs, int `[B, T]` each.

    Returns:
        float32 `[L + 1, B, T, H]`. Layer 0 is the embeddings, after their LayerNorm; layer L is `sequence_output`.
    """
    ids, mask, types = (ops.convert_to_tensor(inputs[key], dtype="int32") for key in INPUT_KEYS)  # [B, T] each
    x = encoder.embeddings(ids, types, training=False)  # [B, T, H]
    states = [x]
    for block in encoder.blocks:
        states.append(x := block(x, mask, training=False))  # [B, T, H]
    return np.stack([ops.convert_to_numpy(ops.cast(state, "float32")) for state in states])


def states_of(pretrained, texts, name: str = "texts") -> tuple[list[TextRow], list[np.ndarray]]:
    """Tokenize texts and compute the hidden states of their tokens, in batches of texts of similar length.

    Args:
        pretrained: see `open_model`.
        texts: list of N strings.
        name: the argument's name, for messages.

    Returns:
        N rows, and for each float32 `[L + 1, T, H]` without padding. A batch gives the states of the text alone.
    """
    encoder, preprocessor = open_model(pretrained)
    rows = text_rows(preprocessor, texts, name=name)
    states = [np.zeros(0)] * len(rows)
    for numbers, inputs in _batches(rows, preprocessor):
        for number, found in zip(numbers, np.moveaxis(hidden_states(encoder, inputs), 1, 0), strict=True):
            states[number] = found[:, : len(rows[number].ids)]  # [L + 1, T, H]
    return rows, states


def _batches(rows: list[TextRow], preprocessor: Preprocessor) -> Iterator[tuple[list[int], dict]]:
    order = sorted(range(len(rows)), key=lambda i: len(rows[i].ids))
    pad = preprocessor.vocabulary.index("[PAD]")
    for start in range(0, len(order), BATCH):
        numbers = order[start : start + BATCH]
        longest = len(rows[numbers[-1]].ids)
        width = min(-(-longest // WIDTH_STEP) * WIDTH_STEP, preprocessor.sequence_length)
        yield numbers, encoder_inputs([rows[i] for i in numbers], pad, width)


def word_states(row: TextRow, states: np.ndarray) -> np.ndarray:
    """Average the states `[L + 1, T, H]` of a row over the tokens of each of its W words: `[L + 1, W, H]`."""
    return np.stack([states[:, positions].mean(1) for _, _, positions in row.words()], 1)


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
