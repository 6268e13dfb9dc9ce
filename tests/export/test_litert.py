"""export_litert: LiteRT's interpreter computes what Keras computes, for any number of rows."""

import json

import keras
import numpy as np
import pytest
import tensorflow as tf

import keras_bert as kb
from keras_bert.layers import TransformerBlock
from keras_bert.models.pooling import pool_outputs
from tests.export.modified_layers import modified_and_equal
from tests.export.test_onnx import KINDS, new_model, run_keras
from tests.helpers import random_inputs, randomize, tiny_config, to_numpy

LENGTH = 12
pytestmark = pytest.mark.filterwarnings("ignore:.*tf.lite.Interpreter")


def open_file(folder):
    return tf.lite.Interpreter(str(folder / "model.tflite"))


def run_litert(folder, inputs: dict) -> dict:
    return open_file(folder).get_signature_runner("serving_default")(**inputs)


def some_inputs(model, batch: int = 3) -> dict:
    config = getattr(model, "encoder", model).config
    rows = random_inputs(config, 3, LENGTH, positions=4 if isinstance(model, kb.BertPretrainer) else 0)
    return {name: array[:batch] for name, array in rows.items()}


FAST = ("classifier", "encoder", "span labeler")


@pytest.mark.parametrize("kind", [pytest.param(kind, marks=[pytest.mark.slow] * (kind not in FAST)) for kind in KINDS])
def test_outputs_match_keras(kind, tmp_path):
    model = new_model(kind)
    folder = kb.export_litert(model, tmp_path / "out", sequence_length=LENGTH)
    assert [file.name for file in folder.iterdir()] == ["model.tflite"]
    for batch in (3, 0, 1):
        inputs = some_inputs(model, batch)
        expected, found = run_keras(model, inputs), run_litert(folder, inputs)
        assert set(found) == set(expected)
        for name, value in expected.items():
            assert found[name].shape == value.shape
            np.testing.assert_allclose(found[name], value, atol=1e-5, err_msg=name)


@pytest.mark.parametrize("activation", ["gelu", "relu"])
def test_every_activation(activation, tmp_path):
    model = new_model("classifier", activation=activation)
    folder = kb.export_litert(model, tmp_path / "out", sequence_length=LENGTH)
    inputs = some_inputs(model)
    np.testing.assert_allclose(run_litert(folder, inputs)["logits"], run_keras(model, inputs)["logits"], atol=1e-5)


VARIANTS = {
    "DistilBERT": {"type_vocab_size": 0, "pooler": False},
    "ALBERT": {"embedding_size": 16, "share_blocks": True},
}


@pytest.mark.slow
@pytest.mark.parametrize("name", VARIANTS)
def test_variants(name, tmp_path):
    model = new_model("encoder", **VARIANTS[name])
    folder = kb.export_litert(model, tmp_path / "out", sequence_length=LENGTH)
    inputs = some_inputs(model)
    expected, found = run_keras(model, inputs), run_litert(folder, inputs)
    assert set(found) == set(expected)
    for output, value in expected.items():
        np.testing.assert_allclose(found[output], value, atol=1e-5)


def test_has_fixed_length_and_builtin_operations(tmp_path):
    interpreter = open_file(kb.export_litert(new_model("classifier"), tmp_path / "out"))
    shapes = {tuple(detail["shape_signature"]) for detail in interpreter.get_input_details()}
    assert shapes == {(-1, 40)}  # the positions, which are below the default length
    operations = {detail["op_name"] for detail in interpreter._get_ops_details()}
    assert "FULLY_CONNECTED" in operations
    assert not [name for name in operations if name.startswith("Flex") or name == "CUSTOM"]
    assert "GELU" in operations  # one operation, not the tanh and the products


@pytest.mark.slow
@pytest.mark.parametrize(("problem_type", "outputs"), [("multi_label", 2), ("regression", 1), ("binary", 2)])
def test_classifiers(problem_type, outputs, tmp_path):
    count = 1 if problem_type == "binary" else 3
    model = randomize(kb.BertClassifier(kb.BertEncoder(tiny_config()), count, problem_type=problem_type))
    inputs = some_inputs(model)
    logits = to_numpy(model(inputs))
    found = run_litert(kb.export_litert(model, tmp_path / "out", sequence_length=LENGTH), inputs)
    assert len(found) == outputs
    if problem_type == "binary":  # one logit x becomes the logits (0, x)
        logits = np.concatenate([0 * logits, logits], -1)
    np.testing.assert_allclose(found["logits"], logits, atol=1e-5)
    if problem_type == "multi_label":
        np.testing.assert_allclose(found["probabilities"], 1 / (1 + np.exp(-logits)), atol=1e-5)


@pytest.mark.slow
@pytest.mark.parametrize(("pool", "normalize"), [("mean", True), ("max", False), ("last4", True), ("pooled", False)])
def test_pooled_vectors(pool, normalize, tmp_path):
    encoder = randomize(kb.BertEncoder(tiny_config(num_layers=4)))
    folder = kb.export_litert(encoder, tmp_path / "out", sequence_length=LENGTH, pool=pool, normalize=normalize)
    for batch in (3, 0):
        inputs = some_inputs(encoder, batch)
        expected = to_numpy(pool_outputs(encoder(inputs), inputs["input_mask"], pool, normalize))
        np.testing.assert_allclose(run_litert(folder, inputs)["embedding"], expected, atol=1e-5)


@pytest.mark.slow
def test_modified_layers_are_exported(tmp_path):
    modified, equal = modified_and_equal("attention", tiny_config())
    inputs = some_inputs(equal)
    found = run_litert(kb.export_litert(modified, tmp_path / "out", sequence_length=LENGTH), inputs)
    np.testing.assert_allclose(found["logits"], to_numpy(equal(inputs)), atol=2e-5)


