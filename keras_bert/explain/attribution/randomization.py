"""The cascading randomization test: attributions must change when the weights of the model become random."""

import dataclasses
from collections.abc import Callable, Iterable

import numpy as np

from keras_bert.errors import InputError
from keras_bert.explain.attribution.context import Context, check_steps
from keras_bert.explain.attribution.explained_model import ExplainedModel, open_explained
from keras_bert.explain.attribution.methods import METHODS
from keras_bert.explain.figures.figure import Figure
from keras_bert.explain.figures.style import MARKERS, SERIES, new_axes, style
from keras_bert.explain.texts.tokenized_text import Text
from keras_bert.metrics.bootstrap import Bootstrap
from keras_bert.metrics.regression import spearman
from keras_bert.models.task_model import head_weights

TESTED = ("gradient", "gradient_x_input", "integrated_gradients")


@dataclasses.dataclass(frozen=True)
class Randomization:
    """The curves of `randomization_test`.

    Attributes:
        stages: S names: what is random, besides everything before it.
        means: method to S mean rank correlations.
        intervals: method to S 95 % bootstrap intervals `[low, high]` over the texts.
        count: the number of texts.
        settings: the steps, the seeds and the number of resamples.
    """

    stages: list[str]
    means: dict[str, list[float]]
    intervals: dict[str, list[list[float]]]
    count: int
    settings: dict

    def to_dict(self) -> dict:
        """Return all values as a dict, for JSON."""
        return dataclasses.asdict(self)

    def plot(self) -> Figure:
        """Draw one line for each method, with its interval."""
        with style():
            figure, axes = new_axes(1.5 + 0.75 * len(self.stages), 3.4)
            places = np.arange(len(self.stages))
            lowest = min(-0.35, np.min(list(self.intervals.values())) - 0.05)
            for (method, means), color, marker in zip(self.means.items(), SERIES, MARKERS, strict=False):
                low, high = np.transpose(self.intervals[method])
                axes.fill_between(places, low, high, color=color, alpha=0.18, linewidth=0)
                axes.plot(places, means, color=color, marker=marker, markersize=4.5, linewidth=1.8, label=method)
            axes.set_xticks(places, self.stages, rotation=40, ha="right", rotation_mode="anchor")
            axes.set(xlabel="random, with all before it", ylabel="rank correlation", ylim=(lowest, 1.05))
            axes.grid(axis="y", linewidth=0.6)
            figure.legend(loc="outside upper left", ncols=2, frameon=False)
        ends = "; ".join(f"{method}: {means[-1]:.2f}" for method, means in self.means.items())
        return Figure(
            figure,
            "Spearman correlation of the absolute scores of the trained model with those of a model whose layers are "
            f"random from the head down. With all layers random, {ends}.",
        )


