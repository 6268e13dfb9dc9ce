"""The recipe that TF-Hub publishes (preprocess, encode, fine-tune, by hub.KerasLayer) runs on ours unchanged."""

import keras
import numpy as np
import pytest

import keras_bert as kb
from keras_bert.weights import encoder_from_tfhub

pytest.importorskip("tf_keras", reason="hub.KerasLayer needs tf_keras")


def test_on_ours(exports, run_script):
    found = run_script("two_models.py", exports.preprocess, exports.encoder, TF_USE_LEGACY_KERAS="1")
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
    assert found["moved"] >= found["trainable"] - len(encoder.blocks)  # key biases have no gradient: softmax cancels it


def test_on_ours_as_on_theirs(reference_encoder, run_script, tmp_path):
    """The same script on Google's two models and on our export of the same weights and vocabulary: the same numbers."""
    pytest.importorskip("tensorflow_text", reason="Google's preprocessing model needs tensorflow_text")
    theirs = reference_encoder.parent / "bert_en_uncased_preprocess"
    vocabulary = reference_encoder / "assets" / "bert_en_uncased.txt"
    vectorizer = kb.BertTextVectorization(vocabulary, sequence_length=None)
    encoder, _ = encoder_from_tfhub(reference_encoder)
    ours = run_script(
        "two_models.py",
        kb.export_saved_model(vectorizer, tmp_path / "preprocess"),
        kb.export_saved_model(encoder, tmp_path / "encoder", vectorizer, interface="tfhub"),
        TF_USE_LEGACY_KERAS="1",
    )
    google = run_script("two_models.py", theirs, reference_encoder, "tensorflow_text", TF_USE_LEGACY_KERAS="1")
    assert set(ours) == set(google)
    for key, value in google.items():
        if key == "moved":  # dropout is drawn anew in each process
            continue
        np.testing.assert_allclose(ours[key], value, atol=5e-5, err_msg=key)
