"""How much the vector of a word depends on its sentence: the measures of Ethayarajh (2019), over the layers."""

import dataclasses

import numpy as np

from keras_bert.errors import InputError
from keras_bert.explain.figures.figure import Figure
from keras_bert.explain.figures.panels import fix_layout, layer_ticks, new_panels
from keras_bert.explain.figures.style import INK, SERIES, style
from keras_bert.explain.geometry.projection import unit
from keras_bert.explain.geometry.word_vectors import (
    WordVectors,
    first_share,
    mean_between_sentences,
    mean_of_pairs,
    word_vectors,
)

SPECIAL = {True: "[CLS] and [SEP] count as words", False: "[CLS] and [SEP] are excluded"}


@dataclasses.dataclass(frozen=True)
class LayerMeasure:
    """A number per layer, with the number that vectors of any words have.

    Attributes:
        name: what was measured.
        values: float64 `[L + 1]`, as measured; index 0 is the embeddings.
        baseline: float64 `[L + 1]`, the same for words of different sentences; 0 if there is nothing to subtract.
        sample: what was averaged, in words.
    """

    name: str
    values: np.ndarray
    baseline: np.ndarray
    sample: str

    @property
    def adjusted(self) -> np.ndarray:
        """`values - baseline`: what remains beyond the similarity that any two words have."""
        return self.values - self.baseline

    @property
    def data(self) -> dict:
        """The numbers as lists, for JSON."""
        numbers = {"values": self.values, "baseline": self.baseline, "adjusted": self.adjusted}
        return {"name": self.name, "sample": self.sample, **{name: each.tolist() for name, each in numbers.items()}}

    def plot(self) -> Figure:
        """Draw the measure over the layers: as measured, the baseline, and their difference."""
        with style():
            figure, grid = new_panels(1, 1, 4.7, 3.1)
            _draw(grid[0, 0], self)
            if self.baseline.any():
                figure.legend(loc="outside upper left", ncols=3, frameon=False)
            fix_layout(figure)
        caption = f"{self.name[:1].upper()}{self.name[1:]} over the layers: {self.sample}. "
        if not self.baseline.any():
            caption += f"Look at its height: 0 is directions of all kinds, 1 is a single one: {_ends(self.values)}."
        else:
            caption += f"Look at the adjusted line (measured minus baseline): {_ends(self.adjusted)}."
        return Figure(figure, caption, self.data, f"Line plot of {self.name} by layer")


@dataclasses.dataclass(frozen=True)
class Contextuality:
    """The four measures, the result of `contextuality`; each is a `LayerMeasure`.

    Attributes:
        anisotropy: mean cosine of words of different sentences.
        self_similarity: mean cosine of one word in different sentences.
        intra_sentence_similarity: mean cosine of a word and the mean of its sentence.
        explained_variance: share of the variance of one word that a single direction explains, at most.
        words, occurrences, sentences: the numbers of them in the texts; repeated texts count once.
        repeated_words: number of the words with enough sentences for the second and the fourth measure.
    """

    anisotropy: LayerMeasure
    self_similarity: LayerMeasure
    intra_sentence_similarity: LayerMeasure
    explained_variance: LayerMeasure
    words: int
    occurrences: int
    sentences: int
    repeated_words: int

    @property
    def data(self) -> dict:
        """The numbers as lists, for JSON."""
        measures = (self.anisotropy, self.self_similarity, self.intra_sentence_similarity, self.explained_variance)
        counts = {name: getattr(self, name) for name in ("words", "occurrences", "sentences", "repeated_words")}
        return {**{measure.name: measure.data for measure in measures}, **counts}

    def plot(self) -> Figure:
        """Draw self-similarity, intra-sentence similarity and explained variance over the layers."""
        measures = (self.self_similarity, self.intra_sentence_similarity, self.explained_variance)
        with style():
            figure, grid = new_panels(1, 3, 9.6, 3.3)
            for axes, measure in zip(grid[0], measures, strict=True):
                _draw(axes, measure)
                axes.set_title(measure.name)
            figure.legend(*grid[0, 0].get_legend_handles_labels(), loc="outside upper left", ncols=3, frameon=False)
            fix_layout(figure)
        caption = f"{self.occurrences:,} occurrences of {self.words:,} words in {self.sentences:,} sentences. "
        caption += "The gray dashed baseline is the same measure for words of different sentences. Look at the blue "
        caption += "line, measured minus baseline: a falling one means that vectors depend more on the sentence. "
        caption += "; ".join(f"{measure.name} {_ends(measure.adjusted)}" for measure in measures)
        alt = f"Line plots by layer of {', '.join(measure.name for measure in measures)}"
        return Figure(figure, f"{caption}.", self.data, alt)


