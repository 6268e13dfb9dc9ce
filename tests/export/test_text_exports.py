"""SavedModels that take text: pooled vectors, the signature `pool`, and the limit on the length of a text."""

import numpy as np
import pytest

import keras_bert as kb
from tests.helpers import randomize, tiny_config

pytestmark = pytest.mark.slow  # each export takes seconds


@pytest.fixture(scope="module")
def signatures_of(exports, tmp_path_factory):
    """A function that exports an encoder, with further arguments, and loads its signatures."""
    import tensorflow as tf

    def run(encoder, **options):
        path = kb.export_saved_model(encoder, tmp_path_factory.mktemp("model") / "out", exports.vectorizer, **options)
        return tf.saved_model.load(str(path)).signatures

    return run


@pytest.mark.parametrize(("pool", "normalize"), [("mean", True), ("max", False), ("pooled", True)])
def test_pooled_vectors(exports, signatures_of, pool, normalize):
    import tensorflow as tf

    encoder = exports.pretrainer.encoder
    signatures = signatures_of(encoder, pool=pool, normalize=normalize)
    expected = kb.embed(encoder, exports.texts, pool, vectorizer=exports.vectorizer, normalize=normalize)
    for name in ("serving_default", "pool"):
        found = signatures[name](text=tf.constant(exports.texts))
        assert list(found) == ["embedding"]
        np.testing.assert_allclose(found["embedding"], expected, atol=2e-5)
    assert signatures["serving_default"](text=tf.constant([], tf.string))["embedding"].shape == (0, 32)
    scalar = signatures["serving_default"](text=tf.constant(exports.texts[0]))["embedding"]
    np.testing.assert_allclose(scalar, expected[:1], atol=2e-5)


@pytest.mark.parametrize("kind", ["untrained pooler", "no pooler"])
def test_signature_pool_is_the_mean_without_a_trained_pooler(exports, signatures_of, kind):
    import tensorflow as tf

    config = tiny_config(vocab_size=exports.vectorizer.vocabulary_size(), pooler=kind != "no pooler")
    encoder = randomize(kb.BertEncoder(config))
    if encoder.pooler is not None:
        encoder.pooler.dense.bias.assign(np.zeros(32))  # as after pretraining with a masked LM alone
    found = signatures_of(encoder)["pool"](text=tf.constant(exports.texts))
    expected = kb.embed(encoder, exports.texts, "mean", vectorizer=exports.vectorizer)
    assert list(found) == ["embedding"]
    np.testing.assert_allclose(found["embedding"], expected, atol=2e-5)


@pytest.mark.parametrize("limit", [5, 13, 1000])
def test_max_text_length(exports, signatures_of, tmp_path, limit):
    import tensorflow as tf

    texts = [*exports.texts, "\u00e9\u4e2d\U0001f3ac film film", "x" * 3000]
    expected = exports.vectorizer([text[:limit] for text in texts])["input_word_ids"]
    found = signatures_of(exports.pretrainer.encoder, max_text_length=limit)["tokenize"](text=tf.constant(texts))
    ids = found["input_word_ids"].numpy()
    np.testing.assert_array_equal(np.pad(ids, ((0, 0), (0, 32 - ids.shape[1]))), expected)
    preprocess = tf.saved_model.load(
        str(kb.export_saved_model(exports.vectorizer, tmp_path / "preprocess", max_text_length=limit))
    )
    np.testing.assert_array_equal(preprocess(tf.constant(texts))["input_word_ids"], expected)
    cut = preprocess.tokenize(tf.constant(texts)).merge_dims(1, 2).to_list()
    assert cut == exports.vectorizer.tokenize([text[:limit] for text in texts]).to_list()
    # Bytes that are not UTF-8 are ignored with a limit too.
    assert preprocess.tokenize(tf.constant([b"\xff\x80film"])).shape[0] == 1


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"normalize": True}, "^`normalize`.*Received: normalize=True"),
        ({"pool": "median"}, "^`pool`.*Received: pool='median'"),
        ({"pool": "last4"}, "^`pool`.*2 blocks.*Received: pool='last4'"),
        ({"pool": "mean", "interface": "tfhub"}, "^`pool`.*TF-Hub.*Received: 'mean'"),
        ({"max_text_length": 9, "interface": "tfhub"}, "^`max_text_length`.*TF-Hub.*Received: 9"),
        ({"max_text_length": 0}, "^`max_text_length`.*Received: max_text_length=0"),
        ({"max_text_length": True}, "^`max_text_length`.*Received: max_text_length=True"),
    ],
)
def test_rejects_pooling_and_limits(exports, tmp_path, options, message):
    with pytest.raises(kb.InputError, match=message):
        kb.export_saved_model(exports.pretrainer.encoder, tmp_path / "none", exports.vectorizer, **options)
    with pytest.raises(kb.InputError, match="`pool`.*BertClassifier"):
        kb.export_saved_model(exports.classifier, tmp_path / "none", exports.vectorizer, pool="mean")
    assert not (tmp_path / "none").exists()
