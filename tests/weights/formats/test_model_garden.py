"""Models that Google's own code wrote, with the outputs it computed: `garden/make.py` made them, random weights all."""

import shutil
from pathlib import Path

import numpy as np
import pytest

import keras_bert as kb
from keras_bert.parity import check
from keras_bert.weights.formats.model_garden import ENDING
from keras_bert.weights.source import load_weights, model_of, open_source

GARDEN = Path(__file__).parent / "model_garden"


def outputs(model, rows) -> dict:
    encoder = getattr(model, "encoder", model)
    found = dict(encoder({key: rows[key] for key in encoder.input}))
    if model is not encoder:
        found |= model({key: rows[key] for key in model.input})
    return found


@pytest.mark.parametrize("name", ["bert", "albert"])
def test_a_checkpoint_gives_what_its_maker_computed(name):
    source = open_source(GARDEN / name)
    assert source.format == "garden"
    model = model_of(source)
    recorded = np.load(GARDEN / name / "outputs.npz")
    ours = outputs(model, recorded)
    real = recorded["input_mask"] == 1
    compared = set(recorded) & set(ours)
    layers = {f"encoder_outputs_{i}" for i in range(source.config.num_layers)}
    assert compared == {"sequence_output", "pooled_output", *layers, *(["mlm_logits"] if name == "bert" else [])}
    for key in compared:
        found, expected = np.asarray(ours[key]), recorded[key]
        if expected.shape[:2] == real.shape and key != "mlm_logits":
            found, expected = found[real], expected[real]
        np.testing.assert_allclose(found, expected, atol=5e-5, rtol=0, err_msg=key)
        assert expected.std() > 0.01


@pytest.mark.parametrize("name", ["bert", "albert"])
def test_check_lets_kerashub_compute_the_other_side(name):
    report = check(GARDEN / name)
    assert report.passed and report.reference.startswith("KerasHub ")
    assert "sequence_output" in report.parity.max_abs_difference


def test_albert_of_tfhub_and_ours_exported_the_same_way(tmp_path):
    report = check(GARDEN / "albert_tfhub")
    assert report.passed and len(report.parity.max_abs_difference["encoder_outputs"]) == 3
    assert report.weights.parameters == report.parity.parameters
    found = kb.load_pretrained(GARDEN / "albert_tfhub")
    assert found.encoder.config.share_blocks and found.encoder.config.embedding_size == 8
    back = kb.export_saved_model(found.encoder, tmp_path / "back", found.vectorizer, interface="tfhub")
    assert check(back).passed
    import tensorflow as tf

    theirs, ours = (tf.saved_model.load(str(path)) for path in (GARDEN / "albert_tfhub", back))
    for one, two in zip(*(sorted(m.variables, key=lambda v: v.name) for m in (theirs, ours)), strict=True):
        assert one.name == two.name and np.array_equal(one.numpy(), two.numpy())


def rewritten(name, folder, change) -> Path:
    """A copy in which the tensors, by the names without `ENDING`, are what `change` makes of them."""
    import tensorflow as tf

    shutil.copytree(GARDEN / name, folder / name)
    reader = tf.train.load_checkpoint(str(folder / name / "bert_model.ckpt-1"))
    tensors = {
        key.removesuffix(ENDING): reader.get_tensor(key)
        for key in reader.get_variable_to_shape_map()
        if not key.startswith("_CHECKPOINTABLE")
    }
    tensors = change(tensors)
    for file in (folder / name).glob("bert_model.ckpt-1*"):
        file.unlink()
    tf.raw_ops.SaveV2(
        prefix=str(folder / name / "bert_model.ckpt"),
        tensor_names=[key + ENDING for key in tensors],
        shape_and_slices=[""] * len(tensors),
        tensors=list(tensors.values()),
    )
    return folder / name


@pytest.mark.parametrize("same", [True, False])
def test_the_word_table_may_be_there_twice_if_it_is_one(same, tmp_path):
    def twice(tensors):
        table = tensors["masked_lm/embedding_table"]
        return {**tensors, "encoder/layer_with_weights-0/embeddings": table if same else table + 1}

    folder = rewritten("bert", tmp_path, twice)
    if same:
        one, two = (open_source(found).parts["encoder"] for found in (folder, GARDEN / "bert"))
        np.testing.assert_array_equal(one["word_embeddings/embeddings"], two["word_embeddings/embeddings"])
        return
    with pytest.raises(
        kb.InputError, match="layer_with_weights-0/embeddings and masked_lm/embedding_table are one"
    ) as error:
        open_source(folder)
    assert "whole" not in str(error.value)


@pytest.mark.parametrize("beside", [True, False])
def test_the_pooler_of_the_next_sentence_head_is_the_trained_one(beside, tmp_path):
    def as_pretrained(tensors):
        kernel, bias = (tensors.pop(f"encoder/layer_with_weights-6/{leaf}") for leaf in ("kernel", "bias"))
        if beside:  # the encoder's own, as it was initialised
            tensors |= {
                "encoder/layer_with_weights-6/kernel": 0 * kernel,
                "encoder/layer_with_weights-6/bias": 0 * bias,
            }
        tensors |= {"next_sentence..pooler_dense/kernel": kernel, "next_sentence..pooler_dense/bias": bias}
        head = "model/classification_heads/0/out_proj"
        return {**tensors, f"{head}/kernel": kernel[:, :2], f"{head}/bias": bias[:2]}

    model = model_of(open_source(rewritten("bert", tmp_path, as_pretrained)))
    recorded = np.load(GARDEN / "bert" / "outputs.npz")
    ours = outputs(model, recorded)
    np.testing.assert_allclose(ours["pooled_output"], recorded["pooled_output"], atol=5e-5, rtol=0)
    dense = model.encoder.pooler.dense
    expected = recorded["pooled_output"] @ dense.kernel.numpy()[:, :2] + dense.bias.numpy()[:2]
    np.testing.assert_allclose(ours["nsp_logits"], expected, atol=5e-5, rtol=0)


def test_an_encoder_saved_alone_is_called_model(tmp_path):
    rewritten("albert", tmp_path, lambda all: {key.replace("encoder/", "model/"): all[key] for key in all})
    one, two = (model_of(open_source(folder / "albert")) for folder in (tmp_path, GARDEN))
    for ours, theirs in zip(one.weights, two.weights, strict=True):
        np.testing.assert_array_equal(ours, theirs)


def test_a_bert_into_an_albert_is_refused():
    with pytest.raises(kb.InputError, match="tensor word_embeddings|tensors of"):
        load_weights(model_of(open_source(GARDEN / "albert")), GARDEN / "bert")
