"""export_saved_model: the outputs in a process with TensorFlow alone match those of the Keras models."""

import keras
import numpy as np
import pytest

import keras_bert as kb
from tests.helpers import random_inputs, tiny_config

pytestmark = pytest.mark.slow  # the fixture `exports` takes seconds


def _numpy(values):
    return {key: keras.ops.convert_to_numpy(value) for key, value in values.items()}


@pytest.fixture(scope="module")
def served(exports, run_script):
    paths = (exports.text, exports.features, exports.encoder, exports.preprocess)
    return run_script("load_without_keras.py", *paths, *exports.texts)


def test_has_no_custom_ops(served):
    assert served["unknown"].tolist() == []
    assert "LookupTableFindV2" in served["operations"]  # the list is not empty
    assert not [name for name in served["operations"] if "PyFunc" in name]


def test_text_classifier_outputs(served, exports):
    assert served["signatures"].tolist() == ["encode", "labels", "pool", "serving_default", "tokenize"]
    ids = exports.vectorizer(exports.texts)
    logits = keras.ops.convert_to_numpy(exports.classifier(ids, training=False))
    np.testing.assert_allclose(served["text/serving_default/logits"], logits, atol=2e-5)
    probabilities = np.exp(logits) / np.exp(logits).sum(axis=-1, keepdims=True)
    np.testing.assert_allclose(served["text/serving_default/probabilities"], probabilities, atol=1e-5)
    assert served["text/serving_default/label"].tolist() == [exports.labels[row.argmax()] for row in logits]
    assert served["empty"].shape == (0, 2)


def test_truncates_and_pads_to_the_batch(served, exports):
    ids = served["text/tokenize/input_word_ids"]
    assert ids.shape == (len(exports.texts), 32)  # the longest text has more than 32 tokens
    for key, value in _numpy(exports.vectorizer(exports.texts)).items():
        np.testing.assert_array_equal(served[f"text/tokenize/{key}"], value)


@pytest.mark.parametrize("count", [1, 32, 33, 75])
def test_keeps_order_of_texts(exports, count):
    import tensorflow as tf

    rng = np.random.default_rng(count)
    words = np.array(["a", "fine", "film", "unbelievable", "!"])
    texts = [" ".join(rng.choice(words, rng.integers(0, 40))) for _ in range(count)]
    signatures = tf.saved_model.load(str(exports.text)).signatures
    ids = exports.vectorizer(texts)
    logits = keras.ops.convert_to_numpy(exports.classifier(ids, training=False))
    np.testing.assert_allclose(signatures["serving_default"](text=tf.constant(texts))["logits"], logits, atol=2e-5)
    pooled = keras.ops.convert_to_numpy(exports.classifier.encoder(ids, training=False)["pooled_output"])
    found = signatures["pool"](text=tf.constant(texts))
    assert list(found) == ["pooled_output"]
    np.testing.assert_allclose(found["pooled_output"], pooled, atol=2e-5)


def test_short_batch_has_short_rows(exports):
    import tensorflow as tf

    tokenize = tf.saved_model.load(str(exports.text)).signatures["tokenize"]
    assert tokenize(text=tf.constant(["a film", "a fine film"]))["input_word_ids"].shape == (2, 5)


@pytest.mark.parametrize("prefix", ["features", "encoder", "encoder_signature"])
def test_encoder_outputs(served, exports, prefix):
    inputs = exports.vectorizer(exports.texts)
    for key, value in _numpy(exports.pretrainer.encoder(inputs, training=False)).items():
        found = served.get(f"{prefix}/{key.removeprefix('encoder_outputs_') if prefix == 'encoder' else key}")
        if found is None:
            assert prefix == "features" and key.startswith("encoder_outputs")
        else:
            np.testing.assert_allclose(found, value, atol=2e-5)
    if prefix == "encoder":
        np.testing.assert_array_equal(served["encoder/default"], served["encoder/pooled_output"])


