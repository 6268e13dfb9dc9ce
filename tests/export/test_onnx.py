"""An ONNX file gives, in ONNX Runtime, what Keras gives; what is half-written is not there."""

import json
import sys
from pathlib import Path

import keras
import numpy as np
import onnx
import onnxruntime
import pytest
from helpers import random_inputs, randomize, tiny_config

import keras_bert as kb
from keras_bert.export import export_onnx

ACTIVATIONS = ("gelu_tanh", "gelu", "relu")
SHAPES = ((1, 7), (3, 12), (3, 40))  # one row; padded ones; as long as there are positions


def run(folder, inputs: dict) -> dict:
    session = onnxruntime.InferenceSession(folder / "model.onnx", providers=["CPUExecutionProvider"])
    return dict(zip([output.name for output in session.get_outputs()], session.run(None, inputs), strict=True))


def expected(model, inputs: dict) -> dict:
    """What Keras gives, by the export's names."""
    found = model(inputs, training=False)
    if isinstance(model, kb.BertClassifier):
        found = {"logits": found, "probabilities": keras.ops.softmax(found)}
    elif isinstance(model, kb.BertTokenClassifier):
        found = {"logits": found}
    return {name: keras.ops.convert_to_numpy(value) for name, value in found.items() if "encoder_outputs" not in name}


def model_of(kind: str, **changes):
    encoder = kb.BertEncoder(tiny_config(**changes))
    made = {
        "encoder": lambda: encoder,
        "classifier": lambda: kb.BertClassifier(encoder, num_classes=3),
        "pretrainer": lambda: kb.BertPretrainer(encoder),
        "masked words alone": lambda: kb.BertPretrainer(encoder, sentence_task=None),
        "sentence order": lambda: kb.BertPretrainer(encoder, sentence_task="order"),
        "spans": lambda: kb.BertSpanLabeler(encoder),
        "tokens": lambda: kb.BertTokenClassifier(encoder, num_classes=3),
    }
    return randomize(made[kind]())


@pytest.mark.parametrize("activation", ACTIVATIONS)
@pytest.mark.parametrize(
    "kind", ["encoder", "classifier", "pretrainer", "masked words alone", "sentence order", "spans", "tokens"]
)
def test_it_is_the_model(kind, activation, tmp_path):
    model = model_of(kind, activation=activation)
    folder = export_onnx(model, tmp_path / "out")
    assert [file.name for file in folder.iterdir()] == ["model.onnx"]
    onnx.checker.check_model(str(folder / "model.onnx"), full_check=True)
    config = getattr(model, "encoder", model).config
    for batch, length in SHAPES:
        inputs = random_inputs(config, batch, length, positions=4 if isinstance(model, kb.BertPretrainer) else 0)
        wanted, found = expected(model, inputs), run(folder, inputs)
        assert set(found) == set(wanted)
        for name, value in wanted.items():
            np.testing.assert_allclose(found[name], value, atol=1e-5, err_msg=f"{name} of {batch} x {length}")


def test_padding_changes_nothing(tmp_path):
    model = model_of("classifier")
    folder = export_onnx(model, tmp_path / "out")
    inputs = random_inputs(model.encoder.config, batch=1, length=9)
    more = {name: np.pad(value, ((0, 0), (0, 20))) for name, value in inputs.items()}
    more["input_word_ids"][:, 9:] = 7  # whatever stands there
    np.testing.assert_allclose(run(folder, more)["logits"], run(folder, inputs)["logits"], atol=1e-6)


def test_operations_are_standard_and_of_the_last_block_one_row_is_computed(tmp_path):
    classifier = model_of("classifier")
    folder = export_onnx(classifier, tmp_path / "out")
    model = onnx.load(folder / "model.onnx")
    assert [opset.domain for opset in model.opset_import] == [""]
    assert {node.domain for node in model.graph.node} == {""}
    for i in (0, 1):  # let the blocks be seen
        model.graph.output.append(onnx.helper.make_empty_tensor_value_info(f"block_{i}/output_layer_norm"))
    onnx.save(model, folder / "model.onnx")
    found = run(folder, random_inputs(classifier.encoder.config, batch=3, length=12))
    assert found["block_0/output_layer_norm"].shape == (3, 12, 32)
    assert found["block_1/output_layer_norm"].shape == (3, 1, 32)


def test_a_sequence_beyond_the_positions_is_refused(tmp_path):
    model = model_of("encoder", max_position_embeddings=8)
    folder = export_onnx(model, tmp_path / "out")
    with pytest.raises(Exception, match="embeddings/sum"):
        run(folder, random_inputs(model.config, length=9))


