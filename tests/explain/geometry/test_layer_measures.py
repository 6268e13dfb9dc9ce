"""Ethayarajh's measures and CKA against NumPy by hand and scikit-learn."""

import numpy as np
import pytest
from sklearn.metrics.pairwise import cosine_similarity

import keras_bert as kb
from keras_bert.explain.texts.hidden_states import states_of
from tests.explain.small_models import TEXTS, VOCABULARY, small_encoder


@pytest.fixture(scope="module")
def encoder():
    return small_encoder()


def words_by_hand(encoder) -> list[tuple[str, int, np.ndarray]]:
    """Return each word, the number of its sentence, and its vectors `[L + 1, H]`."""
    found = []
    for number, (row, state) in enumerate(zip(*states_of(encoder, TEXTS), strict=True)):
        position = 1
        while position < len(row.tokens) - 1:
            end = position + 1
            while row.tokens[end].startswith("##"):
                end += 1
            found.append(("".join(row.tokens[position:end]), number, state[:, position:end].mean(1)))
            position = end
    return found


def test_measures_by_hand(encoder):
    words = words_by_hand(encoder)
    found = kb.explain.contextuality(encoder, [*TEXTS, TEXTS[0]], min_sentences=3)  # the repeated text counts once
    assert (found.occurrences, found.words) == (len(words), len({name for name, _, _ in words}))
    firsts = {}
    for name, number, vector in words:
        firsts.setdefault(name, {}).setdefault(number, vector)
    repeated = [list(places.values()) for places in firsts.values() if len(places) >= 3]
    assert len(repeated) == found.repeated_words >= 2
    for layer in range(3):
        cosine = cosine_similarity([vector[layer] for _, _, vector in words])
        numbers = np.array([number for _, number, _ in words])
        base = cosine[numbers[:, None] != numbers].mean()
        own = []
        for group in repeated:
            pairs = cosine_similarity([vector[layer] for vector in group])
            own.append(pairs[~np.eye(len(pairs), dtype=bool)].mean())
        inside = []
        for number in range(len(TEXTS)):
            sentence = np.array([vector[layer] for _, place, vector in words if place == number])
            inside.append(cosine_similarity(sentence, [sentence.mean(0)]).mean())

        def share(vectors):
            squares = np.linalg.svd(np.array(vectors, "float64"), compute_uv=False) ** 2
            return squares[0] / squares.sum()

        variance = np.mean([share([vector[layer] for vector in group]) for group in repeated])
        variance_base = share([vector[layer] for _, _, vector in words])
        for measure, values in (
            (found.anisotropy, (base, 0)),
            (found.self_similarity, (np.mean(own), base)),
            (found.intra_sentence_similarity, (np.mean(inside), base)),
            (found.explained_variance, (variance, variance_base)),
        ):
            np.testing.assert_allclose([measure.values[layer], measure.baseline[layer]], values, atol=2e-6)
            assert measure.adjusted[layer] == measure.values[layer] - measure.baseline[layer]


def test_each_measure_alone(encoder):
    together = kb.explain.contextuality(encoder, TEXTS, min_sentences=2)
    alone = {
        "anisotropy": kb.explain.anisotropy(encoder, TEXTS),
        "self_similarity": kb.explain.self_similarity(encoder, TEXTS, 2),
        "intra_sentence_similarity": kb.explain.intra_sentence_similarity(encoder, TEXTS),
        "explained_variance": kb.explain.maximum_explainable_variance(encoder, TEXTS, 2),
    }
    for name, measure in alone.items():
        np.testing.assert_array_equal(measure.adjusted, getattr(together, name).adjusted)
        assert "[CLS] and [SEP] are excluded" in measure.plot().caption
    special = kb.explain.anisotropy(encoder, TEXTS, special_tokens=True)
    assert "count as words" in special.plot().caption and np.abs(special.values - together.anisotropy.values).min() > 0


