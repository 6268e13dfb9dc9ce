"""export_onnx: ONNX Runtime computes what Keras computes, and a failed export leaves nothing behind."""

import json
import sys
from pathlib import Path

import keras
import numpy as np
import onnx
import onnxruntime
import pytest

import keras_bert as kb
from keras_bert.constants import POOLS
from keras_bert.export import export_onnx
from tests.helpers import random_inputs, randomize, tiny_config

ACTIVATIONS = ("gelu_tanh", "gelu", "relu")
SHAPES = ((1, 7), (3, 12), (3, 40))  # one row; rows with padding; as long as the positions


def run_onnx(folder, inputs: dict) -> dict:
    session = onnxruntime.InferenceSession(folder / "model.onnx", providers=["CPUExecutionProvider"])
    return dict(zip([output.name for output in session.get_outputs()], session.run(None, inputs), strict=True))


def run_keras(model, inputs: dict) -> dict:
    """Return the outputs of the Keras model under the names of the export."""
    outputs = model(inputs, training=False)
    if isinstance(model, kb.BertClassifier):
        outputs = {"logits": outputs, "probabilities": keras.ops.softmax(outputs)}
    elif isinstance(model, kb.BertTokenClassifier):
        outputs = {"logits": outputs}
    return {name: keras.ops.convert_to_numpy(value) for name, value in outputs.items() if "encoder_outputs" not in name}


KINDS = {
    "encoder": lambda encoder: encoder,
    "classifier": lambda encoder: kb.BertClassifier(encoder, num_classes=3),
    "pretrainer": lambda encoder: kb.BertPretrainer(encoder),
    "masked LM only": lambda encoder: kb.BertPretrainer(encoder, sentence_task=None),
    "sentence order": lambda encoder: kb.BertPretrainer(encoder, sentence_task="order"),
    "span labeler": lambda encoder: kb.BertSpanLabeler(encoder),
    "token classifier": lambda encoder: kb.BertTokenClassifier(encoder, num_classes=3),
}


def new_model(kind: str, **changes):
    return randomize(KINDS[kind](kb.BertEncoder(tiny_config(**changes))))


@pytest.mark.parametrize("activation", ACTIVATIONS)
@pytest.mark.parametrize("kind", KINDS)
def test_outputs_match_keras(kind, activation, tmp_path):
    model = new_model(kind, activation=activation)
    folder = export_onnx(model, tmp_path / "out")
    assert [file.name for file in folder.iterdir()] == ["model.onnx"]
    onnx.checker.check_model(str(folder / "model.onnx"), full_check=True)
    config = getattr(model, "encoder", model).config
    for batch, length in SHAPES:
        inputs = random_inputs(config, batch, length, positions=4 if isinstance(model, kb.BertPretrainer) else 0)
        expected, found = run_keras(model, inputs), run_onnx(folder, inputs)
        assert set(found) == set(expected)
        for name, value in expected.items():
            np.testing.assert_allclose(found[name], value, atol=1e-5, err_msg=f"{name} of {batch} x {length}")


@pytest.mark.parametrize("dtype", ["float32", "int8"])
@pytest.mark.parametrize("kind", KINDS)
def test_zero_rows_return_zero_rows(kind, dtype, tmp_path):
    model = new_model(kind, num_layers=1)
    config = getattr(model, "encoder", model).config
    inputs = random_inputs(config, positions=4 if isinstance(model, kb.BertPretrainer) else 0)
    none = {name: value[:0] for name, value in inputs.items()}
    found = run_onnx(export_onnx(model, tmp_path / "out", dtype=dtype), none)
    assert {name: value.shape for name, value in found.items()} == {
        name: (0, *value.shape[1:]) for name, value in run_keras(model, inputs).items()
    }


