"""Linear CKA: how similar the geometry of two layers is, of one model or of two."""

import dataclasses

import numpy as np

from keras_bert.errors import InputError
from keras_bert.explain.figures.figure import Figure
from keras_bert.explain.figures.panels import draw_cells, fix_layout, new_panels, two_digits
from keras_bert.explain.figures.style import style
from keras_bert.explain.texts.hidden_states import states_of, word_states


@dataclasses.dataclass(frozen=True)
class LayerSimilarity:
    """CKA of each pair of layers, the result of `cka`.

    Attributes:
        matrix: float64 `[L1 + 1, L2 + 1]`; index 0 is the embeddings. Rows are the first model.
        words: n, the number of words that both models have, the rows of the compared matrices.
        texts: number of texts.
        unbiased: whether the estimator is the unbiased one.
        names: names of the two models; the same twice for one model.
    """

    matrix: np.ndarray
    words: int
    texts: int
    unbiased: bool
    names: tuple[str, str]

    @property
    def data(self) -> dict:
        """The numbers as lists, for JSON; None in place of NaN."""
        matrix = [[float(value) if np.isfinite(value) else None for value in row] for row in self.matrix]
        numbers = {"words": self.words, "texts": self.texts, "unbiased": self.unbiased}
        return {"matrix": matrix, "names": list(self.names), **numbers}

    def plot(self) -> Figure:
        """Draw the matrix as a heat map, layer 0 at the bottom left."""
        rows, columns = self.matrix.shape
        texts = [[two_digits(value) for value in row] for row in self.matrix]
        with style():
            figure, grid = new_panels(1, 1, 1.5 + 0.42 * columns, 1.3 + 0.38 * rows)
            axes = grid[0, 0]
            draw_cells(axes, np.clip(self.matrix, 0, None), 1.0, texts, fontsize=7.5)
            axes.set(ylim=(-0.5, rows - 0.5), xticks=range(columns), yticks=range(rows))
            axes.set(xlabel=f"layer of {self.names[1]}", ylabel=f"layer of {self.names[0]}")
            fix_layout(figure)
        caption = f"Linear CKA ({'unbiased' if self.unbiased else 'biased'} estimator) of {self.words:,} words of "
        caption += f"{self.texts:,} texts, [CLS] and [SEP] excluded; layer 0 is the embeddings. "
        caption += "1 is the same geometry up to rotation and scale, 0 is unrelated; stronger blue is higher. "
        if self.names[0] == self.names[1]:
            steps = np.diagonal(self.matrix, 1)
            least = int(steps.argmin())
            caption += (
                "The diagonal is 1 by definition. Look at the cells beside it, and for blocks of similar layers: "
            )
            caption += f"neighbors differ most from layer {least} to {least + 1} ({steps[least]:.2f}); "
            caption += f"layers 0 and {rows - 1} have {self.matrix[0, -1]:.2f}."
        else:
            best = self.matrix.argmax(1)
            caption += "Look for the strongest cell of each row: the layers of "
            caption += f"{self.names[0]} from 0 to {rows - 1} are most similar to "
            caption += f"{', '.join(map(str, best))} of {self.names[1]}."
        return Figure(figure, caption, self.data, f"Matrix of the similarity of {rows} and {columns} layers")


def cka(
    pretrained, texts: list[str], other=None, unbiased: bool = True, names: tuple[str, str] | None = None
) -> LayerSimilarity:
    """Compare all layers of a model, or of two models, by linear CKA.

    The rows of the compared matrices are the words of the texts: vectors of words that have several tokens are
    averaged, so the models may have different tokenizers. A word that only one model separates so is left out.

    Args:
        pretrained: what `kb.load_pretrained` returns, a model with a vectorizer, or a tuple of both.
        texts: list of strings, together with at least four words. More words give an estimate of smaller variance.
        other: a second model, or None for the layers of the first one.
        unbiased: use the unbiased estimator. The biased one is near 1 for unrelated vectors if there are not many
            more words than the H numbers of a vector.
        names: names of the two models for the figure. Default: `"the first model"`, `"the second model"`.

    Returns:
        A `LayerSimilarity`.

    Raises:
        InputError: there are fewer than four words, or a text has no token or more tokens than a model's rows.

    Example:

    >>> import keras_bert as kb
    >>> config = kb.BertConfig(vocab_size=8, hidden_size=8, num_layers=2, num_heads=2, intermediate_size=16)
    >>> encoder = kb.BertEncoder(config)
    >>> encoder.vectorizer = kb.BertTextVectorization(["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "a", "film", "b"])
    >>> kb.explain.cka(encoder, ["a film", "b film b a"]).matrix.shape
    (3, 3)

    Source: Kornblith et al. 2019 (arXiv:1905.00414), section 3; Song et al. 2012 (JMLR 13), section 2.3, for the
    unbiased estimator, used for layers by Nguyen et al. 2021 (arXiv:2010.15327).
    """
    rows, states = states_of(pretrained, texts)
    if other is None:
        words = [word_states(row, state) for row, state in zip(rows, states, strict=True)]
        first, second = np.concatenate(words, 1), None  # [L + 1, n, H]
        default = ("the model", "the model")
    else:
        other_rows, other_states = states_of(other, texts)
        first, second = _common_words(rows, states, other_rows, other_states)
        default = ("the first model", "the second model")
    if first.shape[1] < 4:
        raise InputError(f"`texts` must have at least four words in common to the models. Received: {first.shape[1]}")
    matrix = _all_pairs(first, second, unbiased)
    return LayerSimilarity(matrix, first.shape[1], len(rows), unbiased, tuple(names or default))


