"""Embeddings, hidden states, distances, words in context and similar sentences, against NumPy, scipy and Keras."""

import keras
import numpy as np
import pytest
from scipy.spatial.distance import cdist

import keras_bert as kb
from keras_bert.explain.geometry.projection import principal_components
from keras_bert.explain.texts.hidden_states import states_of
from tests.explain.small_models import TEXTS, small_encoder
from tests.helpers import randomize, tiny_config, to_numpy


@pytest.fixture(scope="module")
def encoder():
    return small_encoder(num_layers=3)


def outputs(encoder, text) -> np.ndarray:
    """Return the outputs of embeddings and blocks from the encoder's own call, float32 `[L + 1, T, H]`."""
    inputs = encoder.vectorizer([text])
    first = encoder.embeddings(inputs["input_word_ids"], inputs["input_type_ids"])
    found = encoder(inputs)
    return to_numpy(np.concatenate([first, *(found[f"encoder_outputs_{i}"] for i in range(encoder.config.num_layers))]))


def test_states_of_a_batch_are_those_of_each_text_alone(encoder):
    rows, states = states_of(encoder, TEXTS)
    for row, state, text in zip(rows, states, TEXTS, strict=True):
        ids = encoder.vectorizer([text])["input_word_ids"][0]
        assert row.tokens == encoder.vectorizer.id_to_token(ids)
        np.testing.assert_allclose(state, outputs(encoder, text), atol=2e-6)
    assert rows[4].words[1:-1] == ["the", "film", "of", "the", "unknowns"] and rows[4].word_tokens[-2] == [5, 6, 7]


@pytest.mark.parametrize("changes", [{}, {"type_vocab_size": 0}, {"embedding_size": 8}])
def test_embeddings_add_up_to_the_layer(changes):
    encoder = small_encoder(**changes)
    found = kb.explain.embeddings(encoder, "the bank of the river", "she sat")
    inputs = encoder.vectorizer((["the bank of the river"], ["she sat"]))
    layer = encoder.embeddings
    np.testing.assert_array_equal(found.word, layer.word_embeddings(inputs["input_word_ids"])[0])
    np.testing.assert_array_equal(found.position, layer.position_embeddings.embeddings[: len(found.tokens)])
    x = layer.layer_norm(found.sum[None])
    x = x if layer.projection is None else layer.projection(x)
    expected = layer(inputs["input_word_ids"], inputs["input_type_ids"])
    np.testing.assert_allclose(x, expected, atol=2e-6)
    assert (found.segment is None) == (changes.get("type_vocab_size") == 0)
    assert list(found.parts) == [name for name in ("word", "position", "segment", "sum") if name in found.parts]


def test_layer_distances_equal_scipy(encoder):
    states = np.concatenate([outputs(encoder, text)[:, 1:-1] for text in TEXTS], 1).astype("float64")
    found = kb.explain.layer_distances(encoder, TEXTS)
    assert found.tokens == states.shape[1] and found.l2.shape == (3,)
    for i in range(3):
        np.testing.assert_allclose(found.l2[i], np.diag(cdist(states[i], states[i + 1])).mean(), rtol=1e-5)
        cosine = 1 - np.diag(cdist(states[i], states[i + 1], "cosine"))
        np.testing.assert_allclose(found.cosine[i], cosine.mean(), atol=1e-5)
        np.testing.assert_allclose(found.degrees[i], np.degrees(np.arccos(cosine)).mean(), rtol=1e-4)
    with_special = kb.explain.layer_distances(encoder, TEXTS, special_tokens=True)
    assert with_special.tokens == found.tokens + 2 * len(TEXTS)


def test_word_in_context_by_hand(encoder):
    sentences = ["the unknowns of the film", "She sat on a boat . Unknowns is bad", "unknowns , unknowns"]
    found = kb.explain.word_in_context(encoder, sentences, "unknowns", ["a", "b", "b"], layers=[0, 3])
    positions = [(0, [2, 3, 4]), (1, [7, 8, 9]), (2, [1, 2, 3]), (2, [5, 6, 7])]
    vectors = [outputs(encoder, sentences[i])[[0, 3]][:, places].mean(1) for i, places in positions]
    np.testing.assert_allclose(found.vectors, np.stack(vectors, 1), atol=2e-6)
    assert found.groups == ["a", "b", "b", "b"] and found.sentences[2] == found.sentences[3]
    for layer in range(2):
        cosine = 1 - cdist(found.vectors[layer], found.vectors[layer], "cosine")
        np.testing.assert_allclose(found.cosine[layer], cosine, atol=1e-6)
        np.testing.assert_allclose(found.within[layer], cosine[[1, 1, 2], [2, 3, 3]].mean(), atol=1e-6)
        np.testing.assert_allclose(found.between[layer], cosine[0, 1:].mean(), atol=1e-6)


def test_principal_components_equal_scikit_learn():
    from sklearn.decomposition import PCA

    vectors = np.random.default_rng(0).normal(size=(9, 5)) * [5, 3, 1, 1, 1]
    points, shares = principal_components(vectors)
    pca = PCA(2).fit(vectors)
    np.testing.assert_allclose(shares, pca.explained_variance_ratio_, atol=1e-12)
    np.testing.assert_allclose(np.abs(points), np.abs(pca.transform(vectors)), atol=1e-9)
    np.testing.assert_allclose(principal_components(vectors[::-1])[0][::-1], points, atol=1e-9)  # signs are fixed
    np.testing.assert_array_equal(principal_components(np.ones((2, 3)))[0], 0)


