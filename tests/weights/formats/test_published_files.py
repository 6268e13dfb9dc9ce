"""Files as people have them: shards, prefixes of wrappers, training state, several checkpoints, spare rows."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import load_file, save_file

import keras_bert as kb
from keras_bert.text import BertTextVectorization
from keras_bert.weights.formats.google_research import save_google_research
from keras_bert.weights.formats.huggingface import save_huggingface
from keras_bert.weights.formats.tf_checkpoint import OBJECT_SUFFIX, read_tensors, write_tensors
from keras_bert.weights.load import build_model, load_weights, open_source
from tests.helpers import randomize
from tests.weights.formats.test_pytorch_bin import Tensor, write

TOKENS = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *(f"w{i}" for i in range(15))]
CONFIG = kb.BertConfig(20, 8, 2, 2, 16, max_position_embeddings=8)
TABLE = "embeddings.word_embeddings.weight"
GARDEN = Path(__file__).parent / "model_garden"


@pytest.fixture(scope="module")
def vectorizer():
    return BertTextVectorization(TOKENS)


@pytest.fixture(scope="module")
def model():
    return randomize(kb.BertPretrainer(kb.BertEncoder(CONFIG)))


@pytest.fixture(scope="module")
def saved(model, vectorizer, tmp_path_factory):
    folder = tmp_path_factory.mktemp("published")
    save_huggingface(model, folder / "huggingface", vectorizer)
    save_huggingface(model.encoder, folder / "encoder", vectorizer)
    save_google_research(model, folder / "google_research", vectorizer)
    return folder


@pytest.fixture
def folder(saved, tmp_path):
    return Path(shutil.copytree(saved / "huggingface", tmp_path / "folder"))


@pytest.fixture
def google(saved, tmp_path):
    return Path(shutil.copytree(saved / "google_research", tmp_path / "google"))


def change(folder, function) -> Path:
    """Change the tensors of a folder of Hugging Face."""
    save_file(function(load_file(folder / "model.safetensors")), folder / "model.safetensors")
    return folder


def change_checkpoint(folder, function, prefix="bert_model.ckpt", keep=lambda name: True) -> Path:
    """Change the tensors of a TensorFlow checkpoint."""
    tensors = function(read_tensors(folder, keep))
    for file in folder.glob("bert_model.ckpt*"):
        file.unlink()
    write_tensors(folder / prefix, tensors)
    return folder


def assert_same_parts(found, expected, parts=("encoder", "masked_lm", "next_sentence")):
    assert set(parts) == set(found.parts)
    for part in parts:
        assert found.parts[part].keys() == expected.parts[part].keys()
        for name, tensor in expected.parts[part].items():
            np.testing.assert_array_equal(found.parts[part][name], tensor, err_msg=name)


# === Older and newer files ===


def test_tokenizer_json_alone(folder, saved, tmp_path):
    """As transformers 5 saves it; the settings of the tokenizer are in that file only."""
    (folder / "vocab.txt").unlink()
    (folder / "tokenizer_config.json").unlink()
    details = {
        "normalizer": {"type": "BertNormalizer", "lowercase": False, "strip_accents": None},
        "pre_tokenizer": {"type": "BertPreTokenizer"},
        "model": {"type": "WordPiece", "vocab": {token: i for i, token in enumerate(TOKENS)}},
    }
    (folder / "tokenizer.json").write_text(json.dumps(details))
    found = kb.load_pretrained(folder)
    assert (found.vocabulary, found.lowercase, found.splitting.max_word_length) == (TOKENS, False, 100)
    kb.convert(folder, "keras", tmp_path / "keras")
    back = kb.load_pretrained(tmp_path / "keras")
    assert (back.vocabulary, back.lowercase, back.splitting) == (TOKENS, False, found.splitting)


@pytest.mark.parametrize("name", ["config.json", "bert_config.json"])
def test_configs_before_model_types(folder, saved, name):
    """Files of pytorch-pretrained-bert and of the first versions of transformers."""
    settings = json.loads((folder / "config.json").read_text())
    (folder / "config.json").unlink()
    (folder / name).write_text(
        json.dumps({k: v for k, v in settings.items() if k not in ("model_type", "architectures")})
    )
    found, expected = open_source(folder), open_source(saved / "huggingface")
    assert_same_parts(found, expected)
    assert found.config == expected.config and found.format == "huggingface"
    settings["architectures"] = ["RobertaModel"]
    (folder / name).write_text(json.dumps({k: v for k, v in settings.items() if k != "model_type"}))
    with pytest.raises(kb.InputError, match="^`model_type` must be .*Roberta"):
        open_source(folder)


# === Shards ===


def write_shards(folder, suffix) -> dict:
    """Store the weights in two files with an index, as transformers does, and return the index."""
    tensors = load_file(folder / "model.safetensors")
    (folder / "model.safetensors").unlink()
    names = list(tensors)
    stem = "model" if suffix == "safetensors" else "pytorch_model"
    files = {name: f"{stem}-0000{1 + (i >= 5)}-of-00002.{suffix}" for i, name in enumerate(names)}
    for file in set(files.values()):
        part = {name: np.ascontiguousarray(tensors[name]) for name in names if files[name] == file}
        if suffix == "safetensors":
            save_file(part, folder / file)
            continue
        strides = {name: [stride // 4 for stride in each.strides] for name, each in part.items()}
        content = {name: Tensor(name, each.size, 0, each.shape, tuple(strides[name])) for name, each in part.items()}
        write(folder / file, content, {name: each.astype("<f4").tobytes() for name, each in part.items()})
    index = {"metadata": {"total_size": 1}, "weight_map": files}
    (folder / f"{stem}.{suffix}.index.json").write_text(json.dumps(index))
    return index


@pytest.mark.parametrize("suffix", ["safetensors", "bin"])
def test_shards(folder, saved, suffix):
    write_shards(folder, suffix)
    assert_same_parts(open_source(folder), open_source(saved / "huggingface"))
    missing = next(folder.glob(f"*-00002-of-00002.{suffix}"))
    missing.unlink()
    with pytest.raises(kb.InputError, match=f"^`source` must contain every file.*{missing.name} is missing") as error:
        open_source(folder)
    assert "\n" not in str(error.value)
    next(folder.glob("*.index.json")).unlink()
    with pytest.raises(kb.InputError, match="^`source`.*00001-of-00002.*without the index file"):
        open_source(folder)


@pytest.mark.parametrize(
    ("change", "match"),
    [
        (lambda index: {"weight_map": [1]}, "^`weight_map`.*Received: weight_map=list"),
        (lambda index: {"weight_map": {}}, "^`weight_map`"),
        (lambda index: {}, "^`weight_map`.*NoneType"),
        (lambda index: {"weight_map": {**index["weight_map"], "x": "../model.safetensors"}}, "^`weight_map`.*folder"),
        (lambda index: {"weight_map": {**index["weight_map"], "x": 1}}, "^`weight_map`"),
        (
            lambda index: {"weight_map": {**index["weight_map"], "x": "model-00001-of-00002.safetensors"}},
            "^`source`.*no x in model-00001-of-00002.safetensors",
        ),
    ],
)
def test_rejects_other_indices(folder, change, match):
    index = write_shards(folder, "safetensors")
    (folder / "model.safetensors.index.json").write_text(json.dumps(change(index)))
    with pytest.raises(kb.InputError, match=match):
        open_source(folder)


# === Prefixes ===


@pytest.mark.parametrize(
    ("encoder", "heads"), [("module.bert.", "module."), ("model.encoder.", "model."), ("x.y.", "x.")]
)
def test_prefixes_of_wrappers(folder, saved, encoder, heads):
    def rename(tensors):
        return {
            encoder + name.removeprefix("bert.") if name.startswith("bert.") else heads + name: tensor
            for name, tensor in tensors.items()
        }

    assert_same_parts(open_source(change(folder, rename)), open_source(saved / "huggingface"))


@pytest.mark.parametrize("prefix", ["module.", "0.auto_model.", "_orig_mod.bert.", "encoder."])
def test_prefixes_of_encoders(saved, tmp_path, prefix):
    folder = Path(shutil.copytree(saved / "encoder", tmp_path / "folder"))
    change(folder, lambda tensors: {prefix + name: tensor for name, tensor in tensors.items()})
    assert_same_parts(open_source(folder), open_source(saved / "encoder"), ["encoder"])


def test_rejects_two_encoders(folder):
    def rename(tensors):
        return {f"{side}.{name}": tensor for side in ("teacher", "student") for name, tensor in tensors.items()}

    with pytest.raises(kb.InputError, match=f"^`source` must contain one encoder.*student.bert.{TABLE}.*teacher.bert"):
        open_source(change(folder, rename))


@pytest.mark.parametrize("scope", ["student/bert/", "run/model/"])
def test_scopes_of_checkpoints(google, saved, scope):
    def rename(tensors):
        outer = scope.split("/")[0] + "/"
        return {
            scope + name.removeprefix("bert/") if name.startswith("bert/") else outer + name: tensor
            for name, tensor in tensors.items()
        }

    assert_same_parts(open_source(change_checkpoint(google, rename)), open_source(saved / "google_research"))


# === State of a training ===


def test_training_state_in_safetensors(folder, saved):
    state = {
        "global_step": np.array(7),
        "epoch": np.array(7),
        "loss_scale": np.ones(1, "f4"),
        f"bert.{TABLE}.exp_avg": np.zeros((20, 8), "f4"),
    }
    state["optimizer.state.exp_avg_sq.0"] = np.zeros((20, 8), "f4")
    found = open_source(change(folder, lambda tensors: {**tensors, **state}))
    assert_same_parts(found, open_source(saved / "huggingface"))
    expected = {name.removeprefix("bert.") for name in state}
    assert set(found.skipped) == expected
    assert set(load_weights(build_model(found), found).skipped) == expected
    assert set(kb.load_pretrained(folder).skipped) == expected


SLOTS = (
    "adam_m",
    "lamb_v",
    "Adam",
    "Adam_1",
    "AdamWeightDecayOptimizer_1",
    "LAMBOptimizer",
    "Momentum",
    "RMSProp",
    "m",
)


def test_training_state_in_checkpoints(google, saved, tmp_path):
    def add(tensors):
        counters = {name: np.float32(1) for name in ("beta1_power", "loss_scale", "good_steps", "signal/STOP")}
        slots = {f"{name}/{slot}": tensor for name, tensor in tensors.items() for slot in SLOTS}
        return {**tensors, **slots, **counters, "global_step": np.int64(7)}

    found = open_source(change_checkpoint(google, add))
    assert_same_parts(found, open_source(saved / "google_research"))
    assert len(found.skipped) == 5 + len(SLOTS) * sum(map(len, found.parts.values()))
    assert {"global_step", "bert/embeddings/word_embeddings/Adam_1"} <= set(found.skipped)
    facts = kb.convert(google, "keras", tmp_path / "keras")
    assert facts["not_read"] == found.skipped and facts["skipped"] == []


def test_training_state_in_model_garden(tmp_path):
    folder = Path(shutil.copytree(GARDEN / "albert", tmp_path / "albert"))
    slot = f".OPTIMIZER_SLOT/optimizer/m{OBJECT_SUFFIX}"

    def add(tensors):
        slots = {name.replace(OBJECT_SUFFIX, "/") + slot: tensor for name, tensor in tensors.items()}
        names = ("optimizer/iter", "optimizer/loss_scale/current_loss_scale", "global_step", "step_counter")
        return {**tensors, **slots, **{name + OBJECT_SUFFIX: np.float32(1) for name in names}}

    found = open_source(change_checkpoint(folder, add, keep=lambda name: name.endswith(OBJECT_SUFFIX)))
    assert_same_parts(found, open_source(GARDEN / "albert"), ["encoder"])
    assert {"optimizer/iter", "global_step", "step_counter"} <= set(found.skipped)


def test_unknown_tensors_are_still_rejected(folder, google):
    more = np.zeros((2, 3), "f4")
    with pytest.raises(kb.InputError, match=r"^`source`.*Received: .*\bmore\b"):
        open_source(change(folder, lambda tensors: {**tensors, "more": more}))
    with pytest.raises(kb.InputError, match="^`source`.*Received: .*bert/encoder/layer_9/output/dense/kernel"):
        open_source(change_checkpoint(google, lambda t: {**t, "bert/encoder/layer_9/output/dense/kernel": more}))


# === Several checkpoints in a folder ===


def test_last_checkpoint(google, saved):
    for step in (1000, 2000):
        shutil.copytree(saved / "google_research", google / "copy")
        change_checkpoint(google / "copy", lambda t, s=step: {k: v + s for k, v in t.items()}, f"model.ckpt-{step}")
        for file in (google / "copy").glob("model.ckpt*"):
            file.rename(google / file.name)
        shutil.rmtree(google / "copy")
    with pytest.raises(kb.InputError, match="^`path`.*bert_model.ckpt.index, model.ckpt-1000.index.*`checkpoint`"):
        open_source(google)
    for path in ("model.ckpt-1000", "/home/someone/run/model.ckpt-1000", "C:\\\\run\\\\model.ckpt-1000"):
        (google / "checkpoint").write_text(
            f'model_checkpoint_path: "{path}"\nall_model_checkpoint_paths: "model.ckpt-2000"\n'
        )
        found, expected = open_source(google), open_source(saved / "google_research")
        name = "word_embeddings/embeddings"
        np.testing.assert_array_equal(found.parts["encoder"][name], expected.parts["encoder"][name] + 1000)
    (google / "checkpoint").write_text('model_checkpoint_path: "model.ckpt-3000"')
    with pytest.raises(kb.InputError, match="^`path`.*names 'model.ckpt-3000', which is not in the folder"):
        open_source(google)


# === Encoders without a pooler, and untied decoders ===


def test_encoder_without_pooler(saved, google, tmp_path):
    folder = Path(shutil.copytree(saved / "huggingface", tmp_path / "hf"))
    change(folder, lambda tensors: {name: tensor for name, tensor in tensors.items() if ".pooler." not in name})
    change_checkpoint(google, lambda tensors: {k: v for k, v in tensors.items() if "pooler" not in k})
    garden = Path(shutil.copytree(GARDEN / "albert", tmp_path / "albert"))
    keep = lambda name: name.endswith(OBJECT_SUFFIX)  # noqa: E731
    number = max(int(name.split("/")[1].split("-")[1]) for name in read_tensors(garden, keep) if "layer_with" in name)
    change_checkpoint(garden, lambda t: {k: v for k, v in t.items() if f"weights-{number}/" not in k}, keep=keep)
    for each in (folder, google, garden):
        found = open_source(each)
        assert not found.config.pooler and "pooler_transform/kernel" not in found.parts["encoder"]
        assert build_model(found).count_params() > 0
    assert kb.load_pretrained(folder).encoder.pooler is None


def test_tfhub_encoder_without_pooler():
    from keras_bert.weights.formats.tfhub_config import infer_config

    encoder = randomize(kb.BertEncoder(kb.BertConfig(**{**CONFIG.to_dict(), "pooler": False})))
    tensors = {name: np.asarray(weight) for name, weight in kb.weights.canonical_names.encoder_weights(encoder).items()}
    assert infer_config(tensors) == kb.BertConfig(**{**CONFIG.to_dict(), "pooler": False})


@pytest.mark.parametrize("name", ["cls.predictions.decoder.weight", "cls.predictions.decoder.bias"])
def test_untied_decoder(folder, saved, name):
    def add(tensors):
        table = tensors[f"bert.{TABLE}"] if name.endswith("weight") else tensors["cls.predictions.bias"]
        return {**tensors, name: table + 1}

    found = open_source(change(folder, add))
    assert_same_parts(found, open_source(saved / "huggingface"), ["encoder", "next_sentence"])
    assert {name, "cls.predictions.bias", "cls.predictions.transform.dense.weight"} <= set(found.skipped)
    assert kb.load_pretrained(folder).kind == "encoder"
    report = load_weights(randomize(kb.BertPretrainer(kb.BertEncoder(found.config))), folder)
    assert name in report.skipped and len(report.untouched) == 5  # the masked-LM head


# === More embedding rows than tokens ===


@pytest.mark.parametrize("name", ["huggingface", "google_research"])
def test_spare_rows(saved, tmp_path, name):
    folder = Path(shutil.copytree(saved / name, tmp_path / name))
    (folder / "vocab.txt").write_text("\n".join([*TOKENS[:15], "[spare0]"]) + "\n")
    spare = ["[spare1]", "[spare2]", "[spare3]", "[spare4]"]
    found = kb.load_pretrained(folder)
    assert found.spare_tokens == spare and found.vocabulary == [*TOKENS[:15], "[spare0]", *spare]
    assert found.vectorizer.tokenize("w3 [spare1] w9").numpy().tolist() == [8, 1, 1, 1, 14]
    assert BertTextVectorization.from_pretrained(folder).get_vocabulary() == found.vocabulary
    kb.convert(folder, "keras", tmp_path / "keras")
    back = kb.load_pretrained(tmp_path / "keras")
    assert back.vocabulary == found.vocabulary and back.spare_tokens == []
    (folder / "vocab.txt").write_text("\n".join([*TOKENS, "film"]) + "\n")
    for load in (kb.load_pretrained, BertTextVectorization.from_pretrained):
        with pytest.raises(kb.InputError, match="^`source` .*vocab_size=20, 21 tokens.*'film'"):
            load(folder)
    kb.load_weights(kb.BertEncoder(CONFIG), folder)


@pytest.mark.slow
def test_spare_rows_of_tfhub(model, vectorizer, tmp_path):
    folder = kb.export_saved_model(model.encoder, tmp_path / "tfhub", vectorizer, interface="tfhub")
    (file,) = folder.rglob("vocab.txt")
    file.write_text("\n".join(TOKENS[:15]) + "\n")
    found = kb.load_pretrained(folder)
    assert found.spare_tokens == [f"[spare{i}]" for i in range(5)]
    assert BertTextVectorization.from_pretrained(folder).get_vocabulary() == found.vocabulary
