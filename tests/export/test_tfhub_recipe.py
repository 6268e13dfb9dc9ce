"""The recipe of TF-Hub (preprocess, encode and fine-tune with hub.KerasLayer) runs with the exports, unchanged."""

import keras
import numpy as np
import pytest

import keras_bert as kb
from keras_bert.weights import encoder_from_tfhub

pytest.importorskip("tf_keras", reason="hub.KerasLayer needs tf_keras")
pytestmark = pytest.mark.slow


def test_recipe_runs_with_exports(exports, run_script):
    found = run_script("tfhub_recipe.py", exports.preprocess, exports.encoder, TF_USE_LEGACY_KERAS="1")
    sentences = ["a fine film", "unbelievable, this film!", "", "films film films film film film film film"]
    others = ["film", "a fine film a fine film a fine film", "fine", "film film films"]
    pairs = kb.BertTextVectorization(exports.vectorizer.get_vocabulary(), sequence_length=12)
    encoder = exports.pretrainer.encoder
    for kind, ids in (("single", exports.vectorizer(sentences)), ("pair", pairs((sentences, others)))):
        for key, value in ids.items():
            np.testing.assert_array_equal(found[f"{kind}/{key}"], keras.ops.convert_to_numpy(value))
        pooled = keras.ops.convert_to_numpy(encoder(ids, training=False)["pooled_output"])
        np.testing.assert_allclose(found[f"{kind}/pooled_output"], pooled, atol=2e-5)
    assert found["ragged_rank"] == 2 and found["words"].tolist() == [3, 5, 0, 8]
    assert found["trainable"] == len(encoder.trainable_variables)
    # The biases of the keys have no gradient: the softmax cancels them.
    assert found["moved"] >= found["trainable"] - len(encoder.blocks)


def test_recipe_matches_google(reference_encoder, run_script, tmp_path):
    """Google's two models, and an export of the same weights and vocabulary, return the same numbers."""
    pytest.importorskip("tensorflow_text", reason="Google's preprocessing model needs tensorflow_text")
    preprocess = reference_encoder.parent / "bert_en_uncased_preprocess"
    vocabulary = reference_encoder / "assets" / "bert_en_uncased.txt"
    vectorizer = kb.BertTextVectorization(vocabulary, sequence_length=None)
    encoder, _ = encoder_from_tfhub(reference_encoder)
    found = run_script(
        "tfhub_recipe.py",
        kb.export_saved_model(vectorizer, tmp_path / "preprocess"),
        kb.export_saved_model(encoder, tmp_path / "encoder", vectorizer, interface="tfhub"),
        TF_USE_LEGACY_KERAS="1",
    )
    expected = run_script("tfhub_recipe.py", preprocess, reference_encoder, "tensorflow_text", TF_USE_LEGACY_KERAS="1")
    assert set(found) == set(expected)
    for key, value in expected.items():
        if key != "moved":  # dropout differs in each process
            np.testing.assert_allclose(found[key], value, atol=5e-5, err_msg=key)
