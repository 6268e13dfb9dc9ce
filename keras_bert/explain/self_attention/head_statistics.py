"""What the heads of a model attend to on average over many texts."""

import dataclasses
import inspect

import numpy as np

from keras_bert.errors import InputError
from keras_bert.explain.figures.figure import Figure
from keras_bert.explain.self_attention.text_attention import Attention, iterate_attention, positions_of
from keras_bert.explain.texts.text_model import open_model
from keras_bert.explain.texts.tokenized_text import as_list
from keras_bert.extras import require

PUNCTUATION = (".", ",")
SMOOTHING, DISTANCE_SMOOTHING = 0.0001, 0.001  # shares of the uniform distribution, of entropies and of distances
# Class of a head: the statistic and the value above which a head belongs to it. The first that applies counts.
CLASSES = {
    "next": ("next", 0.5),
    "previous": ("previous", 0.5),
    "[SEP]": ("sep", 0.6),
    "[CLS]": ("cls", 0.6),
    "broad": ("entropy", 3.8),
}


@dataclasses.dataclass(frozen=True)
class AttentionStatistics:
    """Statistics of the attention of each head over texts, without padding.

    Attributes:
        averages: a dict of name to float64 `[L, A]`, the mean over texts of the attention of a token to: `"self"`, the
            token itself; `"previous"` and `"next"`, its neighbors; `"cls"` and `"sep"`, the special tokens;
            `"punctuation"`, the tokens `.` and `,`. Also `"sep_to_sep"`, attention of a [SEP] to all [SEP], and
            `"other_to_sep"`, attention of a token that is no [SEP] to all [SEP].
        entropy: float64 `[L, A]`, mean entropy of the attention of a token, in nats.
        cls_entropy: float64 `[L, A]`, the same for [CLS] alone.
        uniform_entropy: the mean entropy of uniform attention, the largest possible value.
        distances: float64 `[L A, L A]`, mean Jensen-Shannon divergence between the attention of two heads for a token,
            in nats, from 0 to 0.69. Head a of layer l has the index l A + a, both from 0.
        texts: N, the number of texts.
        tokens: their number of tokens, with [CLS] and [SEP].
        truncated: how many of the texts were longer than `max_length`.
        distance_texts: the number of texts of `distances`.
    """

    averages: dict[str, np.ndarray]
    entropy: np.ndarray
    cls_entropy: np.ndarray
    uniform_entropy: float
    distances: np.ndarray
    texts: int
    tokens: int
    truncated: int
    distance_texts: int

    def classes(self) -> np.ndarray:
        """Return the class of each head, an array of strings `[L, A]`.

        The classes are those of the paper: `"next"` and `"previous"`, above 0.5 of the attention; `"[SEP]"` and
        `"[CLS]"`, above 0.6; `"broad"`, an entropy above 3.8 nats, which is far from uniform for 128 tokens (4.85) and
        out of reach for texts of fewer than 45; else `"other"`.
        """
        found = np.full(self.entropy.shape, "other", dtype="<U8")
        for name, (statistic, least) in reversed(CLASSES.items()):
            values = self.entropy if statistic == "entropy" else self.averages[statistic]
            found[values > least] = name
        return found

    def mds(self, seed: int = 0) -> np.ndarray:
        """Place the heads in a plane so that their distances are as close as possible to `distances`.

        Args:
            seed: of the first positions.

        Returns:
            Float64 `[L A, 2]`.

        Raises:
            InputError: scikit-learn is not installed.

        Source: multidimensional scaling, `sklearn.manifold.MDS`; Clark et al. 2019 (arXiv:1906.04341), section 6.
        """
        algorithm = require("sklearn.manifold", "the map of heads").MDS
        if "metric_mds" in inspect.signature(algorithm).parameters:  # scikit-learn 1.8 renamed the arguments
            settings = {"metric": "precomputed", "init": "random"}
        else:
            settings = {"dissimilarity": "precomputed", "normalized_stress": "auto"}
        return algorithm(n_components=2, n_init=4, random_state=seed, **settings).fit_transform(self.distances)

    def to_dict(self) -> dict:
        """Return the statistics as values of JSON, with the classes, without `distances`."""
        found = {"texts": self.texts, "tokens": self.tokens, "truncated": self.truncated}
        found["averages"] = {name: values.tolist() for name, values in self.averages.items()}
        found |= {"entropy": self.entropy.tolist(), "cls_entropy": self.cls_entropy.tolist()}
        return found | {"uniform_entropy": self.uniform_entropy, "classes": self.classes().tolist()}

    def figure(self) -> Figure:
        """Plot the averages and the entropy over the layers; `head_plots.statistics_over_layers`."""
        from keras_bert.explain.self_attention.head_plots import statistics_over_layers

        return statistics_over_layers(self)

    def map_figure(self, seed: int = 0) -> Figure:
        """Plot the heads in a plane; `head_plots.head_map` describes it."""
        from keras_bert.explain.self_attention.head_plots import head_map

        return head_map(self, seed)