@pytest.mark.slow
def test_mixed_precision_is_exported_in_float32(tmp_path):
    model = randomize(kb.BertClassifier(kb.BertEncoder(tiny_config(), dtype="mixed_bfloat16")))
    plain = kb.BertClassifier(kb.BertEncoder(tiny_config()))
    plain.set_weights(model.get_weights())
    inputs = some_inputs(model)
    found = run_litert(kb.export_litert(model, tmp_path / "out", sequence_length=LENGTH), inputs)
    np.testing.assert_allclose(found["logits"], to_numpy(plain(inputs)), atol=1e-5)


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["encoder", "pretrainer"])
def test_int8_is_close_and_small(kind, tmp_path):
    model = new_model(kind, hidden_size=64, intermediate_size=256, vocab_size=500)
    large, small = (
        kb.export_litert(model, tmp_path / dtype, sequence_length=LENGTH, dtype=dtype) for dtype in ("float32", "int8")
    )
    sizes = [(folder / "model.tflite").stat().st_size for folder in (small, large)]
    assert sizes[0] < 0.5 * sizes[1]
    inputs = some_inputs(model)
    found = run_litert(small, inputs)
    for name, value in run_keras(model, inputs).items():
        difference = np.abs(found[name] - value).max() / np.abs(value).max()
        assert 0 < difference < 0.1, f"{name} differs by {difference:.2g} of its largest value"
    none = run_litert(small, some_inputs(model, 0))
    assert {name: len(value) for name, value in none.items()} == dict.fromkeys(found, 0)


@pytest.mark.slow
def test_tokenizer_files(models, tmp_path):
    folder = kb.export_litert(models.classifier, tmp_path / "out", models.vectorizer, models.labels, sequence_length=20)
    assert json.loads((folder / "config.json").read_text(encoding="utf-8")) == {
        **{"kind": "classifier", "labels": models.labels, "lowercase": True, "added_tokens": [], "sequence_length": 20},
        **{"problem_type": "single_label", "pairs": None, "no_answer": None},
    }
    assert (folder / "vocab.txt").read_text(encoding="utf-8").split("\n")[:-1] == models.vectorizer.get_vocabulary()
    default = kb.export_litert(models.classifier, tmp_path / "default", models.vectorizer)
    assert json.loads((default / "config.json").read_text(encoding="utf-8"))["sequence_length"] == 32


@keras.saving.register_keras_serializable(package="test_litert")
class BlockWithSvd(TransformerBlock):
    def call(self, hidden_states, input_mask=None, positions=None, training=None):
        x = super().call(hidden_states, input_mask, positions, training)
        return x * tf.linalg.svd(x, compute_uv=False)[:, :1, None]


def test_rejects_unknown_operations(tmp_path, capfd):
    encoder = kb.BertEncoder(tiny_config(num_layers=1), block=BlockWithSvd)
    with pytest.raises(kb.InputError, match="^`model`.*Received: .*Svd.*export_saved_model") as caught:
        kb.export_litert(encoder, tmp_path / "out", sequence_length=LENGTH)
    assert "\n" not in str(caught.value) and "Svd" not in "".join(capfd.readouterr())
    assert not list(tmp_path.iterdir())


def test_rejects_other_backends(tmp_path, monkeypatch):
    monkeypatch.setattr(keras.backend, "backend", lambda: "jax")
    with pytest.raises(kb.InputError, match="^`KERAS_BACKEND` must be tensorflow to export a LiteRT.*=jax"):
        kb.export_litert(None, tmp_path / "out")


def test_full_disk_leaves_nothing(tmp_path, monkeypatch):
    from pathlib import Path

    def fail(file, data):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "write_bytes", fail)
    with pytest.raises(OSError, match="No space left"):
        kb.export_litert(new_model("encoder", num_layers=1), tmp_path / "out")
    assert not list(tmp_path.iterdir())


def test_rejects_wrong_arguments(models, tmp_path):
    small = kb.BertEncoder(tiny_config(num_layers=1, vocab_size=50))
    classifier = kb.BertClassifier(small)
    cases = [
        (("a string", "out"), {}, "`model`.*Received: str"),
        ((models.vectorizer, "out"), {}, "`model`.*Received: BertTextVectorization"),
        ((small, "out"), {"labels": ["a", "b"]}, "^`labels`.*Received: .*BertEncoder"),
        ((small, "out"), {"vectorizer": models.vectorizer}, "`vectorizer`.*vocab_size, 50.*Received"),
        ((small, "out"), {"dtype": "bfloat16"}, "`dtype`.*Received: dtype='bfloat16'"),
        ((small, "out"), {"sequence_length": 41}, "`sequence_length`.*40 positions.*Received: sequence_length=41"),
        ((small, "out"), {"sequence_length": 2}, "`sequence_length`.*Received: sequence_length=2"),
        ((small, "out"), {"normalize": True}, "`normalize`.*Received: normalize=True"),
        ((small, "out"), {"pool": "median"}, "`pool`.*Received: pool='median'"),
        ((small, "out"), {"pool": "last4"}, "`pool`.*1 blocks.*Received: pool='last4'"),
        ((classifier, "out"), {"pool": "mean"}, "`pool`.*BertClassifier.*Received: pool='mean'"),
    ]
    for (model, path), options, message in cases:
        with pytest.raises(kb.InputError, match=message) as caught:
            kb.export_litert(model, tmp_path / path, **options)
        assert "\n" not in str(caught.value) and "Received: " in str(caught.value)
    assert not list(tmp_path.iterdir())
