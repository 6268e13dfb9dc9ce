"""Folders of others that are damaged or contradict themselves: one line that says what, on a machine without peers."""

import json

import numpy as np
import pytest
from safetensors.numpy import load_file, save_file

import keras_bert as kb
from keras_bert.weights import to_keras_hub
from keras_bert.weights.formats.google_research import save_google
from keras_bert.weights.formats.huggingface import save_huggingface
from keras_bert.weights.formats.keras_hub import _vocabulary
from keras_bert.weights.source import open_source

CONFIG = kb.BertConfig(50, 16, 1, 2, 32, max_position_embeddings=16)
GOOGLES = kb.BertConfig(**{**CONFIG.to_dict(), "activation": "gelu_tanh"})
KERNEL = "bert.encoder.layer.0.output.dense.weight"


@pytest.fixture
def folder(tmp_path):
    return save_huggingface(kb.BertClassifier(kb.BertEncoder(CONFIG), 2), tmp_path / "theirs", labels=["no", "yes"])


def refused(folder, words):
    with pytest.raises(kb.InputError, match=words) as error:
        open_source(folder)
    assert "\n" not in str(error.value) and "Received: " in str(error.value)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"model_type": "gpt2"}, "one of bert, distilbert, albert. Received: 'gpt2'"),
        ({"model_type": ["bert"]}, r"one of bert, distilbert, albert. Received: \['bert'\]"),
        ({"hidden_act": ["gelu"]}, r"an activation is one of .* Received: \['gelu'\]"),
        ({"hidden_size": 32}, r"\(50, 32\) by the config. Received: \(50, 16\)"),
        ({"num_hidden_layers": 2}, "no encoder.layer.1.attention"),
        ({"id2label": ["no", "yes"]}, "id2label is an object"),
        ({"id2label": {"no": 0, "yes": 1}}, "id2label is an object"),
        ({"id2label": {"0": "no"}}, "a label for each of 2 classes"),
    ],
)
def test_a_config_that_is_none_or_contradicts(change, words, folder):
    settings = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps({**settings, **change}))
    refused(folder, words)


def test_a_problem_of_another_kind_is_passed_over(folder):
    settings = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps({**settings, "problem_type": []}))
    assert open_source(folder).problem_type == "single_label"


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda tensors: tensors.pop(KERNEL), "no encoder.layer.0.output.dense.weight"),
        (lambda tensors: tensors.update({KERNEL: np.zeros((3, 3), "f4")}), r"Received: \(3, 3\)"),
        (lambda tensors: tensors.update({"more": np.zeros(2, "f4")}), "have no place. Received: more"),
        (lambda tensors: tensors.update({"classifier.bias": np.array(1, "f4")}), r"classifier\.\w+ has shape"),
    ],
)
def test_tensors_that_do_not_fit(change, words, folder):
    tensors = load_file(folder / "model.safetensors")
    change(tensors)
    save_file(tensors, folder / "model.safetensors")
    refused(folder, words)


@pytest.mark.parametrize(
    ("name", "again"),
    [
        (KERNEL, KERNEL.removeprefix("bert.")),
        ("bert.embeddings.LayerNorm.weight", "bert.embeddings.LayerNorm.gamma"),
        ("bert.embeddings.LayerNorm.bias", "embeddings.LayerNorm.beta"),
    ],
)
def test_a_tensor_under_two_names(name, again, folder):
    tensors = load_file(folder / "model.safetensors")
    save_file({**tensors, again: tensors[name] + 1}, folder / "model.safetensors")
    with pytest.raises(kb.InputError, match="one tensor of a name is expected") as error:
        open_source(folder)
    assert {name, again} <= set(str(error.value).split())


@pytest.mark.parametrize("dtype", ["int8", "bool"])
def test_whole_numbers_are_no_weights(dtype, folder):
    tensors = load_file(folder / "model.safetensors")
    save_file({**tensors, KERNEL: tensors[KERNEL].astype(dtype)}, folder / "model.safetensors")
    with pytest.raises(kb.InputError, match=f"floating-point numbers. Received: {dtype} in transformer/layer_0/output"):
        kb.load_weights(kb.BertClassifier(kb.BertEncoder(CONFIG), 2), folder)


def test_numbers_too_large_for_float32_are_no_weights(folder):
    tensors = load_file(folder / "model.safetensors")
    save_file({**tensors, KERNEL: np.full_like(tensors[KERNEL], 1e300, "f8")}, folder / "model.safetensors")
    with pytest.raises(kb.InputError, match="NaN or infinity in transformer/layer_0/output/kernel"):
        kb.load_weights(kb.BertClassifier(kb.BertEncoder(CONFIG), 2), folder)


def test_a_type_of_numbers_that_numpy_has_not(folder):
    head = json.dumps({"x": {"dtype": "F8_E4M3", "shape": [2], "data_offsets": [0, 2]}}).encode()
    (folder / "model.safetensors").write_bytes(len(head).to_bytes(8, "little") + head + bytes(2))
    refused(folder, "model.safetensors: a file that is whole is expected")


@pytest.mark.parametrize("left", [0, 4, 1000, -1])
def test_a_safetensors_file_cut_short(left, folder):
    file = folder / "model.safetensors"
    file.write_bytes(file.read_bytes()[:left])
    refused(folder, "model.safetensors: a file that is whole is expected")


@pytest.mark.parametrize("part", [0.1, 0.5, 0.9])
def test_one_bit_of_a_checkpoint_of_googles_that_is_another(part, tmp_path):
    folder = save_google(kb.BertEncoder(GOOGLES), tmp_path / "g")
    (file,) = folder.glob("*.data*")
    data = bytearray(file.read_bytes())
    data[int(part * len(data))] ^= 4
    file.write_bytes(data)
    refused(folder, "a checkpoint that is whole is expected")


@pytest.mark.parametrize("name", ["model.weights.h5", "config.json"])
def test_a_preset_of_kerashub_cut_short(name, tmp_path):
    to_keras_hub(kb.BertEncoder(GOOGLES)).save_to_preset(tmp_path)
    file = tmp_path / name
    whole = file.read_bytes()
    for left in (0, len(whole) // 2, len(whole) - 1):
        file.write_bytes(whole[:left])
        refused(tmp_path, "a preset or .keras file of KerasHub is expected")


@pytest.mark.parametrize("content", ["5", "[]", '"vocab_size hidden_size num_hidden_layers"'])
def test_a_config_of_googles_that_is_no_object(content, tmp_path):
    folder = save_google(kb.BertEncoder(GOOGLES), tmp_path / "g")
    (folder / "bert_config.json").write_text(content)
    refused(folder, "a JSON file that holds an object is expected")


@pytest.mark.parametrize("content", ["{", "[]", '{"config": 5}', "{}", None])
def test_a_tokenizer_of_kerashub_that_says_nothing(content, tmp_path):
    (tmp_path / "assets" / "tokenizer").mkdir(parents=True)
    (tmp_path / "assets" / "tokenizer" / "vocabulary.txt").write_text("[PAD]\n[UNK]\n[CLS]\n[SEP]\n[MASK]\n")
    if content is not None:
        (tmp_path / "tokenizer.json").write_text(content)
    with pytest.raises(kb.InputError, match="a tokenizer.json of KerasHub is expected"):
        _vocabulary(tmp_path)