@pytest.mark.parametrize("kind", ["encoder", "classifier", "pretrainer"])
def test_int8_is_close(kind, tmp_path, capfd):
    model = model_of(kind, hidden_size=64, num_heads=2, intermediate_size=256, vocab_size=500)
    whole, small = export_onnx(model, tmp_path / "whole"), export_onnx(model, tmp_path / "small", dtype="int8")
    assert "".join(capfd.readouterr()) == ""
    sizes = [(folder / "model.onnx").stat().st_size for folder in (small, whole)]
    assert sizes[0] < (0.6 if kind == "pretrainer" else 0.4) * sizes[1]  # a pretrainer's table is tied, and stays
    config = getattr(model, "encoder", model).config
    inputs = random_inputs(config, positions=4 if kind == "pretrainer" else 0)
    found = run(small, inputs)
    for name, value in expected(model, inputs).items():
        apart = np.abs(found[name] - value).max() / np.abs(value).max()
        assert 0 < apart < 0.1, f"{name} is {apart:.2g} of the largest number off"


def test_weights_in_bfloat16_come_out_as_float32(tmp_path):
    model = randomize(kb.BertClassifier(kb.BertEncoder(tiny_config(), dtype="bfloat16")))
    twin = kb.BertClassifier(kb.BertEncoder(tiny_config(), dtype="float32"))
    for weight, other in zip(twin.weights, model.weights, strict=True):
        weight.assign(keras.ops.cast(other, "float32"))
    inputs = random_inputs(model.encoder.config)
    found = run(export_onnx(model, tmp_path / "out"), inputs)
    np.testing.assert_allclose(found["logits"], expected(twin, inputs)["logits"], atol=1e-5)


def test_what_makes_its_ids_lies_beside_it(exports, tmp_path):
    from tokenizers import BertWordPieceTokenizer

    folder = export_onnx(exports.classifier, tmp_path / "out", exports.vectorizer, labels=exports.labels)
    settings = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    assert settings == {"kind": "classifier", "labels": exports.labels, "lowercase": True, "sequence_length": 32}
    tokenizer = BertWordPieceTokenizer(str(folder / "vocab.txt"), lowercase=settings["lowercase"])
    tokenizer.enable_truncation(settings["sequence_length"])
    tokenizer.enable_padding()
    rows = tokenizer.encode_batch(["A fine film!", "unbelievable films", "films " * 60])
    ids, mask = (np.array([getattr(row, name) for row in rows], np.int32) for name in ("ids", "attention_mask"))
    found = run(folder, {"input_word_ids": ids, "input_mask": mask, "input_type_ids": np.zeros_like(ids)})
    own = expected(exports.classifier, exports.vectorizer(["A fine film!", "unbelievable films", "films " * 60]))
    np.testing.assert_allclose(found["probabilities"], own["probabilities"], atol=1e-5)


@pytest.mark.parametrize("dtype", ["float32", "int8"])
def test_full_disk_leaves_nothing(dtype, tmp_path, monkeypatch):
    model = model_of("encoder", num_layers=1)
    (tmp_path / "model").mkdir()
    (tmp_path / "model" / "kept.txt").write_text("the model of yesterday")

    save = onnx.save_model

    def half_written(proto, file, *arguments, **options):
        if tmp_path not in Path(file).parents:  # the quantizer's own, on the way
            return save(proto, file, *arguments, **options)
        Path(file).write_bytes(b"half")
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(onnx, "save", half_written)
    monkeypatch.setattr(onnx, "save_model", half_written)
    with pytest.raises(OSError, match="No space left"):
        export_onnx(model, tmp_path / "model", dtype=dtype)
    assert [file.name for file in tmp_path.iterdir()] == ["model"]
    assert (tmp_path / "model" / "kept.txt").is_file()


@pytest.mark.parametrize("dtype, missing", [("float32", "onnx"), ("int8", "onnxruntime")])
def test_a_missing_package_is_told_by_name(dtype, missing, tmp_path, monkeypatch):
    model = model_of("encoder", num_layers=1)
    monkeypatch.setitem(sys.modules, missing, None)
    with pytest.raises(kb.InputError, match=rf"pip install 'keras-bert-from-scratch\[onnx\]'.*without {missing}$"):
        export_onnx(model, tmp_path / "out", dtype=dtype)
    assert not list(tmp_path.iterdir())


def test_mistakes_are_told_in_one_line(exports, tmp_path):
    file = tmp_path / "file"
    file.write_text("not a folder")
    small = kb.BertEncoder(tiny_config(num_layers=1, vocab_size=50))
    cases = [
        (("a string", "out"), {}, "expected an encoder"),
        ((exports.vectorizer, "out"), {}, "Received: BertTextVectorization"),
        ((exports.classifier, "out"), {"labels": ["one"]}, "2 different labels"),
        ((small, "out"), {"labels": ["a", "b"]}, "labels belong to a classifier"),
        ((small, "out"), {"vectorizer": exports.vectorizer}, "one size"),
        ((small, "out"), {"dtype": "bfloat16"}, "Received: 'bfloat16'"),
        ((small, file), {}, "which is a file"),
    ]
    for (model, path), more, words in cases:
        with pytest.raises(kb.InputError, match=words) as caught:
            export_onnx(model, tmp_path / path, **more)
        assert "\n" not in str(caught.value) and "Received: " in str(caught.value)
    assert [entry.name for entry in tmp_path.iterdir()] == ["file"] and file.read_text() == "not a folder"