@pytest.mark.parametrize("normalize", [False, True])
@pytest.mark.parametrize("pool", POOLS)
def test_pooled_vectors(pool, normalize, tmp_path):
    encoder = new_model("encoder", num_layers=4)
    folder = export_onnx(encoder, tmp_path / "out", pool=pool, normalize=normalize)
    onnx.checker.check_model(str(folder / "model.onnx"), full_check=True)
    inputs = random_inputs(encoder.config)
    expected = kb.embed(encoder, inputs, pool, normalize=normalize)
    np.testing.assert_allclose(run_onnx(folder, inputs)["embedding"], expected, atol=1e-5)
    none = {name: value[:0] for name, value in inputs.items()}
    assert run_onnx(folder, none)["embedding"].shape == (0, expected.shape[1])


def test_padding_has_no_effect(tmp_path):
    model = new_model("classifier")
    folder = export_onnx(model, tmp_path / "out")
    inputs = random_inputs(model.encoder.config, batch=1, length=9)
    padded = {name: np.pad(value, ((0, 0), (0, 20))) for name, value in inputs.items()}
    padded["input_word_ids"][:, 9:] = 7  # any id
    np.testing.assert_allclose(run_onnx(folder, padded)["logits"], run_onnx(folder, inputs)["logits"], atol=1e-6)


def test_has_standard_operations_only(tmp_path):
    model = onnx.load(export_onnx(new_model("classifier"), tmp_path / "out") / "model.onnx")
    assert [opset.domain for opset in model.opset_import] == [""]
    assert {node.domain for node in model.graph.node} == {""}


def test_last_block_computes_first_position_only(tmp_path):
    classifier = new_model("classifier")
    folder = export_onnx(classifier, tmp_path / "out")
    model = onnx.load(folder / "model.onnx")
    for i in (0, 1):  # make the blocks' outputs visible
        model.graph.output.append(onnx.helper.make_empty_tensor_value_info(f"block_{i}/output_layer_norm"))
    onnx.save(model, folder / "model.onnx")
    found = run_onnx(folder, random_inputs(classifier.encoder.config, batch=3, length=12))
    assert found["block_0/output_layer_norm"].shape == (3, 12, 32)
    assert found["block_1/output_layer_norm"].shape == (3, 1, 32)


def test_rejects_sequences_beyond_positions(tmp_path):
    model = new_model("encoder", max_position_embeddings=8)
    folder = export_onnx(model, tmp_path / "out")
    with pytest.raises(Exception, match="embeddings/sum"):
        run_onnx(folder, random_inputs(model.config, length=9))


@pytest.mark.parametrize("kind", ["encoder", "classifier", "pretrainer"])
def test_int8_is_close_and_small(kind, tmp_path, capfd):
    model = new_model(kind, hidden_size=64, num_heads=2, intermediate_size=256, vocab_size=500)
    large, small = export_onnx(model, tmp_path / "float32"), export_onnx(model, tmp_path / "int8", dtype="int8")
    assert "".join(capfd.readouterr()) == ""
    sizes = [(folder / "model.onnx").stat().st_size for folder in (small, large)]
    assert sizes[0] < (0.6 if kind == "pretrainer" else 0.4) * sizes[1]  # a pretrainer's tied table stays in float32
    config = getattr(model, "encoder", model).config
    inputs = random_inputs(config, positions=4 if kind == "pretrainer" else 0)
    found = run_onnx(small, inputs)
    for name, value in run_keras(model, inputs).items():
        difference = np.abs(found[name] - value).max() / np.abs(value).max()
        assert 0 < difference < 0.1, f"{name} differs by {difference:.2g} of its largest value"


def test_bfloat16_weights_are_written_as_float32(tmp_path):
    model = randomize(kb.BertClassifier(kb.BertEncoder(tiny_config(), dtype="bfloat16")))
    copy = kb.BertClassifier(kb.BertEncoder(tiny_config(), dtype="float32"))
    for weight, other in zip(copy.weights, model.weights, strict=True):
        weight.assign(keras.ops.cast(other, "float32"))
    inputs = random_inputs(model.encoder.config)
    found = run_onnx(export_onnx(model, tmp_path / "out"), inputs)
    np.testing.assert_allclose(found["logits"], run_keras(copy, inputs)["logits"], atol=1e-5)


