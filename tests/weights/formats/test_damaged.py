"""Damaged or inconsistent folders of other libraries give an error of one line; these libraries are not needed."""

import json

import numpy as np
import pytest
from safetensors.numpy import load_file, save_file

import keras_bert as kb
from keras_bert.weights import to_keras_hub
from keras_bert.weights.formats.google_research import save_google_research
from keras_bert.weights.formats.huggingface import save_huggingface
from keras_bert.weights.formats.huggingface_tokenizer import read_tokenizer
from keras_bert.weights.formats.keras_hub import read_vocabulary
from keras_bert.weights.load import open_source

CONFIG = kb.BertConfig(50, 16, 1, 2, 32, max_position_embeddings=16)
GOOGLE_CONFIG = kb.BertConfig(**{**CONFIG.to_dict(), "activation": "gelu_tanh"})
TOKENS = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *(f"w{i}" for i in range(45))]
KERNEL = "bert.encoder.layer.0.output.dense.weight"


@pytest.fixture
def folder(tmp_path):
    return save_huggingface(
        kb.BertClassifier(kb.BertEncoder(CONFIG), 2), tmp_path / "huggingface", labels=["no", "yes"]
    )


def assert_rejected(folder, match):
    with pytest.raises(kb.InputError, match=match) as error:
        open_source(folder)
    assert "\n" not in str(error.value) and "Received: " in str(error.value)


@pytest.mark.parametrize(
    ("change", "match"),
    [
        ({"model_type": "gpt2"}, "`model_type` .*'gpt2'"),
        ({"model_type": ["bert"]}, r"`model_type` .*\['bert'\]"),
        ({"hidden_act": ["gelu"]}, r"`hidden_act` .*\['gelu'\]"),
        ({"hidden_size": 32}, r"^`source`.*\(50, 32\).*Received: shape=\(50, 16\)"),
        ({"num_hidden_layers": 2}, "^`source`.*Received: .*encoder.layer.1.attention"),
        ({"id2label": ["no", "yes"]}, "`id2label`"),
        ({"id2label": {"no": 0, "yes": 1}}, "`id2label`"),
        ({"id2label": {"0": "no"}}, r"^`id2label`.*\b2\b.*Received: 1\b"),
    ],
)
def test_rejects_inconsistent_config(change, match, folder):
    settings = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps({**settings, **change}))
    assert_rejected(folder, match)


def test_ignores_unknown_problem_type(folder):
    settings = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps({**settings, "problem_type": []}))
    assert open_source(folder).problem_type == "single_label"


@pytest.mark.parametrize(
    ("change", "match"),
    [
        (lambda tensors: tensors.pop(KERNEL), "^`source`.*Received: .*encoder.layer.0.output.dense.weight"),
        (lambda tensors: tensors.update({KERNEL: np.zeros((3, 3), "f4")}), r"^`source`.*Received: shape=\(3, 3\)"),
        (lambda tensors: tensors.update({"more": np.zeros(2, "f4")}), r"^`source`.*Received: .*\bmore\b"),
        (
            lambda tensors: tensors.update({"classifier.bias": np.array(1, "f4")}),
            r"^`source`.*classifier\.\w+ .*Received: shape=",
        ),
    ],
)
def test_rejects_inconsistent_tensors(change, match, folder):
    tensors = load_file(folder / "model.safetensors")
    change(tensors)
    save_file(tensors, folder / "model.safetensors")
    assert_rejected(folder, match)


@pytest.mark.parametrize(
    ("name", "copy"),
    [
        (KERNEL, KERNEL.removeprefix("bert.")),
        ("bert.embeddings.LayerNorm.weight", "bert.embeddings.LayerNorm.gamma"),
        ("bert.embeddings.LayerNorm.bias", "embeddings.LayerNorm.beta"),
    ],
)
def test_rejects_duplicate_tensors(name, copy, folder):
    tensors = load_file(folder / "model.safetensors")
    save_file({**tensors, copy: tensors[name] + 1}, folder / "model.safetensors")
    with pytest.raises(kb.InputError, match="^`source`.*Received: ") as error:
        open_source(folder)
    assert {name, copy} <= set(str(error.value).split())


