"""SavedModels that take text load as trainable models, from their files alone."""

import json
import shutil

import numpy as np
import pytest

import keras_bert as kb
from keras_bert.catalog.bundled import SENTIMENT
from tests.helpers import randomize, tiny_config

pytestmark = pytest.mark.slow  # each export takes seconds
TOKENS = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "a", "Fine", "film", "##s", "[E1]", "!"]
TEXTS = ["a Fine film!", "films [E1] films", "", "a " * 40]


@pytest.fixture(scope="module")
def vectorizer():
    settings = {"lowercase": False, "sequence_length": 16, "added_tokens": ["[E1]"], "max_word_length": 100}
    return kb.BertTextVectorization(TOKENS, **settings)


def signature(folder, name="serving_default"):
    import tensorflow as tf

    return {k: v.numpy() for k, v in tf.saved_model.load(str(folder)).signatures[name](tf.constant(TEXTS)).items()}


def config(**changes):
    return tiny_config(vocab_size=len(TOKENS), hidden_dropout=0.1, **changes)


@pytest.mark.parametrize("kind", ["classifier", "multi_label", "binary", "feature_classifier"])
def test_outputs_equal_the_graph(kind, vectorizer, tmp_path):
    encoder = kb.BertEncoder(config(pooler=kind != "multi_label"))
    model = {
        "classifier": lambda: kb.BertClassifier(encoder, 3),
        "multi_label": lambda: kb.BertClassifier(encoder, 2, problem_type="multi_label"),
        "binary": lambda: kb.BertClassifier(encoder, 1),
        "feature_classifier": lambda: kb.BertFeatureClassifier(encoder, 2, pool="max"),
    }[kind]()
    names = ["bad", "mixed", "good"][: max(2, model.num_classes)]
    folder = kb.export_saved_model(randomize(model), tmp_path / "served", vectorizer, labels=names)
    loaded = kb.load_pretrained(folder)
    assert loaded.labels == names and loaded.kind == model.kind and loaded.pairs is False
    assert loaded.vocabulary == TOKENS and loaded.sequence_length == 16 and not loaded.lowercase
    assert loaded.added_tokens == ["[E1]"] and loaded.splitting.changes() == {"max_word_length": 100}
    np.testing.assert_allclose(loaded.model(loaded.vectorizer(TEXTS)), signature(folder)["logits"], atol=1e-5)
    assert loaded.encoder.config == encoder.config and len(loaded.model.trainable_weights) > 10


def test_encoder_with_its_pooling(vectorizer, tmp_path):
    encoder = randomize(kb.BertEncoder(config()))
    folder = kb.export_saved_model(encoder, tmp_path / "served", vectorizer, pool="max", normalize=True)
    loaded = kb.load_pretrained(folder)
    assert (loaded.kind, loaded.pool, loaded.normalize) == ("encoder", "max", True)
    found = kb.embed(loaded.encoder, TEXTS, loaded.pool, normalize=True)
    np.testing.assert_allclose(found, signature(folder)["embedding"], atol=1e-5)


def test_bundled_classifier():
    import tensorflow as tf

    loaded = kb.load_pretrained(SENTIMENT)
    texts = ["a fine film .", "two hours of my life that i will never get back .", "Ünïcödé 電影 [SEP]"]
    serve = tf.saved_model.load(str(loaded.path)).signatures["serving_default"]
    assert isinstance(loaded.model, kb.BertClassifier) and loaded.labels == ["negative", "positive"]
    np.testing.assert_allclose(
        loaded.model(loaded.vectorizer(texts)), serve(text=tf.constant(texts))["logits"], atol=1e-5
    )
    assert isinstance(kb.BertClassifier.from_pretrained(SENTIMENT), kb.BertClassifier)


def test_rejects_other_saved_models(vectorizer, tmp_path):
    """Of others; of another config than the variables; with a damaged config; with an unknown class."""
    import tensorflow as tf

    module = tf.Module()
    module.serve = tf.function(lambda text: {"logits": tf.strings.length(text)}, [tf.TensorSpec([None], tf.string)])
    tf.saved_model.save(module, str(tmp_path / "other"), signatures=module.serve)
    with pytest.raises(kb.InputError, match="^`source`.*export_saved_model.*Received: source=.*other"):
        kb.load_pretrained(tmp_path / "other")

    model = kb.BertClassifier(kb.BertEncoder(config()))
    good = kb.export_saved_model(model, tmp_path / "good", vectorizer)
    file = "assets/keras_bert_model.json"
    settings = json.loads((good / file).read_text("utf-8"))

    def rejects(text, match):
        folder = tmp_path / "changed"
        shutil.copytree(good, folder)
        (folder / file).write_text(text, "utf-8")
        with pytest.raises(kb.InputError, match=match) as error:
            kb.load_pretrained(folder)
        assert "\n" not in str(error.value)
        shutil.rmtree(folder)

    rejects("{", "^`path`.*JSON")
    rejects(json.dumps({**settings, "labels": 3}), "Received: .*labels=3")
    rejects(json.dumps({**settings, "labels": ["one"]}), "^`labels`.*2 different names")
    rejects(json.dumps({**settings, "kind": "encoder"}), "of the kind that it states.*BertClassifier")
    rejects(json.dumps(settings).replace("BertEncoder", "Foreign"), "^`source`.*can build")
    rejects(json.dumps(settings).replace('"num_layers": 2', '"num_layers": 1'), "^`source`.*variable")