def randomization_test(
    pretrained,
    texts: Iterable[Text],
    methods: Iterable[str] = TESTED,
    steps: int = 20,
    seeds: Iterable[int] = (0,),
    resamples: int = 1000,
    vectorizer=None,
    progress: Callable[[], None] | None = None,
) -> Randomization:
    """Compare attributions of a model with those of the same model with random weights, layer by layer from the head.

    First the head gets initial weights, then also the pooler, then also the last block, and so on to the embeddings.
    After each stage, the absolute scores of all tokens are compared with those of the trained model, by Spearman's rank
    correlation. A method whose correlation stays high describes the text more than the model. `gradient` is the score
    without the input factor, `gradient_x_input` the same with it. The target is the class that the trained model
    predicts.

    Args:
        pretrained, vectorizer: see `integrated_gradients`.
        texts: N texts or pairs of texts.
        methods: some of `"gradient"`, `"gradient_x_input"`, `"integrated_gradients"` and `"occlusion"`.
        steps: of integrated gradients.
        seeds: seeds of the initial weights. The correlation of a text is the mean over the seeds.
        resamples: number of resamples of the texts for the intervals, at least 100.
        progress: function that is called after each stage of each seed, or None.

    Returns:
        A `Randomization`: values with intervals. There is no threshold that a method would have to pass.

    Raises:
        InputError: an argument is not valid, or no text has two tokens with different scores.

    Example:

    >>> import keras_bert as kb
    >>> vectorizer = kb.BertTextVectorization(["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "fine", "film"])
    >>> config = kb.BertConfig(vocab_size=7, hidden_size=8, num_layers=1, num_heads=2, intermediate_size=16)
    >>> model = kb.BertClassifier(kb.BertEncoder(config))
    >>> found = randomization_test((model, vectorizer), ["fine film"], methods=["gradient"])
    >>> found.stages, found.means["gradient"][0]
    (['trained', 'head', 'pooler', 'block 1', 'embeddings'], 1.0)

    Source: Adebayo et al. 2018 (arXiv:1810.03292), section 3, the cascading test; Kokhlikyan et al. 2021
    (arXiv:2106.07475) on text and on the input factor.
    """
    explained = open_explained(pretrained, vectorizer, compiled=True)
    texts, methods, seeds = list(texts), list(methods), list(seeds)
    unknown = [method for method in methods if method not in METHODS]
    if unknown or not methods:
        raise InputError(f"`methods` must be some of {', '.join(METHODS)}. Received: {', '.join(unknown) or 'none'}")
    check_steps(steps)
    bootstrap = Bootstrap(resamples, 0)
    if not texts or not seeds:
        raise InputError(f"`texts` and `seeds` must not be empty. Received: {len(texts)} texts, {len(seeds)} seeds")
    contexts = [Context.create(explained, text) for text in texts]
    expected = _scores(contexts, explained, methods, steps)
    found, names = [], []
    for seed in seeds:
        rows, names = [], []
        for name, changed in random_stages(explained, seed):
            actual = expected if changed is explained else _scores(contexts, changed, methods, steps)
            rows.append(
                [
                    [_correlation(x, y) for x, y in zip(*pair, strict=True)]
                    for pair in zip(expected, actual, strict=True)
                ]
            )
            names.append(name)
            if progress is not None:
                progress()
        found.append(rows)
    values = np.nanmean(np.array(found, float), axis=0)  # [S, M, N]
    values = values[:, :, ~np.isnan(values).any((0, 1))]  # without texts whose tokens have equal scores
    if not values.shape[-1]:
        raise InputError("`texts` must have a text of which two tokens have different scores. Received: none")
    return _summary(values, names, methods, bootstrap, {"steps": steps, "seeds": seeds, "resamples": resamples})


def random_stages(explained: ExplainedModel, seed: int):
    """Yield the name and the model of each stage, first the trained model. Each stage changes the same copy."""
    yield "trained", explained
    copy = explained.model.with_encoder(explained.model.encoder.copy())
    changed = ExplainedModel(copy, explained.tokenizer, explained.compiled)  # its graphs read the weights at each call
    encoder, rng = copy.encoder, np.random.default_rng(seed)
    blocks = list(dict.fromkeys(encoder.blocks))  # ALBERT repeats one block
    groups = [("head", head_weights(copy))]
    if encoder.pooler is not None:
        groups.append(("pooler", encoder.pooler.weights))
    groups += [(f"block {i}", blocks[i - 1].weights) for i in range(len(blocks), 0, -1)]
    groups.append(("embeddings", encoder.embeddings.weights))
    for name, weights in groups:
        for weight in weights:
            weight.assign(_initial(weight, encoder.config.initializer_range, rng))
        yield name, changed


def _initial(weight, deviation: float, rng: np.random.Generator) -> np.ndarray:
    """Return initial values: as in BERT, a normal distribution cut at two standard deviations, zeros and ones."""
    if weight.name == "gamma":
        return np.ones(weight.shape, "float32")
    if weight.name in ("beta", "bias", "output_bias"):
        return np.zeros(weight.shape, "float32")
    values = rng.standard_normal(weight.shape)
    while (outside := np.abs(values) > 2).any():
        values[outside] = rng.standard_normal(int(outside.sum()))
    return (deviation * values).astype("float32")


def _scores(contexts: list[Context], explained: ExplainedModel, methods: list[str], steps: int) -> list[list]:
    """Return the absolute scores `[T]` of each method and text, for the targets of the contexts."""
    contexts = [dataclasses.replace(context, explained=explained) for context in contexts]
    return [[abs(METHODS[method](context, steps, "mask").scores) for context in contexts] for method in methods]


def _correlation(x: np.ndarray, y: np.ndarray) -> float:
    return spearman(x, y) if np.ptp(x) and np.ptp(y) else np.nan


def _summary(values: np.ndarray, names, methods, bootstrap: Bootstrap, settings: dict) -> Randomization:
    means, intervals = {}, {}
    for number, method in enumerate(methods):
        column = values[:, number]  # [S, N]
        means[method] = column.mean(-1).tolist()
        limits = bootstrap.intervals(lambda rows, c=column: dict(enumerate(c[:, rows].mean(-1))), column.shape[-1])
        intervals[method] = [limits["intervals"][i] for i in range(len(names))]
    return Randomization(names, means, intervals, values.shape[-1], settings)
