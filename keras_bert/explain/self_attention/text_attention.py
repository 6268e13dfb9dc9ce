"""The attention of all heads of a model for a text."""

import dataclasses
from collections.abc import Iterator

import numpy as np
from keras import ops

from keras_bert.errors import InputError
from keras_bert.explain.figures.figure import Figure
from keras_bert.explain.self_attention.maps import attention_tensors
from keras_bert.explain.texts.text_model import TextModel, open_model
from keras_bert.explain.texts.tokenized_text import TokenizedText, as_list, padded_inputs

MAX_NUMBERS = 2**25  # of attention probabilities in memory at a time: 128 MiB


@dataclasses.dataclass(frozen=True)
class Attention:
    """The attention probabilities of all layers and heads for one text or pair of texts.

    Layers and heads are numbered from 1 in arguments and figures: layer 1, head 1 is `maps[0, 0]`.

    Attributes:
        maps: float32 `[L, A, T, T]`: layer, head, query, key. Over the keys the probabilities sum to 1. There is no
            padding.
        tokens: list of T tokens, with [CLS] and [SEP].
        segments: list of T numbers: 0 for the first text, 1 for the second.
        spans: list of T places `(start, end)` in the characters of the first or the second text; None for [CLS] and
            [SEP].
        words: list of W words as the text has them; [CLS] and [SEP] are words of their own.
        word_ids: list of T numbers: the index in `words` of each token.
        text: the text, or the (first, second) tuple.
    """

    maps: np.ndarray
    tokens: list[str]
    segments: list[int]
    spans: list[tuple[int, int] | None]
    words: list[str]
    word_ids: list[int]
    text: str | tuple[str, str]

    def head(self, layer: int, head: int) -> np.ndarray:
        """Return the map of one head, float32 `[T, T]`: row = query, column = key.

        Args:
            layer: number of the layer, from 1.
            head: number of the head, from 1.

        Raises:
            InputError: there is no such layer or head.
        """
        return self.maps[self.layer_index(layer), self.head_index(head)]

    def layer_index(self, layer: int) -> int:
        """Return the index in `maps` of a layer; raise InputError if there is none with this number."""
        return _index("layer", layer, self.maps.shape[0])

    def head_index(self, head: int) -> int:
        """Return the index in `maps` of a head; raise InputError if there is none with this number."""
        return _index("head", head, self.maps.shape[1])

    def by_words(self) -> "Attention":
        """Return the attention between words in place of tokens.

        Attention to a word is the sum over its tokens, attention from a word the mean over its tokens, so the
        probabilities of a word still sum to 1.

        Returns:
            An `Attention` whose tokens are the words.

        Source: Clark et al. 2019 (arXiv:1906.04341), section 4.1.
        """
        member = np.equal.outer(np.arange(len(self.words)), self.word_ids).astype("float32")  # [W, T]
        maps = (member / member.sum(1, keepdims=True)) @ (self.maps @ member.T)  # [L, A, W, W]
        first = [self.word_ids.index(word) for word in range(len(self.words))]
        last = [len(self.word_ids) - 1 - self.word_ids[::-1].index(word) for word in range(len(self.words))]
        spans = [
            None if self.spans[begin] is None else (self.spans[begin][0], self.spans[end][1])
            for begin, end in zip(first, last, strict=True)
        ]
        segments = [self.segments[begin] for begin in first]
        words, numbers = list(self.words), list(range(len(self.words)))
        return Attention(maps.astype("float32"), words, segments, spans, words, numbers, self.text)

    def matrix(self, layer: int, head: int) -> Figure:
        """Plot one head as a matrix; `figures.plots.attention_map` describes it."""
        from keras_bert.explain.figures.plots import attention_map

        return attention_map(self.head(layer, head), self.tokens, f"layer {layer}, head {head}")

    def lines(self, layer: int, head: int) -> Figure:
        """Plot one head as lines between tokens; `plots.attention_lines` describes it."""
        from keras_bert.explain.self_attention.plots import attention_lines

        return attention_lines(self.head(layer, head), self.tokens, f"layer {layer}, head {head}")

    def heads(self, layer: int) -> Figure:
        """Plot all heads of a layer as small matrices; `plots.attention_grid` describes it."""
        from keras_bert.explain.self_attention.plots import attention_grid

        index = self.layer_index(layer)
        return attention_grid(self.maps[index : index + 1], self.tokens, first_layer=layer)

    def all_heads(self) -> Figure:
        """Plot all heads of all layers as small matrices; `plots.attention_grid` describes it."""
        from keras_bert.explain.self_attention.plots import attention_grid

        return attention_grid(self.maps, self.tokens)

    def html(self, view: str = "matrix", layer: int = 1, head: int = 1) -> str:
        """Return an HTML page with all views; `page.attention_page` describes it."""
        from keras_bert.explain.self_attention.page import attention_page

        return attention_page(self, view, layer, head)


