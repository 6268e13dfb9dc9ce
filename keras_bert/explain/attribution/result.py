"""The result of every attribution method: a score for each token of a text, with the checks of these scores."""

import dataclasses

import numpy as np

from keras_bert.errors import InputError
from keras_bert.explain.attribution.target import Target
from keras_bert.explain.texts.tokenized_text import Text, TokenizedText

SMALLEST_CHANGE = 1e-12  # a smaller change of the target cannot be divided by


@dataclasses.dataclass(frozen=True)
class Attribution:
    """How much each token of a text adds to one logit, by one method.

    A positive score means that the token raises the logit. [CLS] and [SEP] have scores too: without them, the scores
    do not add up to the change of the logit. `rich` prints an attribution as colored text.

    Attributes:
        tokenized: the `TokenizedText`.
        scores: float64 `[T]`.
        target: the `Target`, one logit: its `name` is the class.
        value: the logit of the text.
        baseline_value: the logit of the baseline that the method compares with; None if it has none.
        method: the name of the method.
        settings: its settings, such as `{"steps": 50}`, with a description of the baseline.

    Example:

    >>> import keras_bert as kb
    >>> vectorizer = kb.BertTextVectorization(["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "fine", "film", "##s"])
    >>> config = kb.BertConfig(vocab_size=8, hidden_size=8, num_layers=1, num_heads=2, intermediate_size=16)
    >>> found = kb.explain.integrated_gradients((kb.BertClassifier(kb.BertEncoder(config)), vectorizer), "Fine films")
    >>> found.tokens, found.words
    (['[CLS]', 'fine', 'film', '##s', '[SEP]'], ['[CLS]', 'Fine', 'films', '[SEP]'])
    >>> bool(abs(found.word_scores.sum() - found.scores.sum()) < 1e-9)
    True

    Source: the results of Captum 0.9, with the places in the original text.
    """

    tokenized: TokenizedText
    scores: np.ndarray
    target: Target
    value: float
    baseline_value: float | None
    method: str
    settings: dict

    @property
    def text(self) -> Text:
        """The text, or the pair of texts."""
        return self.tokenized.text

    @property
    def tokens(self) -> list[str]:
        """The T tokens, [CLS] and [SEP] included."""
        return self.tokenized.tokens

    @property
    def spans(self) -> list[tuple[int, int]]:
        """The start and exclusive end of each token in the original text, in characters."""
        return self.tokenized.spans

    @property
    def words(self) -> list[str]:
        """The W words as they are written in the text, [CLS] and [SEP] included."""
        return self.tokenized.words

    @property
    def word_spans(self) -> list[tuple[int, int]]:
        """The start and exclusive end of each word in the original text, in characters."""
        return self.tokenized.word_spans

    @property
    def word_scores(self) -> np.ndarray:
        """float64 `[W]`: the sum of the scores of the tokens of each word."""
        return np.bincount(self.tokenized.word_numbers, self.scores)

    @property
    def completeness_error(self) -> float | None:
        """How far the sum of the scores is from the change of the logit, divided by the change; None without baseline.

        It is 0 if the scores explain the whole change from `baseline_value` to `value`.

        Source: Sundararajan et al. 2017 (arXiv:1703.01365), section 3, completeness.
        """
        if self.baseline_value is None:
            return None
        change = self.value - self.baseline_value
        return float(abs(self.scores.sum() - change) / max(abs(change), SMALLEST_CHANGE))

    def span_score(self, start: int, end: int, text_number: int = 0) -> float:
        """Return the sum of the scores of the characters from `start` to the exclusive `end` of the original text.

        A token counts by the share of its characters in the span, so the scores of the parts of a text add up.

        Args:
            start, end: the characters.
            text_number: of a pair, 0 for the first text and 1 for the second.

        Raises:
            InputError: the span is not within the text.
        """
        if text_number not in range(len(self.tokenized.texts)):
            raise InputError(
                f"`text_number` must be below {len(self.tokenized.texts)}. Received: text_number={text_number!r}"
            )
        length = len(self.tokenized.texts[text_number])
        if not 0 <= start < end <= length:
            raise InputError(f"`start` and `end` must be in 0 to {length}. Received: start={start!r}, end={end!r}")
        total = 0.0
        for score, (first, last), number in zip(self.scores, self.spans, self.tokenized.text_numbers, strict=True):
            if number == text_number:
                total += score * max(0, min(end, last) - max(start, first)) / (last - first)
        return float(total)

    def to_dict(self) -> dict:
        """Return all values as a dict of Python numbers, strings and lists, for JSON."""
        tokens = zip(self.tokens, self.spans, self.tokenized.text_numbers, self.scores.tolist(), strict=True)
        words = zip(self.words, self.word_spans, self.word_scores.tolist(), strict=True)
        return {
            "text": self.text,
            "method": self.method,
            "target": dataclasses.asdict(self.target),
            "value": self.value,
            "baseline_value": self.baseline_value,
            "completeness_error": self.completeness_error,
            "settings": self.settings,
            "tokens": [{"token": t, "span": list(s), "text_number": n, "score": x} for t, s, n, x in tokens],
            "words": [{"word": word, "span": list(span), "score": score} for word, span, score in words],
        }

    def to_html(self) -> str:
        """Return a page of HTML without external resources: the text in color, with the score of each word."""
        from keras_bert.explain.attribution.page import attribution_page

        return attribution_page([self])

    def plot(self):
        """Draw the scores of the tokens as bars.

        Returns:
            A pair of the `Figure` and the dict that `to_dict` returns.
        """
        from keras_bert.explain.attribution.plots import plot_attribution

        return plot_attribution(self), self.to_dict()

    def __rich__(self):
        from keras_bert.explain.attribution.colored_text import colored_text

        return colored_text(self)


@dataclasses.dataclass(frozen=True)
class LayerAttributions:
    """The attributions of one text at every layer, by one method.

    Attributes:
        layers: L + 1 `Attribution`s: the output of the embedding layer, then of each block.
    """

    layers: list[Attribution]

    @property
    def scores(self) -> np.ndarray:
        """float64 `[L + 1, T]`."""
        return np.stack([layer.scores for layer in self.layers])

    @property
    def completeness_errors(self) -> np.ndarray:
        """float64 `[L + 1]`: the completeness error of each layer."""
        return np.array([layer.completeness_error for layer in self.layers])

    @property
    def tokens(self) -> list[str]:
        """The T tokens."""
        return self.layers[0].tokens

    @property
    def target(self) -> Target:
        """The target, of all layers."""
        return self.layers[0].target

    def to_dict(self) -> dict:
        """Return all values as a dict, for JSON."""
        first = self.layers[0].to_dict()
        kept = ("text", "method", "target", "value", "baseline_value", "settings")
        return {
            **{name: first[name] for name in kept},
            "tokens": self.tokens,
            "scores": self.scores.tolist(),
            "completeness_errors": self.completeness_errors.tolist(),
        }

    def to_html(self) -> str:
        """Return a page of HTML without external resources: one colored row for each layer."""
        from keras_bert.explain.attribution.page import layers_page

        return layers_page([self])

    def plot(self):
        """Draw the scores as a matrix of layers and tokens.

        Returns:
            A pair of the `Figure` and the dict that `to_dict` returns.
        """
        from keras_bert.explain.attribution.plots import plot_layers

        return plot_layers(self), self.to_dict()

    def __rich__(self):
        from keras_bert.explain.attribution.colored_text import colored_layers

        return colored_layers(self)
