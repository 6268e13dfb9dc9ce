"""Checkpoints with random weights that Google's code wrote, with its outputs; `model_garden/make.py` made them."""

import shutil
from pathlib import Path

import numpy as np
import pytest

import keras_bert as kb
from keras_bert.parity import check
from keras_bert.weights.formats.tf_checkpoint import OBJECT_SUFFIX
from keras_bert.weights.load import build_model, load_weights, open_source

FOLDER = Path(__file__).parent / "model_garden"


def outputs(model, rows) -> dict:
    encoder = getattr(model, "encoder", model)
    found = dict(encoder({key: rows[key] for key in encoder.input}))
    if model is not encoder:
        found |= model({key: rows[key] for key in model.input})
    return found


@pytest.mark.parametrize("name", ["bert", "albert"])
def test_computes_recorded_outputs(name):
    source = open_source(FOLDER / name)
    assert source.format == "model_garden"
    model = build_model(source)
    recorded = np.load(FOLDER / name / "outputs.npz")
    received = outputs(model, recorded)
    real = recorded["input_mask"] == 1
    compared = set(recorded) & set(received)
    layers = {f"encoder_outputs_{i}" for i in range(source.config.num_layers)}
    assert compared == {"sequence_output", "pooled_output", *layers, *(["mlm_logits"] if name == "bert" else [])}
    for key in compared:
        found, expected = np.asarray(received[key]), recorded[key]
        if expected.shape[:2] == real.shape and key != "mlm_logits":
            found, expected = found[real], expected[real]
        np.testing.assert_allclose(found, expected, atol=5e-5, rtol=0, err_msg=key)
        assert expected.std() > 0.01


@pytest.mark.parametrize("name", ["bert", "albert"])
def test_check_runs_keras_hub(name):
    report = check(FOLDER / name)
    assert report.passed and report.reference.startswith("KerasHub ")
    assert "sequence_output" in report.parity.max_abs_difference


@pytest.mark.slow
def test_tfhub_albert_round_trip(tmp_path):
    report = check(FOLDER / "albert_tfhub")
    assert report.passed and len(report.parity.max_abs_difference["encoder_outputs"]) == 3
    assert report.weights.parameters == report.parity.parameters
    found = kb.load_pretrained(FOLDER / "albert_tfhub")
    assert found.encoder.config.share_blocks and found.encoder.config.embedding_size == 8
    back = kb.export_saved_model(found.encoder, tmp_path / "back", found.vectorizer, interface="tfhub")
    assert check(back).passed
    import tensorflow as tf

    models = [tf.saved_model.load(str(path)) for path in (FOLDER / "albert_tfhub", back)]
    for one, two in zip(*(sorted(m.variables, key=lambda v: v.name) for m in models), strict=True):
        assert one.name == two.name and np.array_equal(one.numpy(), two.numpy())


def changed_copy(name, folder, change) -> Path:
    """Copy a checkpoint; `change` gets and returns its tensors, by names without `OBJECT_SUFFIX`."""
    import tensorflow as tf

    shutil.copytree(FOLDER / name, folder / name)
    reader = tf.train.load_checkpoint(str(folder / name / "bert_model.ckpt-1"))
    tensors = {
        key.removesuffix(OBJECT_SUFFIX): reader.get_tensor(key)
        for key in reader.get_variable_to_shape_map()
        if not key.startswith("_CHECKPOINTABLE")
    }
    tensors = change(tensors)
    for file in (folder / name).glob("bert_model.ckpt-1*"):
        file.unlink()
    tf.raw_ops.SaveV2(
        prefix=str(folder / name / "bert_model.ckpt"),
        tensor_names=[key + OBJECT_SUFFIX for key in tensors],
        shape_and_slices=[""] * len(tensors),
        tensors=list(tensors.values()),
    )
    return folder / name


@pytest.mark.parametrize("same", [True, False])
def test_tied_table_may_be_stored_twice(same, tmp_path):
    def add_copy(tensors):
        table = tensors["masked_lm/embedding_table"]
        return {**tensors, "encoder/layer_with_weights-0/embeddings": table if same else table + 1}

    folder = changed_copy("bert", tmp_path, add_copy)
    found, original = open_source(folder), open_source(FOLDER / "bert")
    one, two = (each.parts["encoder"]["word_embeddings/embeddings"] for each in (found, original))
    np.testing.assert_array_equal(one, two if same else two + 1)
    assert ("masked_lm" in found.parts) == same
    assert ("masked_lm/embedding_table" in found.skipped) != same and found.skipped[-1] == "save_counter"


@pytest.mark.parametrize("with_untrained", [True, False])
def test_reads_pooler_of_next_sentence_head(with_untrained, tmp_path):
    def move_pooler(tensors):
        kernel, bias = (tensors.pop(f"encoder/layer_with_weights-6/{leaf}") for leaf in ("kernel", "bias"))
        if with_untrained:  # the encoder's own pooler, as it was initialized
            tensors |= {
                "encoder/layer_with_weights-6/kernel": 0 * kernel,
                "encoder/layer_with_weights-6/bias": 0 * bias,
            }
        tensors |= {"next_sentence..pooler_dense/kernel": kernel, "next_sentence..pooler_dense/bias": bias}
        head = "model/classification_heads/0/out_proj"
        return {**tensors, f"{head}/kernel": kernel[:, :2], f"{head}/bias": bias[:2]}

    model = build_model(open_source(changed_copy("bert", tmp_path, move_pooler)))
    recorded = np.load(FOLDER / "bert" / "outputs.npz")
    received = outputs(model, recorded)
    np.testing.assert_allclose(received["pooled_output"], recorded["pooled_output"], atol=5e-5, rtol=0)
    dense = model.encoder.pooler.dense
    expected = recorded["pooled_output"] @ dense.kernel.numpy()[:, :2] + dense.bias.numpy()[:2]
    np.testing.assert_allclose(received["nsp_logits"], expected, atol=5e-5, rtol=0)


def test_reads_encoder_that_was_saved_alone(tmp_path):
    changed_copy(
        "albert", tmp_path, lambda tensors: {key.replace("encoder/", "model/"): tensors[key] for key in tensors}
    )
    one, two = (build_model(open_source(folder / "albert")) for folder in (tmp_path, FOLDER))
    for weight, expected in zip(one.weights, two.weights, strict=True):
        np.testing.assert_array_equal(weight, expected)


def test_rejects_bert_for_albert():
    with pytest.raises(kb.InputError, match="^`source`.*Received: source=.*embedding_projection/kernel"):
        load_weights(build_model(open_source(FOLDER / "albert")), FOLDER / "bert")
