"""How well attention, rollout and flow agree with leave-one-out."""

import dataclasses

import numpy as np

from keras_bert.errors import InputError
from keras_bert.explain.attribution.context import Context
from keras_bert.explain.attribution.explained_model import ExplainedModel, open_explained
from keras_bert.explain.attribution.occlusion import leave_one_out
from keras_bert.explain.attribution.target import class_target
from keras_bert.explain.figures.figure import Figure
from keras_bert.explain.figures.style import SERIES, new_axes, style
from keras_bert.explain.self_attention.rollout import attention_flow, attention_rollout
from keras_bert.explain.self_attention.text_attention import iterate_attention, positions_of
from keras_bert.explain.texts.text_model import open_model
from keras_bert.explain.texts.tokenized_text import TokenizedText, as_list
from keras_bert.extras import require
from keras_bert.models import BertClassifier

METHODS = ("attention", "rollout", "flow")
FEWEST_TOKENS = 3  # of a text, without special tokens: a rank correlation of fewer says nothing


@dataclasses.dataclass(frozen=True)
class AttentionCorrelations:
    """Spearman rank correlations between leave-one-out and three measures of attention, for each layer.

    Attributes:
        values: a dict of `"attention"`, `"rollout"` and `"flow"` to float64 `[N, L]`: text, layer. NaN where all tokens
            have the same value.
        texts: N, the number of texts that were compared.
        skipped: how many texts had too few tokens.
    """

    values: dict[str, np.ndarray]
    texts: int
    skipped: int

    def means(self) -> dict[str, np.ndarray]:
        """Return the mean over texts of each measure, float64 `[L]`."""
        return {name: np.nanmean(values, 0) for name, values in self.values.items()}

    def errors(self) -> dict[str, np.ndarray]:
        """Return the standard error of each mean, float64 `[L]`; NaN for a single text."""
        counts = {name: np.isfinite(values).sum(0) for name, values in self.values.items()}
        return {
            name: np.where(counts[name] > 1, np.nanstd(values, 0) / np.sqrt(np.maximum(counts[name] - 1, 1)), np.nan)
            for name, values in self.values.items()
        }

    def figure(self) -> Figure:
        """Plot the mean correlation of each measure over the layers, with its standard error.

        Returns:
            A `Figure`. Its data are the `means` and `errors` of each measure, L numbers each.
        """
        means, errors = self.means(), self.errors()
        layers = len(means["attention"])
        with style():
            figure, axes = new_axes(4.7, 3.2)
            for name, color, marker, shift in zip(METHODS, SERIES, "os^", (-0.06, 0.0, 0.06), strict=False):
                bars = np.nan_to_num(errors[name])
                x = np.arange(1, layers + 1) + shift
                axes.errorbar(x, means[name], bars, color=color, marker=marker, capsize=2.5, markersize=5, label=name)
            axes.axhline(0, color=axes.xaxis.label.get_color(), linewidth=0.8)
            axes.set(xlabel="layer", ylabel="rank correlation", xlim=(0.5, layers + 0.5))
            axes.xaxis.get_major_locator().set_params(integer=True, min_n_ticks=1)
            axes.grid(axis="y", linewidth=0.6)
            figure.legend(loc="outside upper left", ncols=3, frameon=False)
        caption = f"Rank correlation with leave-one-out, mean and standard error over {self.texts:,} texts. "
        caption += "At 0, the attention of [CLS] does not tell which tokens the prediction needs. In the last layer: "
        caption += ", ".join(f"{name} {means[name][-1]:.2f}" for name in METHODS)
        data = {"means": means, "errors": {name: np.nan_to_num(each) for name, each in errors.items()}}
        return Figure(figure, f"{caption}.", {key: {n: v.tolist() for n, v in d.items()} for key, d in data.items()})