def test_tokenizer_files(models, tmp_path):
    from tokenizers import BertWordPieceTokenizer

    folder = export_onnx(models.classifier, tmp_path / "out", models.vectorizer, labels=models.labels)
    settings = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    assert settings == {
        **{"kind": "classifier", "labels": models.labels, "lowercase": True, "added_tokens": [], "sequence_length": 32},
        **{"problem_type": "single_label", "pairs": None, "no_answer": None, "dtype": "float32"},
    }
    tokenizer = BertWordPieceTokenizer(str(folder / "vocab.txt"), lowercase=settings["lowercase"])
    tokenizer.enable_truncation(settings["sequence_length"])
    tokenizer.enable_padding()
    texts = ["A fine film!", "unbelievable films", "films " * 60]
    rows = tokenizer.encode_batch(texts)
    ids, mask = (np.array([getattr(row, name) for row in rows], np.int32) for name in ("ids", "attention_mask"))
    found = run_onnx(folder, {"input_word_ids": ids, "input_mask": mask, "input_type_ids": np.zeros_like(ids)})
    expected = run_keras(models.classifier, models.vectorizer(texts))
    np.testing.assert_allclose(found["probabilities"], expected["probabilities"], atol=1e-5)


@pytest.mark.parametrize("dtype", ["float32", "int8"])
def test_full_disk_leaves_nothing(dtype, tmp_path, monkeypatch):
    model = new_model("encoder", num_layers=1)
    (tmp_path / "model").mkdir()
    (tmp_path / "model" / "kept.txt").write_text("an earlier model")
    save = onnx.save_model

    def fail(proto, file, *arguments, **options):
        if tmp_path not in Path(file).parents:  # a temporary file of the quantizer
            return save(proto, file, *arguments, **options)
        Path(file).write_bytes(b"half")
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(onnx, "save", fail)
    monkeypatch.setattr(onnx, "save_model", fail)
    with pytest.raises(OSError, match="No space left"):
        export_onnx(model, tmp_path / "model", dtype=dtype)
    assert [file.name for file in tmp_path.iterdir()] == ["model"]
    assert (tmp_path / "model" / "kept.txt").is_file()


@pytest.mark.parametrize("dtype, missing", [("float32", "onnx"), ("int8", "onnxruntime")])
def test_rejects_missing_packages(dtype, missing, tmp_path, monkeypatch):
    model = new_model("encoder", num_layers=1)
    monkeypatch.setitem(sys.modules, missing, None)
    with pytest.raises(kb.InputError, match=rf"^`{missing}` must .* pip install 'keras-bert-from-scratch\[onnx\]'$"):
        export_onnx(model, tmp_path / "out", dtype=dtype)
    assert not list(tmp_path.iterdir())


def test_rejects_wrong_arguments(models, tmp_path):
    file = tmp_path / "file"
    file.write_text("not a folder")
    small = kb.BertEncoder(tiny_config(num_layers=1, vocab_size=50))
    cases = [
        (("a string", "out"), {}, "`model`.*Received: str"),
        ((models.vectorizer, "out"), {}, "`model`.*Received: BertTextVectorization"),
        ((models.classifier, "out"), {"labels": ["one"]}, r"^`labels`.*Received: labels=\['one'\]"),
        ((small, "out"), {"labels": ["a", "b"]}, "^`labels`.*Received: .*BertEncoder"),
        ((small, "out"), {"vectorizer": models.vectorizer}, "`vectorizer`.*vocab_size, 50.*Received"),
        ((small, "out"), {"vectorizer": ["a", "b"]}, "`vectorizer`.*Received: list"),
        ((small, "out"), {"dtype": "bfloat16"}, "`dtype`.*Received: dtype='bfloat16'"),
        ((small, "out"), {"normalize": True}, "`normalize`.*Received: normalize=True"),
        ((models.classifier, "out"), {"pool": "mean"}, "`pool`.*BertClassifier.*Received: pool='mean'"),
        ((small, file), {}, "`path`"),
    ]
    for (model, path), options, message in cases:
        with pytest.raises(kb.InputError, match=message) as caught:
            export_onnx(model, tmp_path / path, **options)
        assert "\n" not in str(caught.value) and "Received: " in str(caught.value)
    assert [entry.name for entry in tmp_path.iterdir()] == ["file"] and file.read_text() == "not a folder"
