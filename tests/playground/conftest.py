"""Tiny models for the playground."""

import keras
import pytest

import keras_bert as kb

REVIEWS = 40  # of the packaged sample, to save time


def build_models(folder):
    """Save a random pretrainer, classifier and span labeler with a vocabulary of the sample; return their folders."""
    keras.utils.set_random_seed(3)
    vocabulary = kb.learn_vocabulary(kb.load_labeled("sample").dev_texts, 400)
    vectorizer = kb.BertTextVectorization(vocabulary, sequence_length=128)
    config = kb.BertConfig(len(vocabulary), 16, 2, 2, 32, max_position_embeddings=160, initializer_range=0.3)
    encoder = kb.BertEncoder(config)
    folders = [folder / name for name in ("encoder", "classifier", "spans")]
    kb.save_pretrained(kb.BertPretrainer(encoder), folders[0], vectorizer)
    kb.save_pretrained(kb.BertClassifier(encoder, 2), folders[1], vectorizer, labels=["negative", "positive"])
    kb.save_pretrained(kb.BertSpanLabeler(encoder), folders[2], vectorizer)
    return folders


@pytest.fixture(scope="session")
def folders(tmp_path_factory):
    """The folders of the three models."""
    return build_models(tmp_path_factory.mktemp("playground"))


@pytest.fixture(scope="session")
def models(folders):
    """The models of a playground with a part of the sample."""
    pytest.importorskip("starlette", reason="the extra `playground` is not installed")
    from keras_bert.playground.models import load_models

    made = load_models(*map(str, folders))
    made.reviews, made.review_labels = made.reviews[:REVIEWS], made.review_labels[:REVIEWS]
    return made
