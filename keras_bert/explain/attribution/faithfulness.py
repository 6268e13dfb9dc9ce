"""How well attributions describe a model: the ERASER metrics, the correlation with leave-one-out, and the time."""

import dataclasses
import time
from collections.abc import Callable, Iterable

import numpy as np

from keras_bert.errors import InputError
from keras_bert.explain.attribution.context import Context, check_steps
from keras_bert.explain.attribution.explained_model import ExplainedModel, open_explained
from keras_bert.explain.attribution.methods import METHODS, UNSIGNED, attention_scores, random_scores
from keras_bert.explain.attribution.occlusion import check_mode, leave_one_out, reduced_inputs
from keras_bert.explain.texts.tokenized_text import Text
from keras_bert.metrics.bootstrap import Bootstrap
from keras_bert.metrics.regression import kendall

SHARES = (0.01, 0.05, 0.1, 0.2, 0.5)  # of the tokens, rounded up: the bins of ERASER
METRICS = ("completeness_error", "comprehensiveness", "sufficiency", "leave_one_out_tau", "seconds", "forward_passes")
MEDIANS = ("completeness_error", "seconds", "forward_passes")  # a few large values would hide the typical one
ROWS = (*METHODS, "attention", "random")


@dataclasses.dataclass(frozen=True)
class Faithfulness:
    """The table of `faithfulness`.

    Attributes:
        rows: method to metric to value, or None where it is not defined: the median of `completeness_error`, `seconds`
            and `forward_passes`, the mean of the other metrics.
        intervals: method to metric to the 95 % bootstrap interval `[low, high]` over the texts.
        count: the number of texts.
        settings: the mode, the steps, the seed and the number of resamples.
    """

    rows: dict[str, dict]
    intervals: dict[str, dict]
    count: int
    settings: dict

    def to_dict(self) -> dict:
        """Return all values as a dict, for JSON."""
        return dataclasses.asdict(self)

    def table(self) -> tuple[tuple[str, ...], list[tuple[str, ...]]]:
        """Return the headings and the cells of the table, as text."""
        rows = []
        for method, values in self.rows.items():
            cells = [_cell(name, values[name], self.intervals[method].get(name)) for name in METRICS]
            rows.append((method, *cells))
        return ("method", *(name.replace("_", " ") for name in METRICS)), rows


def faithfulness(
    pretrained,
    texts: Iterable[Text],
    methods: Iterable[str] = ROWS,
    mode: str = "delete",
    steps: int = 50,
    seed: int = 0,
    resamples: int = 1000,
    vectorizer=None,
    progress: Callable[[], None] | None = None,
) -> Faithfulness:
    """Measure how faithful attributions are to a classifier, for its predicted classes.

    For each text and method, the tokens are ranked by their scores; [CLS] and [SEP] always stay.

    - `comprehensiveness`: how much the probability of the predicted class falls without the highest tokens; higher is
      better. `sufficiency`: how much it falls with only these tokens; lower is better. Both are means over the highest
      1, 5, 10, 20 and 50 % of the tokens, at least one (AOPC).
    - `leave_one_out_tau`: Kendall's tau-b of the scores and those of `occlusion` with the same mode; of its absolute
      values for methods without signs.
    - `completeness_error`: see `Attribution`. `seconds`: time for one text. `forward_passes`: this time, divided by
      that of one forward pass of the text.

    The rows `attention` and `random` are no attributions: a method must be better than they are. `occlusion` leaves out
    tokens as the metrics do, which favors it.

    Args:
        pretrained, vectorizer: see `integrated_gradients`; the model must be a classifier.
        texts: N texts or pairs of texts.
        methods: some of `"integrated_gradients"`, `"gradient_x_input"`, `"gradient"`, `"occlusion"`, `"attention"` and
            `"random"`.
        mode: how tokens are left out: `"delete"`, as in ERASER, or `"mask"`.
        steps: of integrated gradients.
        seed: of the random scores and of the bootstrap.
        resamples: number of resamples of the texts for the intervals, at least 100.
        progress: function that is called after each text, or None.

    Returns:
        A `Faithfulness`.

    Raises:
        InputError: the model is no classifier, there are no texts, or an argument is not valid.

    Example:

    >>> import keras_bert as kb
    >>> vectorizer = kb.BertTextVectorization(["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "fine", "film"])
    >>> config = kb.BertConfig(vocab_size=7, hidden_size=8, num_layers=1, num_heads=2, intermediate_size=16)
    >>> model = kb.BertClassifier(kb.BertEncoder(config))
    >>> found = faithfulness((model, vectorizer), ["fine film", "film film"], methods=["gradient", "random"])
    >>> list(found.rows), found.count
    (['gradient', 'random'], 2)

    Source: DeYoung et al. 2020 (arXiv:1911.03429), section 4.2, equations 1 to 3; Attanasio et al. 2022
    (arXiv:2208.01575) for the correlation with leave-one-out.
    """
    explained, texts, methods = open_explained(pretrained, vectorizer, compiled=True), list(texts), list(methods)
    bootstrap = Bootstrap(resamples, seed)
    if not texts:
        raise InputError("`texts` must have at least one text. Received: none")
    measured = []
    for number, text in enumerate(texts):
        try:
            measured.append(measure_text(explained, text, methods, mode, steps, [seed, number]))
        except InputError as error:
            raise InputError(f"{str(error).removesuffix('.')}. This is text {number + 1} of {len(texts)}.") from None
        if progress is not None:
            progress()
    return summarize(measured, bootstrap, mode=mode, steps=steps)