@pytest.mark.parametrize("dtype", ["int8", "bool"])
def test_rejects_integer_weights(dtype, folder):
    tensors = load_file(folder / "model.safetensors")
    save_file({**tensors, KERNEL: tensors[KERNEL].astype(dtype)}, folder / "model.safetensors")
    with pytest.raises(kb.InputError, match=f"^`source`.*transformer/layer_0/output/kernel .*Received: dtype={dtype}"):
        kb.load_weights(kb.BertClassifier(kb.BertEncoder(CONFIG), 2), folder)


def test_rejects_weights_too_large_for_float32(folder):
    tensors = load_file(folder / "model.safetensors")
    save_file({**tensors, KERNEL: np.full_like(tensors[KERNEL], 1e300, "f8")}, folder / "model.safetensors")
    with pytest.raises(kb.InputError, match="^`source`.*Received: .*transformer/layer_0/output/kernel .*NaN"):
        kb.load_weights(kb.BertClassifier(kb.BertEncoder(CONFIG), 2), folder)


def test_rejects_unknown_dtype(folder):
    head = json.dumps({"x": {"dtype": "F8_E4M3", "shape": [2], "data_offsets": [0, 2]}}).encode()
    (folder / "model.safetensors").write_bytes(len(head).to_bytes(8, "little") + head + bytes(2))
    assert_rejected(folder, "^`source`.*Received: source=.*model.safetensors")


@pytest.mark.parametrize("size", [0, 4, 1000, -1])
def test_rejects_truncated_safetensors(size, folder):
    file = folder / "model.safetensors"
    file.write_bytes(file.read_bytes()[:size])
    assert_rejected(folder, "^`source`.*Received: source=.*model.safetensors")


@pytest.mark.parametrize("part", [0.1, 0.5, 0.9])
def test_rejects_checkpoint_with_flipped_bit(part, tmp_path):
    folder = save_google_research(kb.BertEncoder(GOOGLE_CONFIG), tmp_path / "g")
    (file,) = folder.glob("*.data*")
    data = bytearray(file.read_bytes())
    data[int(part * len(data))] ^= 4
    file.write_bytes(data)
    assert_rejected(folder, "^`path`.*Received: path=")