def attention_statistics(
    pretrained, texts, max_length: int | None = None, distance_texts: int = 100, on_text=None
) -> AttentionStatistics:
    """Compute what each head attends to on average, and how similar the heads are.

    All averages are first taken over the tokens of a text, and then over the texts. Padding is not counted.

    Args:
        pretrained: as in `attention`.
        texts: list of N strings or (first, second) tuples.
        max_length: T, in tokens, to which longer texts are cut. The default is 128, or the positions of the model if
            they are fewer.
        distance_texts: the number of texts, from the first one, whose attention is compared between heads. That takes
            most of the time.
        on_text: called with the number of texts that are done, for a progress bar.

    Returns:
        An `AttentionStatistics`.

    Raises:
        InputError: a text is empty, `max_length` is less than 5 or more than the positions of the model, or
            `distance_texts` is less than 1.

    Example:

    >>> import keras_bert as kb
    >>> vectorizer = kb.BertTextVectorization(["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "a", "film", "."])
    >>> config = kb.BertConfig(vocab_size=8, hidden_size=8, num_layers=3, num_heads=2, intermediate_size=16)
    >>> model = kb.BertEncoder(config), vectorizer
    >>> statistics = kb.explain.attention_statistics(model, ["a film.", "a film, a film"])
    >>> statistics.averages["sep"].shape, statistics.distances.shape
    ((3, 2), (6, 6))

    Source: Clark et al. 2019 (arXiv:1906.04341), sections 3 and 6; `General_Analysis.ipynb` and `head_distances.py` of
    github.com/clarkkev/attention-analysis.
    """
    texts, _ = as_list(texts)
    opened = open_model(pretrained)
    positions = positions_of(opened)
    max_length = min(128, positions) if max_length is None else max_length
    for name, value, least, most in (
        ("max_length", max_length, 5, positions),
        ("distance_texts", distance_texts, 1, None),
    ):
        if isinstance(value, bool) or not isinstance(value, int) or value < least or (most and value > most):
            limit = f"from {least} to {most}, the positions of the model" if most else f"at least {least}"
            raise InputError(f"`{name}` must be an integer {limit}. Received: {name}={value!r:.40}")
    rows = opened.tokenize(texts, max_length=max_length, truncate=True)
    order = sorted(range(len(rows)), key=lambda number: len(rows[number].ids))  # batches of similar length
    totals, distances, tokens = None, 0.0, 0
    for done, (number, each) in enumerate(
        zip(order, iterate_attention(opened, [rows[number] for number in order]), strict=True), 1
    ):
        values = text_statistics(each)
        totals = values if totals is None else {name: totals[name] + values[name] for name in totals}
        if number < distance_texts:
            distances = distances + head_distances(each.maps)  # [L A, L A], a sum over tokens
            tokens += len(each.tokens)
        if on_text:
            on_text(done)
    means = {name: total / len(rows) for name, total in totals.items()}
    return AttentionStatistics(
        entropy=means.pop("entropy"),
        cls_entropy=means.pop("cls_entropy"),
        uniform_entropy=float(means.pop("uniform_entropy")),
        averages=means,
        distances=distances / tokens,
        texts=len(rows),
        tokens=sum(len(row.ids) for row in rows),
        truncated=sum(row.truncated for row in rows),
        distance_texts=min(distance_texts, len(rows)),
    )


def text_statistics(attention: Attention) -> dict[str, np.ndarray]:
    """Compute the averages over the tokens of one text, float64 `[L, A]` each; `AttentionStatistics` has the names."""
    maps = attention.maps.astype("float64")  # [L, A, T, T]
    length = len(attention.tokens)
    tokens = np.array(attention.tokens)
    is_sep, rest = tokens == "[SEP]", tokens != "[SEP]"  # [T]
    to_sep = maps[..., is_sep].sum(-1)  # [L, A, T]
    smooth = (1 - SMOOTHING) * maps + SMOOTHING / length  # [L, A, T, T]
    entropy = -(smooth * np.log(smooth)).sum(-1)  # [L, A, T]
    return {
        "self": np.trace(maps, axis1=2, axis2=3) / length,
        "previous": np.trace(maps, offset=-1, axis1=2, axis2=3) / length,
        "next": np.trace(maps, offset=1, axis1=2, axis2=3) / length,
        "cls": maps[..., tokens == "[CLS]"].sum((-1, -2)) / length,
        "sep": to_sep.mean(-1),
        "sep_to_sep": to_sep[..., is_sep].mean(-1),
        "other_to_sep": to_sep[..., rest].mean(-1),
        "punctuation": maps[..., np.isin(tokens, PUNCTUATION)].sum((-1, -2)) / length,
        "entropy": entropy.mean(-1),
        "cls_entropy": entropy[..., 0],
        "uniform_entropy": np.log(length),
    }


def head_distances(maps: np.ndarray) -> np.ndarray:
    """Compute the Jensen-Shannon divergence between the attention of all pairs of heads, as a sum over the queries.

    JS(p, q) = H((p + q) / 2) - (H(p) + H(q)) / 2, of smoothed probabilities, in nats.

    Args:
        maps: float `[L, A, T, T]`.

    Returns:
        Float64 `[L A, L A]`, symmetric with zeros on the diagonal.
    """
    length = maps.shape[-1]
    flat = maps.reshape(-1, length, length).astype("float64")  # [L A, T, T]
    flat = (1 - DISTANCE_SMOOTHING) * flat + DISTANCE_SMOOTHING / length
    entropy = -(flat * np.log(flat)).sum((1, 2))  # [L A]
    distances = np.zeros((len(flat), len(flat)))
    for head in range(len(flat) - 1):
        middle = (flat[head] + flat[head + 1 :]) / 2  # [rest, T, T]
        mixed = -(middle * np.log(middle)).sum((1, 2))  # [rest]
        distances[head, head + 1 :] = mixed - (entropy[head] + entropy[head + 1 :]) / 2
    return np.maximum(distances + distances.T, 0.0)
