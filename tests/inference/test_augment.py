"""Augmentation of texts with a masked language model."""

import numpy as np
import pytest

import keras_bert as kb
from keras_bert.inference.augment import augment

TEXTS = ["She opened the door and went in.", "A fine film, unfathomably good!"]


@pytest.fixture(scope="module")
def pretrained():
    return kb.load_pretrained("bert_en_uncased_mini")


@pytest.mark.slow
def test_candidates_equal_fill_mask(pretrained):
    """With one candidate and probability 1, each word becomes the best whole word of `fill_mask` at its place."""
    words = "she opened the door".split()
    (new,), _ = augment(pretrained, [" ".join(words)], replace_prob=1.0, top_k=1)
    for i, word in enumerate(new.split()):
        masked = " ".join("[MASK]" if i == j else each for j, each in enumerate(words))
        predictions = kb.fill_mask(pretrained, [masked], top_k=20)[0]["masks"][0]["predictions"]
        assert word == next(each["token"] for each in predictions if each["token"].isalpha())


def test_keeps_punctuation_and_words_of_several_tokens(pretrained):
    new_texts, sources = augment(pretrained, TEXTS, copies=5, replace_prob=1.0, seed=1)
    assert sources.tolist() == sorted(sources) and set(sources) == {0, 1}
    for text, source in zip(new_texts, sources, strict=True):
        assert text != TEXTS[source] and len(text.split()) == len(TEXTS[source].split())
        assert text.endswith("!") == TEXTS[source].endswith("!")
        assert ("unfathomably" in text) == (source == 1)
    assert len(set(new_texts)) == len(new_texts)


def test_same_seed_gives_the_same_texts(pretrained):
    settings = ({"seed": 1}, {"seed": 1, "batch_size": 3}, {"seed": 2})
    first, again, other = (augment(pretrained, TEXTS, copies=3, **each)[0] for each in settings)
    assert first == again != other


def test_rejects_models_without_head_and_values_out_of_range(pretrained, tmp_path):
    for name, value in (("copies", 0), ("replace_prob", 0.0), ("top_k", 0)):
        with pytest.raises(kb.InputError, match=f"`{name}`"):
            augment(pretrained, TEXTS, **{name: value})
    classifier = kb.BertClassifier(pretrained.encoder, num_classes=2)
    folder = kb.save_pretrained(classifier, tmp_path / "model", pretrained.vectorizer)
    with pytest.raises(kb.InputError, match="`pretrained`"):
        augment(kb.load_pretrained(folder), TEXTS)


def test_text_without_words_gives_no_copy(pretrained):
    texts, sources = augment(pretrained, ["...", "42"], copies=2)
    assert texts == [] and isinstance(sources, np.ndarray)
