"""One word in several sentences: how its vectors differ, layer by layer."""

import dataclasses
import re

import numpy as np

from keras_bert.errors import InputError
from keras_bert.explain.figures.figure import Figure
from keras_bert.explain.figures.panels import draw_points, fix_layout, layer_ticks, new_panels
from keras_bert.explain.figures.style import INK, style
from keras_bert.explain.geometry.projection import cosines, principal_components
from keras_bert.explain.texts.hidden_states import check_layers, states_of
from keras_bert.explain.texts.tokenized_text import TokenizedText


@dataclasses.dataclass(frozen=True)
class WordInContext:
    """The vectors of one word in N places, the result of `word_in_context`.

    Attributes:
        word: the word.
        sentences: the sentence of each place.
        groups: the group of each place, or None.
        layers: the K layers; 0 is the embeddings.
        vectors: float32 `[K, N, H]`, the mean of the word's tokens.
        cosine: float64 `[K, N, N]`, the cosine of each pair of places.
        points: float64 `[K, N, 2]`, the first two principal components of each layer.
    """

    word: str
    sentences: list[str]
    groups: list[str] | None
    layers: list[int]
    vectors: np.ndarray
    cosine: np.ndarray
    points: np.ndarray

    @property
    def within(self) -> np.ndarray:
        """Mean cosine of the pairs of places in one group, float64 `[K]`; of all pairs without groups."""
        return self._mean(same=True)

    @property
    def between(self) -> np.ndarray:
        """Mean cosine of the pairs of places in two groups, float64 `[K]`; NaN where there is no such pair."""
        return self._mean(same=False)

    def _mean(self, same: bool) -> np.ndarray:
        groups = np.asarray(self.groups if self.groups is not None else [""] * len(self.sentences))
        chosen = (groups[:, None] == groups[None]) == same
        chosen &= ~np.eye(len(groups), dtype=bool)  # [N, N]
        return self.cosine[:, chosen].mean(-1) if chosen.any() else np.full(len(self.cosine), np.nan)

    @property
    def data(self) -> dict:
        """The numbers as lists, for JSON, without the vectors; None in place of NaN."""
        return {
            "word": self.word,
            "sentences": self.sentences,
            "groups": self.groups,
            "layers": self.layers,
            "cosine": self.cosine.tolist(),
            "points": self.points.tolist(),
            "within": [_number(value) for value in self.within],
            "between": [_number(value) for value in self.between],
        }

    def plot(self) -> Figure:
        """Draw a 2-D map of the places for each layer, and the mean cosines over the layers."""
        names = list(dict.fromkeys(self.groups or [""]))
        numbers = [names.index(group) for group in self.groups] if self.groups else None
        panels = len(self.layers) + 1
        columns = min(4, panels)
        rows = -(-panels // columns)
        with style():
            figure, grid = new_panels(rows, columns, 2.3 * columns, 2.3 * rows + 0.5)
            for axes, layer, points in zip(grid.flat, self.layers, self.points, strict=False):
                draw_points(axes, points, numbers, names if self.groups else ())
                axes.set_title(f"layer {layer}" if layer else "embeddings")
            axes = grid[-1, -1]  # in the last column, so that its numbers at the right move no map
            lines = [("in one group", self.within), ("in two groups", self.between)]
            for (name, values), line in zip(lines[: 1 + (len(names) > 1)], ("-", "--"), strict=False):
                axes.plot(self.layers, values, line, color=INK, marker=".", linewidth=1.5, label=name)
            axes.set_title("mean cosine")
            layer_ticks(axes, max(self.layers))
            axes.set(ylim=(min(0, np.nanmin(self.cosine)), 1.03), xlabel="layer")
            axes.yaxis.tick_right()
            axes.spines["left"].set_visible(False)
            axes.spines["right"].set_visible(True)
            for axes in grid.flat[len(self.layers) : -1]:
                axes.set_axis_off()
            if len(names) > 1:
                handles, labels = grid.flat[0].get_legend_handles_labels()
                more, texts = grid[-1, -1].get_legend_handles_labels()
                figure.legend(
                    handles + more,
                    labels + texts,
                    loc="outside upper left",
                    ncols=4 if columns > 2 else 2,
                    frameon=False,
                )
            fix_layout(figure)
        alt = f'Maps of the vectors of "{self.word}" in {len(self.layers)} layers, and line plot of mean cosines'
        return Figure(figure, self._caption(names), self.data, alt)

    def _caption(self, names: list[str]) -> str:
        places = "; ".join(f"{i}: {sentence}" for i, sentence in enumerate(self.sentences, 1))
        caption = f'"{self.word}" in {len(self.sentences)} places; each map has the first two principal components of '
        caption += "one layer, with its own scale. "
        if len(names) > 1:
            caption += f"Look at whether the groups ({', '.join(names)}) move apart: mean cosine in one group and in "
            first, last = ([line[i] for line in (self.within, self.between)] for i in (0, -1))
            caption += f"two groups {first[0]:.2f} and {first[1]:.2f} in layer {self.layers[0]}, "
            caption += f"{last[0]:.2f} and {last[1]:.2f} in layer {self.layers[-1]}. "
        else:
            caption += f"Mean cosine of two places: {self.within[0]:.2f} in layer {self.layers[0]}, "
            caption += f"{self.within[-1]:.2f} in layer {self.layers[-1]}. "
        return f"{caption}{places}"


def word_in_context(
    pretrained, sentences: list[str], word: str, groups: list[str] | None = None, layers: list[int] | None = None
) -> WordInContext:
    """Compare the vectors of one word in several sentences, layer by layer.

    In layer 0 they differ by their positions only. Each occurrence of the word in a sentence counts, capitals or not.

    Args:
        pretrained: what `kb.load_pretrained` returns, a model with a vectorizer, or a tuple of both.
        sentences: list of strings with the word; together at least two occurrences.
        word: the word, or several words.
        groups: the sense of the word in each sentence, such as `"river"` and `"money"`: at most four different ones.
        layers: the layers, 0 (embeddings) to L. Default: all.

    Returns:
        A `WordInContext`.

    Raises:
        InputError: a sentence does not contain the word, has no token, or is longer than the model's rows; there are
            fewer than two occurrences; `groups` has another length or more than four groups; a layer does not exist.

    Example:

    >>> import keras_bert as kb
    >>> config = kb.BertConfig(vocab_size=8, hidden_size=8, num_layers=1, num_heads=2, intermediate_size=16)
    >>> encoder = kb.BertEncoder(config)
    >>> encoder.vectorizer = kb.BertTextVectorization(["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "a", "bank", "of"])
    >>> kb.explain.word_in_context(encoder, ["a bank", "bank of a bank"], "bank").cosine.shape
    (2, 3, 3)

    Source: Reif et al. 2019 (arXiv:1906.02715), section 4, for maps of the senses of a word.
    """
    if not isinstance(word, str) or not word.strip():
        raise InputError(f"`word` must be a word. Received: word={word!r:.40}")
    rows, states = states_of(pretrained, sentences, "sentences")
    if groups is not None and (len(groups) != len(rows) or len(set(groups)) > 4):
        raise InputError(
            f"`groups` must be one name per sentence, at most four different ones. Received: {len(groups)} names for "
            f"{len(rows)} sentences, {len(set(groups))} different ones"
        )
    layers = check_layers(layers, len(states[0]) - 1)
    vectors, found, senses = [], [], []
    for i, (row, state) in enumerate(zip(rows, states, strict=True)):
        for positions in _occurrences(row, word):
            vectors.append(state[layers][:, positions].mean(1))  # [K, H]
            found.append(row.text)
            senses.append(None if groups is None else str(groups[i]))
    if len(found) < 2:
        raise InputError(f"`sentences` must contain {word!r} at least twice. Received: 1 occurrence")
    vectors = np.stack(vectors, 1)  # [K, N, H]
    points = np.stack([principal_components(layer)[0] for layer in vectors])  # [K, N, 2]
    return WordInContext(word, found, senses if groups is not None else None, layers, vectors, cosines(vectors), points)


def _number(value) -> float | None:
    return float(value) if np.isfinite(value) else None


def _occurrences(text: TokenizedText, word: str) -> list[list[int]]:
    """Return the positions of the tokens of each occurrence of a word.

    Raises:
        InputError: there is none.
    """
    pattern = rf"(?<!\w){re.escape(word.strip())}(?!\w)"
    found = []
    for match in re.finditer(pattern, text.text, re.IGNORECASE):
        places = enumerate(text.spans[1:-1], 1)  # without [CLS] and [SEP]
        inside = [i for i, (start, end) in places if start < match.end() and end > match.start()]
        if inside:
            found.append(inside)
    if not found:
        raise InputError(f"`sentences` must each contain the word {word!r}. Received: {text.text[:80]!r}")
    return found
