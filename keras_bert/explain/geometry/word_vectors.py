"""The vectors of all words of texts, layer by layer, and averages over pairs of them."""

import dataclasses

import numpy as np

from keras_bert.errors import InputError
from keras_bert.explain.texts.hidden_states import states_of, word_states
from keras_bert.explain.texts.tokenized_text import TokenizedText


@dataclasses.dataclass(frozen=True)
class WordVectors:
    """N occurrences of words in different sentences.

    Attributes:
        names: the word of each occurrence.
        sentences: int `[N]`, the number of its sentence, ascending from 0.
        vectors: float64 `[L + 1, N, H]`, the mean of the word's tokens.
        special_tokens: whether [CLS] and [SEP] are among the words.
    """

    names: list[str]
    sentences: np.ndarray
    vectors: np.ndarray
    special_tokens: bool

    def repeated(self, minimum: int) -> list[list[int]]:
        """Return, for each word of at least `minimum` sentences, its first occurrence in each of them.

        Raises:
            InputError: `minimum` is not an integer above 1, or there is no such word.
        """
        if isinstance(minimum, bool) or not isinstance(minimum, int) or minimum < 2:
            raise InputError(f"`min_sentences` must be an integer of at least 2. Received: min_sentences={minimum!r}")
        first = {}
        for i, (name, sentence) in enumerate(zip(self.names, self.sentences.tolist(), strict=True)):
            first.setdefault(name, {}).setdefault(sentence, i)
        found = [list(places.values()) for places in first.values() if len(places) >= minimum]
        if not found:
            raise InputError(
                f"`texts` must have a word in at least min_sentences={minimum} different sentences. Received: none in "
                f"{self.sentences[-1] + 1} sentences. Pass more texts or a smaller `min_sentences`."
            )
        return found


def word_vectors(pretrained, texts: list[str], special_tokens: bool = False) -> WordVectors:
    """Compute the vectors of all words of texts; a repeated text counts once.

    Raises:
        InputError: there are fewer than two texts, or a text has no token or more tokens than the model's rows.
    """
    texts = texts if isinstance(texts, str) else list(dict.fromkeys(texts))
    rows, states = states_of(pretrained, texts)
    if len(rows) < 2:
        raise InputError(f"`texts` must have at least two different sentences. Received: {len(rows)}")
    names, sentences, vectors = [], [], []
    for number, (row, state) in enumerate(zip(rows, states, strict=True)):
        words, means = word_names(row), word_states(row, state)
        if special_tokens:
            words, means = ["[CLS]", *words, "[SEP]"], np.concatenate([state[:, :1], means, state[:, -1:]], 1)
        names += words
        sentences += [number] * len(words)
        vectors.append(means.astype("float64"))  # [L + 1, words, H]
    return WordVectors(names, np.array(sentences), np.concatenate(vectors, 1), special_tokens)


def word_names(text: TokenizedText) -> list[str]:
    """Name the words of a text by their tokens, or by their text where a token is [UNK]; without [CLS] and [SEP]."""
    names = []
    for word, numbers in list(zip(text.words, text.word_tokens, strict=True))[1:-1]:
        tokens = [text.tokens[i] for i in numbers]
        names.append(word if "[UNK]" in tokens else "".join(t.removeprefix("##") for t in tokens))
    return names


def mean_of_pairs(scaled: np.ndarray) -> np.ndarray:
    """Average the dot products of all pairs of different rows: `[L + 1, n, H]` to `[L + 1]`."""
    count = scaled.shape[1]
    return ((scaled.sum(1) ** 2).sum(-1) - (scaled**2).sum((1, 2))) / (count * (count - 1))


def mean_between_sentences(scaled: np.ndarray, sentences: np.ndarray) -> np.ndarray:
    """Average the dot products of all pairs of rows of different sentences: `[L + 1, N, H]` to `[L + 1]`."""
    total = (scaled.sum(1) ** 2).sum(-1)
    sizes = np.bincount(sentences)
    starts = np.concatenate([[0], np.cumsum(sizes)[:-1]])
    same = (np.add.reduceat(scaled, starts, axis=1) ** 2).sum((1, 2))
    return (total - same) / (len(sentences) ** 2 - (sizes**2).sum())


def first_share(vectors: np.ndarray) -> np.ndarray:
    """Return the first squared singular value over their sum, of matrices `[L + 1, n, H]` that are not centered."""
    count, size = vectors.shape[1:]
    turned = np.swapaxes(vectors, 1, 2)
    gram = vectors @ turned if count < size else turned @ vectors  # the smaller one has the same eigenvalues
    values = np.linalg.eigvalsh(gram)
    return values[:, -1] / np.maximum(values.sum(-1), 1e-300)
