"""Exports that also return the attention probabilities and the hidden states of every layer."""

import keras
import numpy as np
import onnx
import onnxruntime
import pytest

import keras_bert as kb
from tests.export.test_onnx import KINDS, new_model, run_keras, run_onnx
from tests.helpers import random_inputs, tiny_config

BOTH = ("attentions", "hidden_states")


def expected_layers(encoder, inputs) -> dict:
    """Return what the layers compute, under the names of the export, from `with_attention_scores`."""
    outputs = encoder.with_attention_scores()(inputs)
    found = {"hidden_states.0": encoder.embeddings(inputs["input_word_ids"], inputs["input_type_ids"])}
    for i in range(encoder.config.num_layers):
        found[f"attentions.{i}"] = outputs[f"attention_scores_{i}"]
        found[f"hidden_states.{i + 1}"] = outputs[f"encoder_outputs_{i}"]
    return {name: keras.ops.convert_to_numpy(value) for name, value in found.items()}


def assert_layers(found: dict, expected: dict, mask):
    """Compare at the positions of tokens: queries and rows of padding are undefined."""
    real = np.asarray(mask) == 1  # [B, T]
    for name, value in expected.items():
        both = [np.moveaxis(each, 1, 2) if "attentions" in name else each for each in (np.asarray(found[name]), value)]
        np.testing.assert_allclose(both[0][real], both[1][real], atol=1e-5, err_msg=name)


@pytest.mark.parametrize("kind", KINDS)
def test_onnx_layers_match_keras(kind, tmp_path):
    model = new_model(kind)
    encoder = getattr(model, "encoder", model)
    folder = kb.export_onnx(model, tmp_path / "out", outputs=BOTH)
    onnx.checker.check_model(str(folder / "model.onnx"), full_check=True)
    inputs = random_inputs(encoder.config, 3, 12, positions=4 if isinstance(model, kb.BertPretrainer) else 0)
    found, layers, heads = run_onnx(folder, inputs), expected_layers(encoder, inputs), run_keras(model, inputs)
    assert set(found) == set(layers) | set(heads)
    assert_layers(found, layers, inputs["input_mask"])
    assert np.abs(found["attentions.1"].sum(-1) - 1).max() < 1e-5
    for name, value in heads.items():
        np.testing.assert_allclose(found[name], value, atol=1e-5, err_msg=name)


@pytest.mark.parametrize(
    "options", [{"share_blocks": True, "embedding_size": 16}, {"pool": "cls"}, {"dtype": "int8"}, {}], ids=str
)
def test_onnx_names_and_shapes(options, tmp_path):
    changes = {name: options.pop(name) for name in ("share_blocks", "embedding_size") if name in options}
    encoder = new_model("encoder", **changes)
    folder = kb.export_onnx(encoder, tmp_path / "out", outputs=["attentions"], **options)
    session = onnxruntime.InferenceSession(folder / "model.onnx", providers=["CPUExecutionProvider"])
    layers = {output.name: output.shape for output in session.get_outputs() if "." in output.name}
    assert layers == {f"attentions.{i}": ["B", 2, "T", "T"] for i in range(2)}
    inputs = random_inputs(encoder.config, 2, 9)
    found, expected = run_onnx(folder, inputs), expected_layers(encoder, inputs)
    if options.get("dtype") != "int8":
        assert_layers(found, {name: expected[name] for name in layers}, inputs["input_mask"])
    if "pool" in options:
        np.testing.assert_allclose(found["embedding"], kb.embed(encoder, inputs, "cls"), atol=1e-5)


def test_predictor_reads_the_export(models, tmp_path):
    folder = kb.export_onnx(models.classifier, tmp_path / "out", models.vectorizer, models.labels, outputs=BOTH)
    plain = kb.export_onnx(models.classifier, tmp_path / "plain", models.vectorizer, models.labels)
    assert kb.Predictor(folder)(["a fine film"]) == kb.Predictor(plain)(["a fine film"])


@pytest.mark.parametrize("kind", ["encoder", "classifier"])
def test_saved_model_layers_match_keras(kind, models, tmp_path):
    import tensorflow as tf

    model = models.classifier if kind == "classifier" else models.pretrainer.encoder
    path = kb.export_saved_model(model, tmp_path / "out", models.vectorizer, outputs=BOTH)
    signatures = tf.saved_model.load(str(path)).signatures
    text = tf.constant(["A fine film!", "unbelievable films"])
    ids = {name: value.numpy() for name, value in signatures["tokenize"](text).items()}
    found = {name: value.numpy() for name, value in signatures["encode"](text).items()}
    expected = expected_layers(getattr(model, "encoder", model), ids)
    assert set(found) == {*expected, "pooled_output", "sequence_output"}
    assert_layers(found, expected, ids["input_mask"])
    served = set(signatures["serving_default"](text))
    assert served == (set(found) if kind == "encoder" else {"logits", "probabilities", "label"})


def test_rejects_wrong_outputs(models, tmp_path):
    encoder, vectorizer = models.pretrainer.encoder, models.vectorizer
    cases = [
        (lambda: kb.export_onnx(encoder, tmp_path / "out", outputs=["attention"]), r"outputs=\['attention'\]"),
        (lambda: kb.export_onnx(encoder, tmp_path / "out", outputs="attentions"), "Received: outputs='attentions'"),
        (lambda: kb.export_saved_model(encoder, tmp_path / "out", vectorizer, outputs=["x"]), "Received: outputs="),
        (lambda: kb.export_saved_model(encoder, tmp_path / "out", outputs=BOTH), "TF-Hub's interfaces"),
        (lambda: kb.export_saved_model(vectorizer, tmp_path / "out", outputs=BOTH), "TF-Hub's interfaces"),
    ]
    for export, message in cases:
        with pytest.raises(kb.InputError, match=f"^`outputs` must .*{message}") as caught:
            export()
        assert "\n" not in str(caught.value)
    assert not list(tmp_path.iterdir())


@pytest.mark.peers
@pytest.mark.slow
def test_transformers_gives_the_same_layers(tmp_path):
    """A random BERT of transformers with eager attention; `tests/weights/test_minilm.py` has a published one."""
    torch, transformers = pytest.importorskip("torch"), pytest.importorskip("transformers")
    config = tiny_config(activation="gelu")
    torch.manual_seed(0)
    sizes = {
        "vocab_size": 100,
        "hidden_size": 32,
        "num_hidden_layers": 2,
        "num_attention_heads": 2,
        "intermediate_size": 64,
        "max_position_embeddings": 40,
    }
    peer = transformers.BertModel(transformers.BertConfig(**sizes, attn_implementation="eager")).eval()
    peer.save_pretrained(tmp_path / "peer")
    encoder = kb.BertEncoder(config)
    kb.load_weights(encoder, tmp_path / "peer")
    inputs = random_inputs(config)
    found = run_onnx(kb.export_onnx(encoder, tmp_path / "out", outputs=BOTH), inputs)
    names = zip(("input_ids", "attention_mask", "token_type_ids"), inputs.values(), strict=True)
    tensors = {name: torch.tensor(value, dtype=torch.long) for name, value in names}
    with torch.no_grad():
        theirs = peer(**tensors, output_attentions=True, output_hidden_states=True)
    expected = {f"attentions.{i}": value.numpy() for i, value in enumerate(theirs.attentions)}
    expected |= {f"hidden_states.{i}": value.numpy() for i, value in enumerate(theirs.hidden_states)}
    assert set(expected) == {name for name in found if "." in name}
    assert_layers(found, expected, inputs["input_mask"])