def test_encode_outputs(served, exports):
    inputs = exports.vectorizer(exports.texts)
    expected = _numpy(exports.classifier.encoder(inputs, training=False))
    np.testing.assert_allclose(served["text/encode/pooled_output"], expected["pooled_output"], atol=2e-5)
    np.testing.assert_allclose(served["text/encode/sequence_output"], expected["sequence_output"], atol=2e-5)


def test_masked_lm_logits(served, exports):
    inputs = _numpy(exports.vectorizer(exports.texts))
    inputs["masked_lm_positions"] = np.array([[1, 2]] * len(exports.texts))
    logits = _numpy(exports.pretrainer(inputs, training=False))["mlm_logits"]
    np.testing.assert_allclose(served["mlm_logits"], logits, atol=5e-5)


def test_tfhub_vocabulary(served, exports):
    assert served["vocab_file"].tolist() == [*exports.vectorizer.get_vocabulary(), ""]
    assert served["do_lower_case"]


def test_tfhub_variable_names(served, exports, reference_encoder):
    import tensorflow as tf

    reference = tf.saved_model.load(str(reference_encoder))
    assert served["names"].tolist() == [variable.name for variable in reference.variables]  # both have two layers
    exported = tf.saved_model.load(str(exports.encoder))
    for part in ("trainable_variables", "variables"):
        assert [v.name for v in getattr(exported.mlm, part)] == [v.name for v in getattr(reference.mlm, part)]


def test_tfhub_encoder_is_trainable(served, exports):
    assert served["with_gradient"] == len(exports.pretrainer.encoder.trainable_variables)
    assert served["dropout_moves"] > 1e-3


def test_encoder_without_vectorizer(tmp_path):
    import tensorflow as tf

    encoder = kb.BertEncoder(tiny_config(num_layers=1))
    encoder.blocks[0].trainable = False  # a frozen layer is exported as trainable
    loaded = tf.saved_model.load(str(kb.export_saved_model(encoder, tmp_path / "served")))
    assert not hasattr(loaded, "vocab_file") and not hasattr(loaded, "mlm")
    assert len(loaded.trainable_variables) == len(encoder.weights)
    assert kb.compare(encoder, loaded, random_inputs(encoder.config)).passed


def test_mixed_precision_outputs_float32(tmp_path):
    import tensorflow as tf

    encoder = kb.BertEncoder(tiny_config(num_layers=1), dtype="mixed_bfloat16")
    loaded = tf.saved_model.load(str(kb.export_saved_model(encoder, tmp_path / "mixed")))
    inputs = {key: tf.constant(value) for key, value in random_inputs(encoder.config).items()}
    assert loaded(inputs)["sequence_output"].dtype == tf.float32


def test_replaces_existing_folder(exports, tmp_path):
    old = tmp_path / "model"
    old.mkdir()
    (old / "stale.txt").write_text("an old file")
    kb.export_saved_model(exports.vectorizer, old)
    assert (old / "saved_model.pb").is_file() and not (old / "stale.txt").exists()
    assert [file.name for file in tmp_path.iterdir()] == ["model"]


@pytest.mark.parametrize("error", [OSError(28, "No space left on device"), "tensorflow"])
def test_full_disk_leaves_nothing(exports, tmp_path, monkeypatch, error):
    import tensorflow as tf

    if error == "tensorflow":
        error = tf.errors.ResourceExhaustedError(None, None, "No space left on device")

    def fail(root, folder, **_):
        tf.io.gfile.makedirs(folder)
        (tmp_path / "part").rename(f"{folder}/saved_model.pb")
        raise error

    (tmp_path / "part").write_text("half")
    (tmp_path / "model").mkdir()
    (tmp_path / "model" / "kept.txt").write_text("an earlier model")
    monkeypatch.setattr(tf.saved_model, "save", fail)
    with pytest.raises(OSError, match="No space left"):
        kb.export_saved_model(exports.vectorizer, tmp_path / "model")
    assert [file.name for file in tmp_path.iterdir()] == ["model"]
    assert (tmp_path / "model" / "kept.txt").is_file()