def test_measures_reject(encoder):
    for texts, minimum, match in (
        (TEXTS, 7, "`texts`.*min_sentences=7"),
        (TEXTS, 1, "`min_sentences`.*1"),
        (TEXTS[:1] * 2, 2, "`texts`.*two"),
    ):
        with pytest.raises(kb.InputError, match=f"^{match}"):
            kb.explain.contextuality(encoder, texts, minimum)
    with pytest.raises(kb.InputError, match="^`texts`.*two words"):
        kb.explain.intra_sentence_similarity(encoder, ["film", "money"])


def hsic_by_hand(x, y, unbiased):
    """HSIC from the n by n kernel matrices: Song et al. 2012, equation 5, and the biased one of Kornblith et al."""
    n, k, m = len(x), x @ x.T, y @ y.T
    if not unbiased:
        center = np.eye(n) - np.ones((n, n)) / n
        return np.trace(k @ center @ m @ center) / (n - 1) ** 2
    np.fill_diagonal(k, 0)
    np.fill_diagonal(m, 0)
    one = np.ones(n)
    total = np.trace(k @ m) + (one @ k @ one) * (one @ m @ one) / ((n - 1) * (n - 2)) - 2 / (n - 2) * one @ k @ m @ one
    return total / (n * (n - 3))


@pytest.mark.parametrize("unbiased", [True, False])
@pytest.mark.parametrize("rows", [4, 30])
def test_linear_cka_equals_kernel_matrices(unbiased, rows):
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(rows, 6)) + 3, rng.normal(size=(rows, 9)) - 1
    y[:, :6] += x
    expected = hsic_by_hand(x, y, unbiased) / np.sqrt(hsic_by_hand(x, x, unbiased) * hsic_by_hand(y, y, unbiased))
    assert kb.explain.linear_cka(x, y, unbiased) == pytest.approx(expected, abs=1e-9)


def test_linear_cka_properties():
    rng = np.random.default_rng(1)
    x, y = rng.normal(size=(60, 20)), rng.normal(size=(60, 30))
    rotation = np.linalg.qr(rng.normal(size=(20, 20)))[0]
    for unbiased in (True, False):
        assert kb.explain.linear_cka(x, x, unbiased) == pytest.approx(1, abs=1e-12)
        assert kb.explain.linear_cka(x, 7 * x @ rotation + 5, unbiased) == pytest.approx(1, abs=1e-12)
        mixed = kb.explain.linear_cka(x @ rng.normal(size=(20, 20)), x, unbiased)
        assert mixed < 0.95  # not invariant to any linear map
    wide = rng.normal(size=(2, 60, 600))  # independent, with fewer rows than columns
    assert abs(kb.explain.linear_cka(*wide)) < 0.05 < 0.9 < kb.explain.linear_cka(*wide, unbiased=False)
    assert np.isnan(kb.explain.linear_cka(np.ones((5, 2)), y[:5]))
    for other in (y[:59], y[:3]):
        with pytest.raises(kb.InputError, match="^`x` and `y`"):
            kb.explain.linear_cka(x[: len(other) + (len(other) == 59)], other)


def test_cka_of_layers(encoder):
    found = kb.explain.cka(encoder, TEXTS)
    words = words_by_hand(encoder)
    assert found.words == len(words) and found.matrix.shape == (3, 3)
    layers = np.stack([vector for _, _, vector in words], 1)
    for i in range(3):
        for j in range(3):
            assert found.matrix[i, j] == pytest.approx(kb.explain.linear_cka(layers[i], layers[j]), abs=1e-6)
    np.testing.assert_allclose(np.diag(found.matrix), 1)


def test_cka_of_two_models_with_different_tokenizers(encoder):
    vocabulary = ["unknowns" if token == "walk" else token for token in VOCABULARY]
    other = small_encoder(vocabulary, num_layers=3)  # "unknowns" is one token, "walked" is unknown
    found = kb.explain.cka(encoder, TEXTS, other)
    assert found.matrix.shape == (3, 4) and found.words == len(words_by_hand(encoder))
    assert found.matrix[0, 0] > 0.7 and not np.allclose(found.matrix[:, :3], kb.explain.cka(encoder, TEXTS).matrix)
    with pytest.raises(kb.InputError, match="^`texts`.*four words"):
        kb.explain.cka(encoder, ["a film"])
