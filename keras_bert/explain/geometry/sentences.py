"""How similar sentences are to each other: their cosines, and a 2-D map."""

import dataclasses

import numpy as np
from keras import ops

from keras_bert.errors import InputError
from keras_bert.explain.figures.figure import Figure
from keras_bert.explain.figures.panels import (
    draw_cells,
    draw_points,
    escape,
    fix_layout,
    new_panels,
    shorten,
    two_digits,
)
from keras_bert.explain.figures.style import style
from keras_bert.explain.geometry.projection import cosines, principal_components, unit
from keras_bert.explain.texts.hidden_states import tokenize_strings
from keras_bert.explain.texts.text_model import open_model
from keras_bert.models.pooling import pool_outputs

# Two groups of three sentences about one subject each; few words are in two of them.
MUSIC_AND_FOOD = (
    "The pianist practiced the sonata every evening.",
    "Her new album was recorded with a string quartet.",
    "Drums and guitars opened the concert.",
    "Add the onions and stir the soup slowly.",
    "He baked bread with rye flour and salt.",
    "The cheese tastes best with ripe pears.",
)
MUSIC_AND_FOOD_GROUPS = ("music",) * 3 + ("food",) * 3


@dataclasses.dataclass(frozen=True)
class SimilarityMap:
    """Similarity of N sentences, the result of `similarity_map`.

    Attributes:
        sentences: the sentences.
        groups: the group of each, or None.
        pool: how the vectors of a sentence's tokens became one vector, see `kb.embed`.
        vectors: float32 `[N, D]`.
        cosine: float64 `[N, N]`.
        nearest: int `[N]`, the most similar other sentence of each.
        points: float64 `[N, 2]`, the first two principal components of the vectors, each scaled to length 1.
        shares: float64 `[2]`, the components' shares of the variance.
    """

    sentences: list[str]
    groups: list[str] | None
    pool: str
    vectors: np.ndarray
    cosine: np.ndarray
    nearest: np.ndarray
    points: np.ndarray
    shares: np.ndarray

    @property
    def in_group(self) -> int | None:
        """Number of sentences whose most similar one is of their group; None without groups."""
        if self.groups is None:
            return None
        return sum(self.groups[i] == self.groups[j] for i, j in enumerate(self.nearest))

    @property
    def margin(self) -> float | None:
        """The least cosine in a group minus the greatest between two; above 0, a threshold separates the groups."""
        if self.groups is None or len(set(self.groups)) < 2:
            return None
        groups = np.asarray(self.groups)
        same = (groups[:, None] == groups[None]) & ~np.eye(len(groups), dtype=bool)  # [N, N]
        within = self.cosine[same].min() if same.any() else np.nan
        return float(within - self.cosine[groups[:, None] != groups[None]].max())

    @property
    def data(self) -> dict:
        """The numbers and texts as lists, for JSON, without the vectors."""
        numbers = {name: getattr(self, name).tolist() for name in ("cosine", "nearest", "points", "shares")}
        checks = {"in_group": self.in_group, "margin": self.margin}
        return {"sentences": self.sentences, "groups": self.groups, "pool": self.pool, **numbers, **checks}

    def plot(self) -> Figure:
        """Draw the cosines as a heat map, and the sentences as a 2-D map."""
        count = len(self.sentences)
        names = list(dict.fromkeys(self.groups or [""]))
        numbers = [names.index(group) for group in self.groups] if self.groups else None
        size = 0.42 * max(count, 6)
        others = self.cosine[~np.eye(count, dtype=bool)]
        texts = [[two_digits(value) for value in row] for row in self.cosine]
        with style():
            figure, grid = new_panels(1, 2, 2.9 + 2 * size + 0.6, 1.1 + size)
            left, right = grid[0]
            draw_cells(left, self.cosine, 1.0, texts, fontsize=7.5)
            labels = [f"{escape(shorten(sentence, 36))}  {i}" for i, sentence in enumerate(self.sentences, 1)]
            left.set_yticks(range(count), labels, fontsize=8)
            left.set_xticks(range(count), range(1, count + 1))
            left.set_title("cosine", loc="left")
            draw_points(right, self.points, numbers, names if self.groups else ())
            x, y = (f"component {i} ({share:.0%} of the variance)" for i, share in enumerate(self.shares, 1))
            right.set_xlabel(x, fontsize=8)
            right.set_ylabel(y, fontsize=8)
            right.set_title("map", loc="left")
            if len(names) > 1:
                figure.legend(*right.get_legend_handles_labels(), loc="outside upper right", ncols=4, frameon=False)
            fix_layout(figure)
        caption = f'Sentence vectors pooled by "{self.pool}". Stronger blue: higher cosine; between '
        caption += f"{others.min():.2f} and {others.max():.2f} for two different sentences. "
        if self.groups:
            caption += (
                f"Look for one dark square per group. The most similar sentence of {self.in_group} of {count} is "
            )
            caption += "of their own group"
            if self.margin is not None:
                caption += f"; the least cosine in a group minus the greatest between groups is {self.margin:+.2f}"
            caption += ". "
        else:
            caption += "Look for blue cells off the diagonal: sentences that the model takes for similar. "
        caption += "The map shows the two directions in which the sentences differ most."
        return Figure(figure, caption, self.data, f"Matrix of cosines and map of {count} sentences")