def contextuality(pretrained, texts: list[str], min_sentences: int = 5, special_tokens: bool = False) -> Contextuality:
    """Measure how much the vectors of words depend on their sentences, in each layer.

    A word is a run of characters between spaces and punctuation, punctuation marks included; its vector is the mean of
    its tokens'. Nothing is drawn at random: averages are over all pairs. The baseline, anisotropy, is the mean cosine
    of all pairs of words of different sentences, frequent words as often as they occur.

    A word with few sentences has a high explained variance: n vectors have at most n directions. Compare it between
    layers, and only between texts of similar size.

    Args:
        pretrained: what `kb.load_pretrained` returns, a model with a vectorizer, or a tuple of both.
        texts: list of sentences. Repeated ones count once.
        min_sentences: number of different sentences that a word must be in for self-similarity and explained variance;
            its first occurrence in each counts.
        special_tokens: count [CLS] and [SEP] as words. Their large components raise every cosine.

    Returns:
        A `Contextuality`.

    Raises:
        InputError: there are fewer than two sentences, none has two words, no word is in `min_sentences` of them, or a
            sentence has no token or more tokens than the model's rows.

    Example:

    >>> import keras_bert as kb
    >>> config = kb.BertConfig(vocab_size=8, hidden_size=8, num_layers=2, num_heads=2, intermediate_size=16)
    >>> encoder = kb.BertEncoder(config)
    >>> encoder.vectorizer = kb.BertTextVectorization(["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "a", "film", "b"])
    >>> found = kb.explain.contextuality(encoder, ["a film", "b film", "film a"], min_sentences=2)
    >>> found.words, found.repeated_words, found.self_similarity.adjusted.shape
    (3, 2, (3,))

    Source: Ethayarajh 2019 (arXiv:1909.00512), sections 3.3 and 3.4, where the baselines are from a random sample.
    """
    words = word_vectors(pretrained, texts, special_tokens)
    return Contextuality(
        _anisotropy(words),
        _self_similarity(words, min_sentences),
        _intra_sentence_similarity(words),
        _explained_variance(words, min_sentences),
        words=len(set(words.names)),
        occurrences=len(words.names),
        sentences=int(words.sentences[-1]) + 1,
        repeated_words=len(words.repeated(min_sentences)),
    )


def anisotropy(pretrained, texts: list[str], special_tokens: bool = False) -> LayerMeasure:
    """Measure the mean cosine of words of different sentences in each layer.

    Arguments and errors are those of `contextuality`. Nothing is subtracted: this is the baseline of the others.
    """
    return _anisotropy(word_vectors(pretrained, texts, special_tokens))


def self_similarity(pretrained, texts: list[str], min_sentences: int = 5, special_tokens: bool = False) -> LayerMeasure:
    """Measure the mean cosine of one word in different sentences in each layer; the baseline is anisotropy.

    Arguments and errors are those of `contextuality`.
    """
    return _self_similarity(word_vectors(pretrained, texts, special_tokens), min_sentences)


def intra_sentence_similarity(pretrained, texts: list[str], special_tokens: bool = False) -> LayerMeasure:
    """Measure the mean cosine of a word and the mean of its sentence in each layer; the baseline is anisotropy.

    Arguments and errors are those of `contextuality`.
    """
    return _intra_sentence_similarity(word_vectors(pretrained, texts, special_tokens))


def maximum_explainable_variance(
    pretrained, texts: list[str], min_sentences: int = 5, special_tokens: bool = False
) -> LayerMeasure:
    """Measure how much of the variance of one word a single direction explains, in each layer.

    The baseline is the share that the first direction of all words explains. Arguments and errors are those of
    `contextuality`.
    """
    return _explained_variance(word_vectors(pretrained, texts, special_tokens), min_sentences)


def _anisotropy(words: WordVectors) -> LayerMeasure:
    base = mean_between_sentences(unit(words.vectors), words.sentences)  # [L + 1]
    sample = f"mean cosine of words of different sentences; {SPECIAL[words.special_tokens]}"
    return LayerMeasure("anisotropy", base, np.zeros_like(base), sample)


def _self_similarity(words: WordVectors, minimum: int) -> LayerMeasure:
    groups = words.repeated(minimum)
    values = np.mean([mean_of_pairs(unit(words.vectors[:, group])) for group in groups], 0)  # [L + 1]
    return LayerMeasure("self-similarity", values, _anisotropy(words).values, _sample(words, groups, minimum))


def _intra_sentence_similarity(words: WordVectors) -> LayerMeasure:
    parts = np.split(words.vectors, np.flatnonzero(np.diff(words.sentences)) + 1, axis=1)
    parts = [part for part in parts if part.shape[1] > 1]  # one word is its own mean
    if not parts:
        raise InputError("`texts` must have a sentence with at least two words. Received: none")
    values = np.mean([(unit(x) * unit(x.mean(1, keepdims=True))).sum(-1).mean(1) for x in parts], 0)  # [L + 1]
    sample = f"mean of {len(parts):,} sentences; {SPECIAL[words.special_tokens]}"
    return LayerMeasure("intra-sentence similarity", values, _anisotropy(words).values, sample)


def _explained_variance(words: WordVectors, minimum: int) -> LayerMeasure:
    groups = words.repeated(minimum)
    values = np.mean([first_share(words.vectors[:, group]) for group in groups], 0)  # [L + 1]
    return LayerMeasure("explained variance", values, first_share(words.vectors), _sample(words, groups, minimum))


def _sample(words: WordVectors, groups: list, minimum: int) -> str:
    special = SPECIAL[words.special_tokens]
    return f"mean of {len(groups):,} words that are in at least {minimum} sentences; {special}"


def _draw(axes, measure: LayerMeasure) -> None:
    x = np.arange(len(measure.values))
    if measure.baseline.any():
        axes.plot(x, measure.values, color=SERIES[1], marker="s", markersize=4, linewidth=1.3, label="measured")
        axes.plot(x, measure.baseline, "--", color=INK, alpha=0.6, linewidth=1.3, label="baseline")
    label = "adjusted" if measure.baseline.any() else None
    axes.plot(x, measure.adjusted, color=SERIES[0], marker="o", markersize=4.5, linewidth=1.8, label=label)
    axes.set(ylim=(min(0, measure.adjusted.min()) - 0.03, 1.03))
    layer_ticks(axes, len(x) - 1)


def _ends(values: np.ndarray) -> str:
    return f"{values[0]:.2f} in layer 0, {values[-1]:.2f} in layer {len(values) - 1}"
