"""The three embeddings of a text, and their sum."""

import dataclasses

import keras
import numpy as np

from keras_bert import ops
from keras_bert.explain.figures.figure import Figure
from keras_bert.explain.figures.panels import draw_image, escape, fix_layout, new_panels
from keras_bert.explain.figures.style import style
from keras_bert.explain.texts.hidden_states import tokenize_strings
from keras_bert.explain.texts.text_model import open_model


@dataclasses.dataclass(frozen=True)
class EmbeddingSum:
    """The embeddings of a text, the result of `embeddings`.

    Attributes:
        tokens: T tokens, [CLS] and [SEP] included.
        word, position: float32 `[T, E]`; E = H except in ALBERT.
        segment: float32 `[T, E]`, or None for a model without segments.
        sum: float32 `[T, E]`, their sum, the input of the LayerNorm of the embeddings.
    """

    tokens: list[str]
    word: np.ndarray
    position: np.ndarray
    segment: np.ndarray | None
    sum: np.ndarray

    @property
    def parts(self) -> dict[str, np.ndarray]:
        """The embeddings that the model has, and the sum, by name."""
        named = {"word": self.word, "position": self.position, "segment": self.segment, "sum": self.sum}
        return {name: values for name, values in named.items() if values is not None}

    @property
    def lengths(self) -> dict[str, float]:
        """The mean length (L2 norm) of the rows of each part: a short one has little influence on the sum."""
        return {name: float(np.linalg.norm(values, axis=1).mean()) for name, values in self.parts.items()}

    @property
    def data(self) -> dict:
        """The numbers as lists, for JSON."""
        parts = {name: values.tolist() for name, values in self.parts.items()}
        return {"tokens": self.tokens, "mean_lengths": self.lengths, **parts}

    def plot(self) -> Figure:
        """Draw each part as a picture: a row is a token, a column is one of the E numbers of its vector."""
        parts, count = self.parts, len(self.tokens)
        limit = float(np.percentile(np.abs(np.concatenate(list(parts.values()))), 99))
        with style():
            figure, grid = new_panels(2, 2, 9.0, 1.6 + 2 * 0.19 * max(count, 6))
            for axes, (name, values) in zip(grid.flat, parts.items(), strict=False):
                draw_image(axes, values, limit)
                axes.set_title(name if name == "sum" else f"{name} embedding")
                axes.set_yticks(range(count), [escape(token) for token in self.tokens], fontsize=8)
                axes.set_xlabel(f"the {values.shape[1]} numbers of a vector")
            for axes in grid.flat[len(parts) :]:
                axes.set_axis_off()
            fix_layout(figure)
        lengths = ", ".join(f"{name} {length:.2f}" for name, length in self.lengths.items())
        caption = (
            "Rows: tokens; columns: the numbers of their vectors. Blue: positive; orange: negative; the strongest "
        )
        caption += (
            f"color is ±{limit:.2f} and beyond, the same in all pictures. Look at equal rows: the word embedding "
        )
        caption += "repeats where a token repeats"
        caption += ", the segment embedding within a segment. " if self.segment is not None else ". "
        caption += f"Mean lengths of the rows: {lengths}; the sum looks most like its longest part."
        return Figure(figure, caption, self.data, f"Matrices of the {', '.join(parts)} of the embeddings of a text")


def embeddings(pretrained, text: str, pair: str | None = None) -> EmbeddingSum:
    """Look up the word, position and segment embedding of each token of a text, and add them.

    Args:
        pretrained: what `kb.load_pretrained` returns, a model with a vectorizer, or a tuple of both.
        text: a string.
        pair: a second text, or None. Its tokens, and the [SEP] after them, are segment 1.

    Returns:
        An `EmbeddingSum`.

    Raises:
        InputError: a text has no token, or together they have more tokens than the model's rows.

    Example:

    >>> import keras_bert as kb
    >>> config = kb.BertConfig(vocab_size=7, hidden_size=8, num_layers=1, num_heads=2, intermediate_size=16)
    >>> encoder = kb.BertEncoder(config)
    >>> encoder.vectorizer = kb.BertTextVectorization(["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "a", "film"])
    >>> found = kb.explain.embeddings(encoder, "a film", "a film")
    >>> found.tokens, bool((found.segment[0] == found.segment[3]).all())
    (['[CLS]', 'a', 'film', '[SEP]', 'a', 'film', '[SEP]'], True)

    Source: Devlin et al. 2018 (arXiv:1810.04805), section 3, "Input/Output Representations", and figure 2.
    """
    opened = open_model(pretrained, special_tokens=())
    if pair is None:
        (found,) = tokenize_strings(opened, [text], "text")
    else:
        found = opened.tokenizer((text, pair), "text` and `pair")
    layer = opened.encoder.embeddings

    def lookup(table, numbers):
        rows = ops.embedding_lookup(table, keras.ops.convert_to_tensor([list(numbers)], dtype="int32"))  # [1, T, E]
        return keras.ops.convert_to_numpy(keras.ops.cast(rows, "float32"))[0]  # [T, E]

    word, position = lookup(layer.word_embeddings, found.ids), lookup(layer.position_embeddings, range(len(found.ids)))
    segment = None if layer.type_embeddings is None else lookup(layer.type_embeddings, found.types)
    return EmbeddingSum(found.tokens, word, position, segment, word + position + (0 if segment is None else segment))