def attention(pretrained, texts) -> "Attention | list[Attention]":
    """Compute the attention probabilities of every layer and head for texts.

    The blocks of the encoder compute them, without dropout. So these are the probabilities that predictions use.

    Args:
        pretrained: what `kb.load_pretrained` returns, a model with a vectorizer, or a tuple of a model and its
            `BertTextVectorization`.
        texts: a string, a (first, second) tuple, or a list of them. Texts are not truncated. For a pretrainer, special
            tokens in a text such as `[MASK]` are single tokens, as in `kb.fill_mask`.

    Returns:
        An `Attention`; for a list of texts a list of them. A text has the same attention in a list as alone.

    Raises:
        InputError: a text is empty or longer than the positions of the model, or a custom block does not return
            attention scores.

    Example:

    >>> import keras_bert as kb
    >>> vectorizer = kb.BertTextVectorization(["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "a", "film", "##s"])
    >>> config = kb.BertConfig(vocab_size=8, hidden_size=8, num_layers=3, num_heads=2, intermediate_size=16)
    >>> result = kb.explain.attention((kb.BertEncoder(config), vectorizer), "A film, films")
    >>> result.maps.shape, result.tokens
    ((3, 2, 7, 7), ['[CLS]', 'a', 'film', '[UNK]', 'film', '##s', '[SEP]'])
    >>> result.words, result.spans[4]
    (['[CLS]', 'A', 'film', ',', 'films', '[SEP]'], (8, 12))
    >>> result.by_words().head(layer=3, head=1).shape
    (6, 6)

    Source: Vaswani et al. 2017 (arXiv:1706.03762), section 3.2; Clark et al. 2019 (arXiv:1906.04341).
    """
    texts, single = as_list(texts)
    opened = open_model(pretrained)
    results = list(iterate_attention(opened, opened.tokenize(texts, max_length=positions_of(opened))))
    return results[0] if single else results


def positions_of(opened: TextModel) -> int:
    """Return the largest number of tokens that the encoder has positions for."""
    return opened.encoder.config.max_position_embeddings


def iterate_attention(opened: TextModel, texts: list[TokenizedText]) -> Iterator[Attention]:
    """Yield the `Attention` of each text, in order. Only one batch of them is in memory."""
    config = opened.encoder.config
    for batch in _batches(texts, config.num_layers * config.num_heads):
        inputs = padded_inputs(batch, opened.tokenizer.pad_id)
        maps = np.stack(maps_of(opened, inputs))  # [L, B, A, T, T]
        for number, text in enumerate(batch):
            length = len(text.ids)
            own = np.ascontiguousarray(maps[:, number, :, :length, :length])  # [L, A, T, T]
            spans = [None if special else span for special, span in zip(text.is_special, text.spans, strict=True)]
            yield Attention(own, text.tokens, text.types.tolist(), spans, text.words, text.word_numbers, text.text)


def maps_of(opened: TextModel, inputs: dict) -> list[np.ndarray]:
    """Compute what `attention_maps` returns, in a graph if the model is compiled."""
    return [ops.convert_to_numpy(each) for each in opened.run(_attention, inputs)]


def _attention(opened: TextModel, inputs: dict) -> list:
    return attention_tensors(opened.encoder, inputs)


def _batches(texts: list[TokenizedText], maps_per_text: int) -> Iterator[list[TokenizedText]]:
    """Divide texts into batches, in order, whose maps have at most `MAX_NUMBERS` numbers, or one text."""
    start = 0
    while start < len(texts):
        end, width = start, 0
        while end < len(texts):
            width = max(width, len(texts[end].ids))
            if end > start and (end + 1 - start) * width**2 * maps_per_text > MAX_NUMBERS:
                break
            end += 1
        yield texts[start:end]
        start = end


def _index(name: str, number: int, count: int) -> int:
    if isinstance(number, bool) or not isinstance(number, int | np.integer) or not 1 <= number <= count:
        raise InputError(f"`{name}` must be from 1 to {count}. Received: {name}={number!r:.40}")
    return int(number) - 1
