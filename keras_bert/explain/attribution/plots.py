"""Figures of attributions."""

import numpy as np

from keras_bert.explain.attribution.colored_text import percent
from keras_bert.explain.attribution.colors import NEGATIVE, POSITIVE
from keras_bert.explain.figures.figure import Figure
from keras_bert.explain.figures.style import GRID, INK, new_axes, style


def plot_attribution(attribution) -> Figure:
    """Draw the score of each token as a horizontal bar, the first token on top."""
    scores, tokens = attribution.scores, attribution.tokens
    with style():
        figure, axes = new_axes(4.7, 0.9 + 0.21 * len(tokens))
        places = np.arange(len(tokens))
        axes.barh(places, scores, color=[POSITIVE if score > 0 else NEGATIVE for score in scores])
        axes.axvline(0, color=INK, linewidth=0.8)
        axes.set_yticks(places, tokens)
        axes.set_ylim(len(tokens) - 0.4, -0.6)
        axes.set_xlabel(f"score for {attribution.target.name}")
        axes.grid(axis="x", linewidth=0.6)
        axes.tick_params(axis="y", length=0)
    best = int(np.argmax(np.abs(scores)))
    caption = f"{attribution.method} for the logit of {attribution.target.name}, {attribution.value:.2f}. "
    caption += f'The largest score, {scores[best]:+.2f}, is that of "{tokens[best]}".'
    if attribution.completeness_error is not None:
        caption += f" Completeness error: {percent(attribution)}."
    return Figure(figure, caption)


def plot_layers(layers) -> Figure:
    """Draw the scores as cells: rows are layers, the last one on top; columns are tokens."""
    from matplotlib.colors import to_rgb

    scores = layers.scores[::-1]  # [L + 1, T]
    shares = np.abs(scores) / max(np.abs(scores).max(), 1e-12)
    colors = [
        [(*to_rgb(POSITIVE if x > 0 else NEGATIVE), a) for x, a in zip(*rows, strict=True)]
        for rows in zip(scores, shares, strict=True)
    ]
    rows, columns = scores.shape
    with style():
        figure, axes = new_axes(1.6 + 0.27 * columns, 1.3 + 0.27 * rows)
        axes.imshow(colors, aspect="equal")
        axes.set_xticks(np.arange(columns + 1) - 0.5, minor=True)
        axes.set_yticks(np.arange(rows + 1) - 0.5, minor=True)
        axes.grid(which="minor", color=GRID, linewidth=0.5)
        axes.tick_params(which="both", length=0)
        axes.set_xticks(range(columns), layers.tokens, rotation=60, ha="left", rotation_mode="anchor")
        axes.xaxis.tick_top()
        axes.set_yticks(range(rows), [*map(str, range(rows - 1, 0, -1)), "embeddings"])
        axes.set_ylabel("layer")
        axes.spines[:].set_visible(False)
    first, errors = layers.layers[0], layers.completeness_errors
    caption = f"{first.method} for the logit of {first.target.name}: blue raises it, orange lowers it. "
    caption += f"Completeness error: at most {100 * errors.max():.2g} %."
    return Figure(figure, caption)