def linear_cka(x, y, unbiased: bool = True) -> float:
    """Compute the linear CKA of two matrices.

    It needs time and memory for `[H1, H2]` only, not for the n by n products.

    Args:
        x: float `[n, H1]`.
        y: float `[n, H2]`: the same n examples. At least four.
        unbiased: use the unbiased estimator of HSIC, which can be slightly below 0.

    Returns:
        A number up to 1. NaN if a matrix has no variance.

    Raises:
        InputError: the numbers of rows differ, or are below four.

    Example:

    >>> import numpy as np
    >>> x = np.random.default_rng(0).normal(size=(50, 4))
    >>> round(linear_cka(x, 3 * x[:, ::-1]), 6)
    1.0

    Source: Kornblith et al. 2019 (arXiv:1905.00414), section 3; Song et al. 2012 (JMLR 13), equation 5.
    """
    x, y = (np.asarray(each, "float64") for each in (x, y))
    if x.ndim != 2 or y.ndim != 2 or len(x) != len(y) or len(x) < 4:
        raise InputError(
            f"`x` and `y` must be matrices with the same number of rows, at least 4. Received: shapes {x.shape} and "
            f"{y.shape}"
        )
    return float(_all_pairs(x[None], y[None], unbiased)[0, 0])


def _all_pairs(first: np.ndarray, second: np.ndarray | None, unbiased: bool) -> np.ndarray:
    """Compute the CKA of each pair of matrices, `[K1, n, H1]` and `[K2, n, H2]`: `[K1, K2]`; None is `first` again."""
    first, scales = _centered(first, unbiased)
    if second is not None:
        second, other_scales = _centered(second, unbiased)
        products = np.array([[_hsic(x, y, unbiased) for y in second] for x in first])  # [K1, K2]
        return products / np.outer(scales, other_scales)
    products = np.diag(scales**2)  # [K1, K1]
    for i, x in enumerate(first):
        for j in range(i):
            products[i, j] = products[j, i] = _hsic(x, first[j], unbiased)
    return products / np.outer(scales, scales)


def _centered(layers: np.ndarray, unbiased: bool) -> tuple[list[np.ndarray], np.ndarray]:
    """Center matrices `[K, n, H]`, which changes neither estimator and keeps the sums small.

    Returns:
        The matrices in float64, and the square root of HSIC of each with itself, `[K]`; NaN without variance.
    """
    centered = [layer - layer.mean(0) for layer in layers.astype("float64")]
    own = np.array([_hsic(x, x, unbiased) for x in centered])
    return centered, np.sqrt(np.where(own > 0, own, np.nan))


def _hsic(x: np.ndarray, y: np.ndarray, unbiased: bool) -> float:
    """Compute HSIC with linear kernels K = X X^T and M = Y Y^T, from centered `[n, H1]` and `[n, H2]`."""
    count = len(x)
    cross = float(((x.T @ y) ** 2).sum())  # tr(K M)
    if not unbiased:
        return cross / (count - 1) ** 2
    # K~ and M~ are K and M with a diagonal of zeros. X is centered, so K 1 = 0 and K~ 1 is minus the diagonal.
    x_diagonal, y_diagonal = (x**2).sum(1), (y**2).sum(1)  # [n] each
    trace = cross - x_diagonal @ y_diagonal  # tr(K~ M~)
    sums = x_diagonal.sum() * y_diagonal.sum() / ((count - 1) * (count - 2))  # 1^T K~ 1 1^T M~ 1 / (n-1)(n-2)
    rows = 2 * (x_diagonal @ y_diagonal) / (count - 2)  # 2 / (n-2) 1^T K~ M~ 1
    return (trace + sums - rows) / (count * (count - 3))


def _common_words(rows, states, other_rows, other_states) -> tuple[np.ndarray, np.ndarray]:
    """Return the vectors of the words that have the same place in a text for both models: `[L + 1, n, H]` each."""
    first, second = [], []
    for row, state, other_row, other_state in zip(rows, states, other_rows, other_states, strict=True):
        places = [each.word_spans[1:-1] for each in (row, other_row)]
        common = [place for place in places[0] if place in places[1]]
        first.append(word_states(row, state)[:, [places[0].index(place) for place in common]])
        second.append(word_states(other_row, other_state)[:, [places[1].index(place) for place in common]])
    return np.concatenate(first, 1), np.concatenate(second, 1)
