"""The logit lens: what the masked-LM head would predict from the output of each layer."""

import dataclasses
from collections.abc import Sequence

import keras
import numpy as np

from keras_bert import ops
from keras_bert.constants import INPUT_KEYS
from keras_bert.errors import InputError
from keras_bert.explain.figures.figure import Figure
from keras_bert.explain.figures.panels import draw_cells, escape, fix_layout, new_panels, shorten
from keras_bert.explain.figures.style import INK, style
from keras_bert.explain.texts.hidden_states import check_layers, tokenize_strings
from keras_bert.explain.texts.text_model import TextModel, open_model

BAND = 11  # positions side by side in the figure


@dataclasses.dataclass(frozen=True)
class LogitLens:
    """Predictions from each layer, the result of `logit_lens`.

    Attributes:
        tokens: T tokens of the text, [CLS] and [SEP] included.
        layers: the K layers; 0 is the embeddings, the last layer of the model is L.
        top_tokens: `[K][T][k]`, the most probable tokens, the best first.
        top_probabilities: float32 `[K, T, k]`.
        probabilities: float32 `[K, T]`, of the token that the model itself puts first.
        kl: float64 `[K, T]`, the divergence KL(model || layer) of the distributions over the vocabulary, in nats.
        agreement: float64 `[K]`, the share of the positions, [CLS] and [SEP] excluded, where the layer and the model
            have the same first token.
        final: T tokens, the model's own first.
        logits: float32 `[K, T, V]`.
    """

    tokens: list[str]
    layers: list[int]
    top_tokens: list[list[list[str]]]
    top_probabilities: np.ndarray
    probabilities: np.ndarray
    kl: np.ndarray
    agreement: np.ndarray
    final: list[str]
    logits: np.ndarray

    @property
    def data(self) -> dict:
        """The numbers and tokens as lists, for JSON, without the logits."""
        numbers = ("top_probabilities", "probabilities", "kl", "agreement")
        data = {"tokens": self.tokens, "layers": self.layers, "top_tokens": self.top_tokens, "final": self.final}
        return {**data, **{name: getattr(self, name).tolist() for name in numbers}}

    def plot(self) -> Figure:
        """Draw a grid of the first token for each layer and position; long texts continue in the next band."""
        count, height = len(self.tokens), len(self.layers)
        bands = -(-count // BAND)
        width = -(-count // bands)
        with style():
            figure, grid = new_panels(bands, 1, 0.9 + 0.88 * width, bands * (0.75 + 0.3 * height))
            for band, axes in enumerate(grid[:, 0]):
                self._draw_band(axes, range(band * width, min((band + 1) * width, count)), width)
            fix_layout(figure)
        scored = slice(1, -1)
        caption = "What the masked-LM head predicts from the output of each layer (rows; 0 is the embeddings, the top "
        caption += "row is the model itself) at each token (columns). Stronger blue: higher probability of the first "
        caption += "token. Framed: another token than in the top row. Look at the layer from which a column has no "
        shares = ", ".join(f"{layer}: {share:.0%}" for layer, share in zip(self.layers, self.agreement, strict=True))
        caption += f"frame. Agreement with the top row without [CLS] and [SEP], by layer: {shares}. "
        caption += "Mean KL divergence from the top row: "
        caption += f"{self.kl[0, scored].mean():.2f} nats in layer {self.layers[0]}"
        if height > 2:
            caption += f", {self.kl[-2, scored].mean():.2f} in layer {self.layers[-2]}"
        for i in [i for i, token in enumerate(self.tokens) if token == "[MASK]"][:3]:
            steps = ", ".join(f"{value:.2f}" for value in self.probabilities[:, i])
            caption += f'. At [MASK] in position {i} the probability of "{self.final[i]}" is, by layer, {steps}'
        alt = f"Grid of the first predicted token of {height} layers at {count} tokens"
        return Figure(figure, f"{caption}.", self.data, alt)

    def _draw_band(self, axes, positions: range, width: int) -> None:
        from matplotlib.patches import Rectangle

        places = list(positions)
        texts = [[escape(shorten(self.top_tokens[k][i][0], 11)) for i in places] for k in range(len(self.layers))]
        draw_cells(axes, self.top_probabilities[:, places, 0], 1.0, texts, fontsize=7.5)
        for k in range(len(self.layers)):
            for column, i in enumerate(places):
                if self.top_tokens[k][i][0] != self.final[i]:
                    frame = Rectangle((column - 0.46, k - 0.42), 0.92, 0.84, fill=False, edgecolor=INK, linewidth=0.9)
                    axes.add_patch(frame)
        axes.set(xlim=(-0.5, width - 0.5), ylim=(-0.5, len(self.layers) - 0.5))
        names = [escape(shorten(self.tokens[i], 11)) for i in places]
        axes.set_xticks(range(len(places)), names, fontsize=8, fontweight="bold")
        axes.set_yticks(range(len(self.layers)), self.layers)
        axes.set_ylabel("layer")


def logit_lens(pretrained, text: str, top_k: int = 5, layers: list[int] | None = None) -> LogitLens:
    """Apply the model's own masked-LM head, with its dense layer and LayerNorm, to the output of each layer.

    The last layer has the logits of the model: they are computed by the same functions. The head was trained for the
    last layer, so early layers may know more than it shows.

    Args:
        pretrained: what `kb.load_pretrained` returns for a `BertPretrainer`, one with a vectorizer, or a tuple of both.
        text: a string, with or without `[MASK]`.
        top_k: k, number of tokens for each layer and position.
        layers: the layers, 0 (embeddings) to L. Default: all. The last one is always added.

    Returns:
        A `LogitLens`.

    Raises:
        InputError: the model has no masked-LM head, the text has no token or more tokens than the model's rows, `top_k`
            is not in 1 … V, or a layer does not exist.

    Example:

    >>> import keras_bert as kb
    >>> config = kb.BertConfig(vocab_size=7, hidden_size=8, num_layers=2, num_heads=2, intermediate_size=16)
    >>> encoder = kb.BertEncoder(config)
    >>> encoder.vectorizer = kb.BertTextVectorization(["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "a", "film"])
    >>> found = kb.explain.logit_lens(kb.BertPretrainer(encoder), "a [MASK]", top_k=2)
    >>> found.tokens, found.top_probabilities.shape, float(found.agreement[-1])
    (['[CLS]', 'a', '[MASK]', '[SEP]'], (3, 4, 2), 1.0)

    Source: nostalgebraist 2020, "interpreting GPT: the logit lens"; the divergence as in Belrose et al. 2023
    (arXiv:2303.08112), section 2.
    """
    opened = open_model(pretrained, special_tokens=("[MASK]",))
    if opened.kind != "pretrainer":
        kind = opened.kind or type(opened.model).__name__
        raise InputError(f"`pretrained` must have a masked-LM head. Received: a model of kind {kind}")
    vocabulary = opened.tokenizer.vocabulary
    if isinstance(top_k, bool) or not isinstance(top_k, int) or not 1 <= top_k <= len(vocabulary):
        raise InputError(f"`top_k` must be an integer in 1 … {len(vocabulary)}. Received: top_k={top_k!r}")
    depth = len(opened.encoder.blocks)
    layers = sorted({*check_layers(layers, depth), depth})
    (row,) = tokenize_strings(opened, [text], "text")
    found = opened.run(layer_logits, row.inputs(), tuple(layers))
    logits = np.stack([keras.ops.convert_to_numpy(keras.ops.cast(each, "float32"))[0] for each in found])  # [K, T, V]

    logs = _log_softmax(logits.astype("float64"))  # [K, T, V]
    probabilities = np.exp(logs).astype("float32")
    best = np.argsort(-logits, axis=-1, kind="stable")[..., :top_k]  # [K, T, k]
    first, final = best[..., 0], best[-1, :, 0]  # [K, T], [T]
    return LogitLens(
        tokens=row.tokens,
        layers=layers,
        top_tokens=[[[vocabulary[i] for i in cell] for cell in line] for line in best.tolist()],
        top_probabilities=np.take_along_axis(probabilities, best, -1),
        probabilities=np.take_along_axis(probabilities, np.broadcast_to(final[None, :, None], (*first.shape, 1)), -1)[
            ..., 0
        ],
        kl=np.maximum((np.exp(logs[-1]) * (logs[-1] - logs)).sum(-1), 0),
        agreement=(first == final)[:, 1:-1].mean(1),
        final=[vocabulary[i] for i in final.tolist()],
        logits=logits,
    )


def layer_logits(opened: TextModel, inputs: dict, layers: Sequence[int]) -> list:
    """Apply the masked-LM head of a `BertPretrainer` to the outputs of layers, at all positions.

    Args:
        opened: the `BertPretrainer`.
        inputs: the encoder's inputs, int32 `[B, T]` each.
        layers: ascending; 0 is the embeddings.

    Returns:
        For each layer a tensor `[B, T, V]`. The last layer's are those of the model, which computes its last block for
        the masked positions only, so here it is called with all positions, too.
    """
    encoder, head = opened.encoder, opened.model.mlm_head
    ids, mask, types = (keras.ops.convert_to_tensor(inputs[key], dtype="int32") for key in INPUT_KEYS)  # [B, T] each
    positions = keras.ops.zeros_like(ids) + keras.ops.arange(keras.ops.shape(ids)[1], dtype="int32")  # [B, T]
    table = ops.embedding_table(encoder.embeddings.word_embeddings)  # [V, E]
    x = encoder.embeddings(ids, types, training=False)  # [B, T, H]
    found = []
    for layer in range(len(encoder.blocks) + 1):
        if layer:
            x = encoder.blocks[layer - 1](x, mask, training=False)  # [B, T, H]
        if layer in layers and layer < len(encoder.blocks):
            found.append(head(x, table=table, training=False))  # [B, T, V]
    outputs = opened.model(dict(zip((*INPUT_KEYS, "masked_lm_positions"), (ids, mask, types, positions), strict=True)))
    return [*found, outputs["mlm_logits"]]


def _log_softmax(logits: np.ndarray) -> np.ndarray:
    shifted = logits - logits.max(-1, keepdims=True)
    return shifted - np.log(np.exp(shifted).sum(-1, keepdims=True))
