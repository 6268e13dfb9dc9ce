"""The code of TensorFlow's notebooks for BERT runs with the exports, saving and reloading included."""

import numpy as np
import pytest

import keras_bert as kb

pytest.importorskip("tf_keras", reason="hub.KerasLayer needs tf_keras")
pytestmark = pytest.mark.slow


def check_results(found):
    for name in ("reloaded", "served"):
        np.testing.assert_allclose(found[name], found["original"], atol=1e-5)
        np.testing.assert_allclose(found[f"glue_{name}"], found["glue_original"], atol=1e-5)
    assert found["scalar"].shape == (3, 1, found["scalar"].shape[2])
    assert found["original"].shape == (4, 1) and np.ptp(found["original"]) > 0
    assert found["glue_original"].shape == (4, 2) and np.ptp(found["glue_original"][:, 0]) > 0


def test_notebooks_run_with_exports(exports, run_script, tmp_path):
    found = run_script("notebooks.py", exports.preprocess, exports.encoder, tmp_path, TF_USE_LEGACY_KERAS="1")
    check_results(found)
    vectorizer = kb.BertTextVectorization(exports.vectorizer.get_vocabulary(), sequence_length=16)
    expected = vectorizer((["some random test sentence"], ["another sentence"]))["input_word_ids"]
    np.testing.assert_array_equal(found["packed"], expected)


def test_notebooks_match_google(reference_encoder, run_script, tmp_path):
    """Google's preprocessing model and an export of its vocabulary return the same ids in the notebooks' models."""
    pytest.importorskip("tensorflow_text", reason="Google's preprocessing model needs tensorflow_text")
    google = reference_encoder.parent / "bert_en_uncased_preprocess"
    ours = kb.export_saved_model(
        kb.BertTextVectorization(reference_encoder / "assets" / "bert_en_uncased.txt"), tmp_path / "preprocess"
    )
    found, expected = (
        run_script("notebooks.py", path, reference_encoder, tmp_path / name, *more, TF_USE_LEGACY_KERAS="1")
        for path, name, more in ((ours, "ours", []), (google, "google", ["tensorflow_text"]))
    )
    for results in (found, expected):
        check_results(results)
    for name in ("packed", "scalar"):
        np.testing.assert_array_equal(found[name], expected[name])
    for name in ("pooled", "sequence"):
        np.testing.assert_allclose(found[name], expected[name], atol=2e-5)