def similarity_map(
    pretrained, sentences: list[str], groups: list[str] | None = None, pool: str | None = None
) -> SimilarityMap:
    """Compare sentences by the cosine of their vectors.

    Nothing is random: the map is a singular value decomposition.

    Args:
        pretrained: what `kb.load_pretrained` returns, a model with a vectorizer, or a tuple of both.
        sentences: list of at least two strings.
        groups: the subject of each sentence, at most four different ones, for the colors and for the check of nearest
            neighbors.
        pool: as in `kb.embed`, which computes the same vectors. Default: what a sentence model declares, otherwise
            `"mean"`.

    Returns:
        A `SimilarityMap`.

    Raises:
        InputError: there are fewer than two sentences, `groups` has another length or more than four groups, `pool` is
            unknown, or a sentence has no token or more tokens than the model's rows.

    Example:

    >>> import keras_bert as kb
    >>> config = kb.BertConfig(vocab_size=8, hidden_size=8, num_layers=1, num_heads=2, intermediate_size=16)
    >>> encoder = kb.BertEncoder(config)
    >>> encoder.vectorizer = kb.BertTextVectorization(["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "a", "film", "b"])
    >>> found = kb.explain.similarity_map(encoder, ["a film", "b", "a film"])
    >>> found.pool, found.nearest[0].item(), round(found.cosine[0, 2].item(), 3)
    ('mean', 2, 1.0)

    Source: Reimers and Gurevych 2019 (arXiv:1908.10084), section 3, for the pooling.
    """
    opened = open_model(pretrained, special_tokens=())
    rows = tokenize_strings(opened, sentences, "sentences")
    if len(rows) < 2:
        raise InputError(f"`sentences` must have at least two sentences. Received: {len(rows)}")
    if groups is not None and (len(groups) != len(rows) or len(set(groups)) > 4):
        raise InputError(
            f"`groups` must be one name per sentence, at most four different ones. Received: {len(groups)} names for "
            f"{len(rows)} sentences, {len(set(groups))} different ones"
        )
    pool = pool or getattr(pretrained, "pool", None) or "mean"
    vectors = []
    for row in rows:  # one at a time: no padding
        inputs = {key: ops.convert_to_tensor(value) for key, value in row.inputs().items()}
        pooled = pool_outputs(opened.encoder(inputs, training=False), inputs["input_mask"], pool)  # [1, D]
        vectors.append(ops.convert_to_numpy(pooled)[0])
    vectors = np.stack(vectors)  # [N, D]
    cosine = cosines(vectors)
    points, shares = principal_components(unit(vectors))
    nearest = np.where(np.eye(len(rows), dtype=bool), -np.inf, cosine).argmax(1)
    groups = None if groups is None else [str(group) for group in groups]
    return SimilarityMap([row.text for row in rows], groups, pool, vectors, cosine, nearest, points, shares)