def attention_correlations(pretrained, texts, absolute: bool = False, on_text=None) -> AttentionCorrelations:
    """Compare the attention of [CLS] to each token with the effect of the token on the prediction.

    The effect is leave-one-out: how much the logit of the predicted class drops when the token is replaced with [MASK].
    It is compared with the attention of [CLS], averaged over the heads, with attention rollout and with attention flow,
    for each layer. Special tokens are left out. Texts of fewer than 3 tokens are skipped.

    Args:
        pretrained: as in `attention`; the model must be a `BertClassifier`.
        texts: list of strings or (first, second) tuples.
        absolute: compare with the size of the change in either direction. Attention has no sign.
        on_text: called with the number of texts that are done, for a progress bar.

    Returns:
        An `AttentionCorrelations`.

    Raises:
        InputError: the model is no classifier with classes, a text is empty or longer than the positions, all texts
            have too few tokens, or SciPy is not installed.

    Example:

    >>> import keras_bert as kb
    >>> vectorizer = kb.BertTextVectorization(["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "a", "film", "."])
    >>> config = kb.BertConfig(vocab_size=8, hidden_size=8, num_layers=2, num_heads=2, intermediate_size=16)
    >>> model = kb.BertClassifier(kb.BertEncoder(config)), vectorizer
    >>> kb.explain.attention_correlations(model, ["a film . a", "film film a ."]).values["flow"].shape
    (2, 2)

    Source: Abnar and Zuidema 2020 (arXiv:2005.00928), section 4; Spearman's rank correlation of SciPy.
    """
    spearman = require("scipy.stats", "rank correlations").spearmanr
    texts, _ = as_list(texts)
    opened = open_model(pretrained)
    if not _has_classes(opened.model):
        raise InputError(
            f"`pretrained` must be a classifier with classes. Received: a {type(opened.model).__name__} of kind "
            f"{getattr(opened.model, 'problem_type', None) or opened.kind}"
        )
    explained = open_explained(opened)
    rows = opened.tokenize(texts, max_length=positions_of(opened))
    long = [row for row in rows if len(_places(row)) >= FEWEST_TOKENS]
    if not long:
        raise InputError(f"`texts` must have a text of at least {FEWEST_TOKENS} tokens. Received: {len(rows)} shorter")
    values = {name: [] for name in METHODS}
    for done, (row, attention) in enumerate(zip(long, iterate_attention(opened, long), strict=True), 1):
        places = _places(row)
        effects = _leave_one_out(explained, row)[places]  # [P]
        effects = np.abs(effects) if absolute else effects
        layers = range(1, len(attention.maps) + 1)
        measures = {
            "attention": attention.maps.mean(1)[:, 0],  # [L, T], of [CLS]
            "rollout": attention_rollout(attention)[:, 0],  # [L, T]
            "flow": np.concatenate([attention_flow(attention, layer, [0]) for layer in layers]),  # [L, T]
        }
        for name, scores in measures.items():
            varies = [np.ptp(each[places]) > 0 and np.ptp(effects) > 0 for each in scores]  # else it is undefined
            found = [
                spearman(each[places], effects).statistic if defined else np.nan
                for each, defined in zip(scores, varies, strict=True)
            ]
            values[name].append(found)
        if on_text:
            on_text(done)
    arrays = {name: np.array(each, "float64") for name, each in values.items()}
    return AttentionCorrelations(arrays, len(long), len(rows) - len(long))


def attention_measures(pretrained, text, most_flow_tokens: int | None = None) -> tuple[list[str], dict]:
    """Compute what [CLS] attends to in the last layer, for each token of one text.

    Args:
        pretrained: as in `attention`.
        text: a string or a (first, second) tuple.
        most_flow_tokens: T above which flow is left out, because it takes long. None computes it for any text.

    Returns:
        The T tokens, and a dict of lists of T numbers: `"attention"`, the mean over the heads; `"rollout"`; `"flow"`;
        of a classifier with classes also `"leave-one-out"`, how much the logit of the predicted class drops when the
        token is replaced with [MASK], and 0 for [CLS] and [SEP], which are not replaced.

    Raises:
        InputError: the text is empty or longer than the positions.

    Example:

    >>> import keras_bert as kb
    >>> vectorizer = kb.BertTextVectorization(["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "a", "film"])
    >>> config = kb.BertConfig(vocab_size=7, hidden_size=8, num_layers=2, num_heads=2, intermediate_size=16)
    >>> tokens, measures = attention_measures((kb.BertClassifier(kb.BertEncoder(config)), vectorizer), "a film")
    >>> tokens, list(measures)
    (['[CLS]', 'a', 'film', '[SEP]'], ['attention', 'rollout', 'flow', 'leave-one-out'])
    """
    opened = open_model(pretrained)
    row = opened.tokenizer(text, max_length=positions_of(opened))
    (attention,) = iterate_attention(opened, [row])
    measures = {"attention": attention.maps[-1, :, 0].mean(0), "rollout": attention_rollout(attention)[-1, 0]}  # [T]
    if most_flow_tokens is None or len(row.ids) <= most_flow_tokens:
        measures["flow"] = attention_flow(attention, queries=[0])[0]  # [T]
    if _has_classes(opened.model):
        measures["leave-one-out"] = _leave_one_out(open_explained(opened), row)
    return row.tokens, {name: values.tolist() for name, values in measures.items()}


def _has_classes(model) -> bool:
    return isinstance(model, BertClassifier) and model.problem_type != "regression"


def _places(text: TokenizedText) -> np.ndarray:
    """Return the numbers of the tokens of the text, without [CLS] and [SEP]."""
    return np.flatnonzero(~text.is_special)


def _leave_one_out(explained: ExplainedModel, text: TokenizedText) -> np.ndarray:
    """Compute how much the logit of the predicted class drops when a token is replaced with [MASK], float64 `[T]`."""
    return leave_one_out(Context(explained, text, class_target(explained, text)), "mask").scores