def measure_text(explained: ExplainedModel, text: Text, methods=ROWS, mode="delete", steps=50, seed=(0, 0)) -> dict:
    """Measure all metrics of one text.

    Returns:
        A dict of method to metric to number or None.
    """
    _check(explained, methods, mode, steps)
    is_first = explained.compiled and not explained.graphs
    context = Context.create(explained, text)
    if is_first:  # tracing is not a part of the time of a method
        for method in methods:
            _attribute(context, method, mode, steps, np.random.default_rng(seed))
    context.values(context.text.ids[None])  # the first call for a new length is slower
    forward, _ = _timed(lambda: context.values(context.text.ids[None]))
    results, seconds = {}, {}
    for method in methods:
        rng = np.random.default_rng(seed)
        seconds[method], results[method] = _timed(lambda m=method, r=rng: _attribute(context, m, mode, steps, r))
    occluded = results.get("occlusion") or leave_one_out(context, mode)
    expected = occluded.scores[~context.text.is_special]
    eraser = _eraser(context, [result.scores for result in results.values()], mode)
    return {
        method: {
            "completeness_error": result.completeness_error,
            **metrics,
            "leave_one_out_tau": kendall(
                abs(expected) if method in UNSIGNED else expected, result.scores[~context.text.is_special]
            ),
            "seconds": seconds[method],
            "forward_passes": seconds[method] / forward,
        }
        for (method, result), metrics in zip(results.items(), eraser, strict=True)
    }


def summarize(measured: list[dict], bootstrap: Bootstrap, **settings) -> Faithfulness:
    """Summarize what `measure_text` returned for several texts, with bootstrap intervals."""
    rows, intervals = {}, {}
    for method in measured[0]:
        columns = {name: np.array([each[method][name] for each in measured], float) for name in METRICS}

        def summary(indices, columns=columns) -> dict:
            return {name: _center(name, column[indices]) for name, column in columns.items()}

        rows[method] = summary(np.arange(len(measured)))
        intervals[method] = bootstrap.intervals(summary, len(measured))["intervals"]
    settings |= {"seed": bootstrap.seed, "resamples": bootstrap.resamples}
    return Faithfulness(rows, intervals, len(measured), settings)


def _timed(function: Callable) -> tuple:
    """Return the seconds that a function takes, and its result."""
    start = time.perf_counter()
    result = function()
    return time.perf_counter() - start, result


def _attribute(context: Context, method: str, mode: str, steps: int, rng: np.random.Generator):
    if method == "attention":
        return attention_scores(context)
    if method == "random":
        return random_scores(context, rng)
    return METHODS[method](context, steps, mode)


def _eraser(context: Context, scores: list[np.ndarray], mode: str) -> list[dict]:
    """Compute comprehensiveness and sufficiency of the scores `[T]` of M methods, in one batch for each."""
    places = np.flatnonzero(~context.text.is_special)
    top = np.zeros((len(scores), len(SHARES), len(context.text.tokens)), bool)  # [M, K, T]
    for rows, each in zip(top, scores, strict=True):
        ranked = places[np.argsort(-each[places], kind="stable")]
        for row, share in zip(rows, SHARES, strict=True):
            row[ranked[: int(np.ceil(share * len(places)))]] = True
    whole = _probabilities(context, np.zeros_like(top[:1, :1]), mode)[0, 0]
    without = _probabilities(context, top, mode).mean(1)  # [M]
    alone = _probabilities(context, ~top & ~context.text.is_special, mode).mean(1)  # [M]
    return [
        {"comprehensiveness": float(whole - x), "sufficiency": float(whole - y)}
        for x, y in zip(without, alone, strict=True)
    ]


def _probabilities(context: Context, left_out: np.ndarray, mode: str) -> np.ndarray:
    """Compute the probability of the target's class without some tokens `[M, K, T]`, float64 `[M, K]`."""
    # In a short text, several shares are the same number of tokens, and methods agree on the highest ones.
    rows, numbers = np.unique(left_out.reshape(-1, left_out.shape[-1]), axis=0, return_inverse=True)  # [N, T], [M * K]
    logits = context.explained.logits_of(reduced_inputs(context, rows, mode)).astype("float64")  # [N, C]
    value = context.target.value(logits)
    if context.explained.model.problem_type == "single_label":
        found = np.exp(value - np.logaddexp.reduce(logits, axis=-1))
    else:  # each logit is that of a class against its absence
        found = 1 / (1 + np.exp(-value))
    return found[numbers.reshape(left_out.shape[:-1])]


def _check(explained: ExplainedModel, methods, mode: str, steps: int) -> None:
    problem_type = getattr(explained.model, "problem_type", None)
    if problem_type not in ("single_label", "binary", "multi_label"):
        raise InputError(f"`pretrained` must be a classifier. Received: {problem_type or explained.kind}")
    unknown = [method for method in methods if method not in ROWS]
    if unknown or not methods:
        raise InputError(f"`methods` must be some of {', '.join(ROWS)}. Received: {', '.join(unknown) or 'none'}")
    check_mode(mode)
    check_steps(steps)


def _center(name: str, column: np.ndarray) -> float | None:
    column = column[~np.isnan(column)]
    if not len(column):
        return None
    return float(np.median(column) if name in MEDIANS else column.mean())


def _cell(name: str, value: float | None, interval: list[float] | None) -> str:
    if value is None:
        return "-"
    if name == "completeness_error":
        return f"{100 * value:.2g} %"
    if name in ("seconds", "forward_passes"):
        return f"{value:.3f}" if name == "seconds" else f"{value:.1f}"
    return f"{value:.3f} [{interval[0]:.3f}, {interval[1]:.3f}]"