def test_similarity_map_uses_the_vectors_of_embed(encoder):
    for pool in ("mean", "cls"):
        found = kb.explain.similarity_map(encoder, TEXTS, list("aabbcc"), pool=pool)
        vectors = kb.embed(encoder, TEXTS, pool=pool)
        np.testing.assert_allclose(found.vectors, vectors, atol=2e-6)
        cosine = 1 - cdist(vectors, vectors, "cosine")
        np.testing.assert_allclose(found.cosine, cosine, atol=1e-5)
        np.fill_diagonal(cosine, -2)
        assert found.nearest.tolist() == cosine.argmax(1).tolist()
        assert found.in_group == sum(i // 2 == j // 2 for i, j in enumerate(found.nearest))
        inside = min(cosine[i, i + 1] for i in (0, 2, 4))
        across = max(cosine[i, j] for i in range(6) for j in range(6) if i // 2 != j // 2)
        assert found.margin == pytest.approx(inside - across, abs=1e-5)


@pytest.mark.slow
def test_bundled_model_separates_music_and_food():
    from keras_bert.explain.geometry.sentences import MUSIC_AND_FOOD, MUSIC_AND_FOOD_GROUPS

    small = kb.load_pretrained("bert_en_uncased_small")
    found = kb.explain.similarity_map(small, list(MUSIC_AND_FOOD), list(MUSIC_AND_FOOD_GROUPS))
    assert (found.pool, found.in_group) == ("mean", 6) and found.margin > 0


@pytest.mark.slow
def test_minilm_separates_music_and_food(minilm):
    from keras_bert.explain.geometry.sentences import MUSIC_AND_FOOD, MUSIC_AND_FOOD_GROUPS

    found = kb.explain.similarity_map(kb.load_pretrained(minilm), list(MUSIC_AND_FOOD), list(MUSIC_AND_FOOD_GROUPS))
    assert (found.pool, found.in_group) == ("mean", 6)


LONG = "bank " * 39
ERRORS = {
    "text longer than the positions": (lambda m: kb.explain.layer_distances(m, ["bank", LONG]), "texts.*41 tokens"),
    "together longer than the positions": (lambda m: kb.explain.embeddings(m, LONG[:150], LONG[:60]), "text.*pair"),
    "empty text": (lambda m: kb.explain.layer_distances(m, ["bank", " "]), "texts.*' '"),
    "no texts": (lambda m: kb.explain.layer_distances(m, []), "texts"),
    "a string for a list": (lambda m: kb.explain.layer_distances(m, "bank"), "texts.*list"),
    "not a string": (lambda m: kb.explain.layer_distances(m, ["bank", 3]), "texts.*list"),
    "word not in a sentence": (
        lambda m: kb.explain.word_in_context(m, ["the bank", "the banks"], "bank"),
        "'bank'.*'the banks'",
    ),
    "one occurrence": (lambda m: kb.explain.word_in_context(m, ["the bank"], "bank"), "sentences.*twice"),
    "no word": (lambda m: kb.explain.word_in_context(m, ["the bank"], " "), "word"),
    "layer out of range": (
        lambda m: kb.explain.word_in_context(m, ["a bank", "bank"], "bank", layers=[0, 4]),
        "layers.*0 … 3.*4",
    ),
    "groups of another length": (lambda m: kb.explain.word_in_context(m, ["a bank", "bank"], "bank", ["x"]), "groups"),
    "five groups": (lambda m: kb.explain.similarity_map(m, TEXTS, list("abcdee")), "groups.*four"),
    "one sentence": (lambda m: kb.explain.similarity_map(m, ["a bank"]), "sentences.*two"),
    "unknown pool": (lambda m: kb.explain.similarity_map(m, TEXTS, pool="median"), "pool"),
    "a name for a model": (lambda m: kb.explain.layer_distances("bert", TEXTS), "pretrained.*'bert'"),
}


@pytest.mark.parametrize("name", ERRORS)
def test_errors_of_one_line(name, encoder):
    call, match = ERRORS[name]
    with pytest.raises(kb.InputError, match=f"^`.*{match}") as error:
        call(encoder)
    assert "\n" not in str(error.value)


def test_rejects_a_model_without_vectorizer():
    with pytest.raises(kb.InputError, match="^`pretrained` must have a vectorizer"):
        kb.explain.layer_distances(kb.BertEncoder(tiny_config()), TEXTS)
    with pytest.raises(kb.InputError, match="^`model` must contain one BertEncoder"):
        kb.explain.layer_distances(keras.Sequential(), TEXTS)


def test_shared_blocks_and_mixed_precision():
    encoder = kb.BertEncoder(tiny_config(vocab_size=30, share_blocks=True, num_layers=3), dtype="mixed_bfloat16")
    encoder.vectorizer = small_encoder().vectorizer
    found = kb.explain.layer_distances(randomize(encoder), TEXTS)
    assert found.l2.shape == (3,) and np.isfinite(found.l2).all()