def test_rejects_wrong_arguments(exports, tmp_path):
    file = tmp_path / "file"
    file.write_text("not a folder")
    small = kb.BertEncoder(tiny_config(num_layers=1, vocab_size=50))
    text = {"vectorizer": exports.vectorizer}
    cases = [
        (("a string", "out"), {}, "`model`.*Received: str"),
        ((exports.classifier, "out"), {}, "^`vectorizer`.*Received: vectorizer=None"),
        ((exports.classifier, "out"), {**text, "interface": "tfhub"}, "`model`.*Received: BertClassifier"),
        ((exports.classifier, "out"), {**text, "labels": ["one"]}, r"^`labels`.*Received: labels=\['one'\]"),
        ((exports.classifier, "out"), {**text, "labels": ["a", "a"]}, r"^`labels`.*Received: labels=\['a', 'a'\]"),
        ((exports.pretrainer, "out"), {"labels": ["a", "b"]}, "`labels`.*BertPretrainer"),
        ((small, "out"), text, "^`vectorizer`.*vocab_size, 50.*Received"),
        ((small, "out"), {**text, "interface": "tfhub"}, "`vectorizer`.*vocab_size, 50"),
        ((small, "out"), {"interface": "onnx"}, "`interface`.*Received: interface='onnx'"),
        ((small, "out"), {"interface": "text"}, "^`vectorizer`.*Received: vectorizer=None"),
        ((small, "out"), {"vectorizer": ["a", "b"]}, "`vectorizer`.*Received: list"),
        ((exports.vectorizer, "out"), text, "^`vectorizer`.*Received: BertTextVectorization"),
        ((exports.vectorizer, file), {}, "`path`"),
    ]
    for (model, path), options, message in cases:
        with pytest.raises(kb.InputError, match=message) as caught:
            kb.export_saved_model(model, tmp_path / path, **options)
        assert "\n" not in str(caught.value) and "Received: " in str(caught.value)
    assert [entry.name for entry in tmp_path.iterdir()] == ["file"] and file.read_text() == "not a folder"


def test_bfloat16_is_close_and_small(exports, tmp_path):
    import tensorflow as tf

    path = kb.export_saved_model(
        exports.classifier, tmp_path / "half", exports.vectorizer, labels=exports.labels, dtype="bfloat16"
    )
    size = [sum(file.stat().st_size for file in (folder / "variables").iterdir()) for folder in (path, exports.text)]
    assert size[0] < 0.6 * size[1]
    found = tf.saved_model.load(str(path)).signatures["serving_default"](text=tf.constant(exports.texts))
    expected = tf.saved_model.load(str(exports.text)).signatures["serving_default"](text=tf.constant(exports.texts))
    assert found["logits"].dtype == tf.float32
    difference = np.abs(found["probabilities"] - expected["probabilities"]).max()
    assert 0 < difference < 0.03


def test_float32_from_mixed_precision(exports, tmp_path):
    import tensorflow as tf

    mixed = kb.BertClassifier(kb.BertEncoder(exports.classifier.encoder.config, dtype="mixed_bfloat16"))
    mixed.set_weights(exports.classifier.get_weights())
    path = kb.export_saved_model(mixed, tmp_path / "whole", exports.vectorizer, exports.labels, dtype="float32")
    text = tf.constant(exports.texts)
    found, expected = (
        tf.saved_model.load(str(folder)).signatures["serving_default"](text=text) for folder in (path, exports.text)
    )
    np.testing.assert_allclose(found["logits"], expected["logits"], atol=1e-5)


@pytest.mark.parametrize(("dtype", "interface"), [("float16", None), ("bfloat16", "tfhub")])
def test_rejects_unsupported_dtypes(exports, tmp_path, dtype, interface):
    with pytest.raises(kb.InputError, match="`dtype`.*Received: .*float16"):
        kb.export_saved_model(
            exports.pretrainer.encoder, tmp_path / "none", exports.vectorizer, interface=interface, dtype=dtype
        )
    assert not (tmp_path / "none").exists()
