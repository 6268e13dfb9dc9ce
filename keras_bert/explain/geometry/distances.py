"""How far each layer moves its input."""

import dataclasses

import numpy as np

from keras_bert.explain.figures.figure import Figure
from keras_bert.explain.figures.panels import fix_layout, new_panels
from keras_bert.explain.figures.style import SERIES, style
from keras_bert.explain.geometry.projection import unit
from keras_bert.explain.texts.hidden_states import states_of


@dataclasses.dataclass(frozen=True)
class LayerDistances:
    """Differences between input and output of each layer, the result of `layer_distances`.

    Attributes:
        l2: float64 `[L]`, mean L2 distance of the two vectors of a token; index 0 is the first block.
        cosine: float64 `[L]`, mean cosine of the two.
        degrees: float64 `[L]`, mean angle between the two, in degrees.
        tokens: number of tokens that were averaged.
        special_tokens: whether [CLS] and [SEP] are among them.
    """

    l2: np.ndarray
    cosine: np.ndarray
    degrees: np.ndarray
    tokens: int
    special_tokens: bool

    @property
    def data(self) -> dict:
        """The numbers as lists, for JSON."""
        numbers = {"l2": self.l2.tolist(), "cosine": self.cosine.tolist(), "degrees": self.degrees.tolist()}
        return {**numbers, "tokens": self.tokens, "special_tokens": self.special_tokens}

    def plot(self) -> Figure:
        """Draw the L2 distance and the angle over the layers, as in figure 1 of the ALBERT paper."""
        x = np.arange(1, len(self.l2) + 1)
        with style():
            figure, grid = new_panels(1, 2, 7.4, 2.9)
            panels = (("L2 distance", self.l2, SERIES[0]), ("angle (degrees)", self.degrees, SERIES[1]))
            for axes, (name, values, color) in zip(grid[0], panels, strict=True):
                axes.plot(x, values, color=color, marker="o", markersize=4.5, linewidth=1.8)
                axes.set(xlabel="layer", ylabel=name, ylim=(0, 1.15 * max(values.max(), 1e-9)))
                axes.xaxis.get_major_locator().set_params(integer=True, min_n_ticks=1)
                axes.grid(axis="y", linewidth=0.6)
            fix_layout(figure)
        most, least = int(self.degrees.argmax()), int(self.degrees.argmin())
        caption = "Input and output of each layer, mean of "
        caption += f"{self.tokens:,} tokens{'' if self.special_tokens else ', [CLS] and [SEP] excluded'}. Look at "
        caption += "whether the lines reach 0: a layer there would return its input. The largest angle is that of "
        caption += f"layer {most + 1} ({self.degrees[most]:.0f}°, cosine {self.cosine[most]:.2f}), the smallest that "
        caption += f"of layer {least + 1} ({self.degrees[least]:.0f}°, cosine {self.cosine[least]:.2f})."
        return Figure(figure, caption, self.data, "Line plots of L2 distance and angle by layer")


def layer_distances(pretrained, texts: list[str], special_tokens: bool = False) -> LayerDistances:
    """Measure the L2 distance and the cosine between the input and the output of each layer.

    Args:
        pretrained: what `kb.load_pretrained` returns, a model with a vectorizer, or a tuple of both.
        texts: list of N strings.
        special_tokens: also average over [CLS] and [SEP].

    Returns:
        A `LayerDistances`.

    Raises:
        InputError: there is no text, or a text has no token or more tokens than the model's rows.

    Example:

    >>> import keras_bert as kb
    >>> config = kb.BertConfig(vocab_size=7, hidden_size=8, num_layers=3, num_heads=2, intermediate_size=16)
    >>> encoder = kb.BertEncoder(config)
    >>> encoder.vectorizer = kb.BertTextVectorization(["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "a", "film"])
    >>> found = kb.explain.layer_distances(encoder, ["a film", "film"])
    >>> found.tokens, found.l2.shape
    (3, (3,))

    Source: Lan et al. 2019 (arXiv:1909.11942), section 3.1, "Cross-layer parameter sharing", and figure 1.
    """
    rows, states = states_of(pretrained, texts)
    kept = [range(len(row.ids)) if special_tokens else range(1, len(row.ids) - 1) for row in rows]
    states = np.concatenate([state[:, list(places)] for state, places in zip(states, kept, strict=True)], 1)
    states = states.astype("float64")  # [L + 1, tokens, H]
    before, after = states[:-1], states[1:]  # [L, tokens, H]
    cosine = np.clip((unit(before) * unit(after)).sum(-1), -1, 1)  # [L, tokens]
    return LayerDistances(
        l2=np.linalg.norm(after - before, axis=-1).mean(1),
        cosine=cosine.mean(1),
        degrees=np.degrees(np.arccos(cosine)).mean(1),
        tokens=states.shape[1],
        special_tokens=special_tokens,
    )
