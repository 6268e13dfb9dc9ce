"""The code of TensorFlow's notebooks for BERT runs with the exports, saving and reloading included."""

import numpy as np
import pytest

import keras_bert as kb

pytest.importorskip("tf_keras", reason="hub.KerasLayer needs tf_keras")
pytestmark = pytest.mark.slow


def test_notebooks_run_with_exports(exports, run_script, tmp_path):
    found = run_script("notebooks.py", exports.preprocess, exports.encoder, tmp_path, TF_USE_LEGACY_KERAS="1")
    for name in ("reloaded", "served"):
        np.testing.assert_allclose(found[name], found["original"], atol=1e-5)
        np.testing.assert_allclose(found[f"glue_{name}"], found["glue_original"], atol=1e-5)
    assert found["scalar"].shape == (3, 1, found["scalar"].shape[2])
    assert found["original"].shape == (4, 1) and np.ptp(found["original"]) > 0
    assert found["glue_original"].shape == (4, 2) and np.ptp(found["glue_original"][:, 0]) > 0
    vectorizer = kb.BertTextVectorization(exports.vectorizer.get_vocabulary(), sequence_length=16)
    expected = vectorizer((["some random test sentence"], ["another sentence"]))["input_word_ids"]
    np.testing.assert_array_equal(found["packed"], expected)


def test_notebooks_match_google(reference_encoder, run_script, tmp_path):
    """An export of Google's vocabulary returns the ids of Google's preprocessing model in the notebooks' calls."""
    pytest.importorskip("tensorflow_text", reason="Google's preprocessing model needs tensorflow_text")
    google = reference_encoder.parent / "bert_en_uncased_preprocess"
    ours = kb.export_saved_model(
        kb.BertTextVectorization(reference_encoder / "assets" / "bert_en_uncased.txt"), tmp_path / "preprocess"
    )
    found = run_script("preprocessing.py", ours, google, reference_encoder, TF_USE_LEGACY_KERAS="1")
    names = [name.removeprefix("google_") for name in found if name.startswith("google_")]
    assert len(names) == 9  # two outputs, three inputs of each of two calls, and those of a scalar together
    for name in names:
        tolerance = 2e-5 if name in ("pooled", "sequence") else 0
        np.testing.assert_allclose(found[f"ours_{name}"], found[f"google_{name}"], atol=tolerance, rtol=0, err_msg=name)