@pytest.mark.parametrize("name", ["model.weights.h5", "config.json"])
def test_rejects_truncated_keras_hub_preset(name, tmp_path):
    to_keras_hub(kb.BertEncoder(GOOGLE_CONFIG)).save_to_preset(tmp_path)
    file = tmp_path / name
    content = file.read_bytes()
    for size in (0, len(content) // 2, len(content) - 1):
        file.write_bytes(content[:size])
        assert_rejected(tmp_path, "^`source`.*Received: source=")


@pytest.mark.parametrize("content", ["5", "[]", '"vocab_size hidden_size num_hidden_layers"'])
def test_rejects_google_config_without_object(content, tmp_path):
    folder = save_google_research(kb.BertEncoder(GOOGLE_CONFIG), tmp_path / "g")
    (folder / "bert_config.json").write_text(content)
    assert_rejected(folder, "^`path`.*Received: path=.*bert_config.json")


@pytest.mark.parametrize("content", ["{", "[]", '{"config": 5}', "{}", None])
def test_rejects_damaged_keras_hub_tokenizer(content, tmp_path):
    (tmp_path / "assets" / "tokenizer").mkdir(parents=True)
    (tmp_path / "assets" / "tokenizer" / "vocabulary.txt").write_text("[PAD]\n[UNK]\n[CLS]\n[SEP]\n[MASK]\n")
    if content is not None:
        (tmp_path / "tokenizer.json").write_text(content)
    with pytest.raises(kb.InputError, match="^`source`.*tokenizer.json.*Received: source="):
        read_vocabulary(tmp_path)


SHAPES = [None, [], {}, "x", "", -1, 0, 1.5, 1e308, float("nan"), 10**30, True, [[1]], {"a": 1}, ["a"], [None]]
CONTENTS = {
    "config.json": None,
    "tokenizer_config.json": {
        **{"tokenizer_class": "BertTokenizer", "do_lower_case": True, "strip_accents": None, "cls_token": "[CLS]"},
        "added_tokens_decoder": {"50": {"content": "[E1]", "normalized": False}},
    },
    "tokenizer.json": {
        "added_tokens": [{"id": 50, "content": "[E1]", "normalized": True}],
        "normalizer": {"type": "BertNormalizer", "lowercase": True},
        "pre_tokenizer": {"type": "BertPreTokenizer"},
        "post_processor": {"type": "BertProcessing", "sep": ["[SEP]", 3], "cls": ["[CLS]", 2]},
        "model": {"type": "WordPiece", "vocab": {token: i for i, token in enumerate(TOKENS)}},
    },
    "special_tokens_map.json": {"mask_token": {"content": "[MASK]"}, "additional_special_tokens": ["[E1]"]},
    "added_tokens.json": {"[E1]": 50},
}


def variants(value):
    """Yield copies of a JSON value in which one part has another shape."""
    yield from SHAPES
    items = list(value.items())[:12] if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, part in items:
        for changed in variants(part):
            copy = dict(value) if isinstance(value, dict) else list(value)
            copy[key] = changed
            yield copy


@pytest.mark.parametrize("name", CONTENTS)
def test_json_of_any_shape(name, folder):
    for each, content in CONTENTS.items():
        if content is not None:
            (folder / each).write_text(json.dumps(content))
    content = json.loads((folder / name).read_text())
    rejected = 0
    for changed in variants(content):
        (folder / name).write_text(json.dumps(changed))
        try:
            read_tokenizer(folder) if "token" in name else open_source(folder)
        except kb.InputError as error:
            rejected += 1
            assert "\n" not in str(error) and len(str(error)) < 1000
    assert rejected > 10
    for text in ("[" * 200_000, '{"a":' * 200_000, "", "{", "\ufeff{}"):
        (folder / name).write_text(text)
        with pytest.raises(kb.InputError, match=f"^`path` must be .*{name}") as error:
            read_tokenizer(folder) if "token" in name else open_source(folder)
        assert "\n" not in str(error.value)


@pytest.mark.parametrize("sizes", [{"vocab_size": 10**10}, {"hidden_size": 10**6}, {"max_position_embeddings": 10**9}])
def test_rejects_configs_that_no_machine_can_hold(sizes, folder):
    settings = json.loads((folder / "config.json").read_text())
    names = {"hidden_size": 768, "num_attention_heads": 2, **sizes}
    (folder / "config.json").write_text(json.dumps({**settings, **names}))
    assert_rejected(folder, "^`source` must fit its config")
    with pytest.raises(kb.InputError, match="^`config` must .* memory of this machine"):
        kb.BertEncoder(kb.BertConfig(**{"num_heads": 2, **sizes}))


def test_rejects_encoders_larger_than_the_memory(monkeypatch):
    config = kb.BertConfig(vocab_size=10**7, num_layers=1)
    monkeypatch.setattr("keras_bert.models.encoder_config.total_memory", lambda: 2**30)
    with pytest.raises(kb.InputError, match="^`config` must .* memory of this machine, 1 GiB.*28 GiB"):
        kb.BertEncoder(config)


def test_names_no_rows_without_end(folder):
    (folder / "vocab.txt").write_text("\n".join(TOKENS))
    settings = json.loads((folder / "config.json").read_text())
    for size in (10**9, 10**30):
        (folder / "config.json").write_text(json.dumps({**settings, "vocab_size": size}))
        with pytest.raises(kb.InputError, match="^`vocab_size` must be "):
            kb.BertTextVectorization.from_pretrained(folder)
