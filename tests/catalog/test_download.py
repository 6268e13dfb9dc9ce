"""Models by name and by address, from a server on this machine that implements the protocols of the hubs."""

import hashlib
import io
import json
import tarfile

import numpy as np
import pytest

import keras_bert as kb
from keras_bert.catalog import hugging_face_hub, list_published
from keras_bert.catalog.download import locate
from keras_bert.catalog.hub_files import needed_patterns
from keras_bert.cli.main import main
from keras_bert.parity import check
from keras_bert.weights.formats.huggingface import save_huggingface
from tests.catalog.hub_server import COMMIT, serve
from tests.helpers import randomize, tiny_config

VOCABULARY = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "a", "fine", "film", "##s"]
JUNK = {
    "README.md": b"#",
    "tf_model.h5": b"0" * 9,
    "rust_model.ot": b"0",
    "onnx/model.onnx": b"0",
    "flax_model.msgpack": b"0",
}
NEEDED = ["config.json", "model.safetensors", "tokenizer.json", "tokenizer_config.json", "vocab.txt"]


@pytest.fixture(scope="module")
def encoder():
    return randomize(kb.BertEncoder(tiny_config(vocab_size=len(VOCABULARY), num_layers=1)))


@pytest.fixture(scope="module")
def vectorizer():
    return kb.BertTextVectorization(VOCABULARY)


@pytest.fixture(scope="module")
def files(encoder, vectorizer, tmp_path_factory):
    """The files of a repository: a model of Hugging Face, with the same weights in other formats."""
    folder = save_huggingface(encoder, tmp_path_factory.mktemp("published") / "bert", vectorizer)
    return {**{file.name: file.read_bytes() for file in folder.iterdir()}, **JUNK, "pytorch_model.bin": b"0"}


@pytest.fixture
def hub(tmp_path, monkeypatch):
    """The server, which the libraries of the hubs ask, with empty caches."""
    constants = pytest.importorskip("huggingface_hub.constants", reason="the extra hub installs it")
    kaggle = pytest.importorskip("kagglesdk.kaggle_env", reason="the extra hub installs it")
    with serve() as server:
        monkeypatch.setattr(constants, "ENDPOINT", server.url)
        template = server.url + "/{repo_id}/resolve/{revision}/{filename}"
        monkeypatch.setattr(constants, "HUGGINGFACE_CO_URL_TEMPLATE", template)
        monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "hugging_face"))
        monkeypatch.setattr(constants, "HF_TOKEN_PATH", str(tmp_path / "token"))
        monkeypatch.delenv("HF_TOKEN", raising=False)
        monkeypatch.setenv("KAGGLEHUB_CACHE", str(tmp_path / "kaggle"))
        monkeypatch.setenv("KAGGLE_API_ENVIRONMENT", "LOCALHOST")
        monkeypatch.setitem(kaggle._env_to_endpoint, kaggle.KaggleEnv.LOCAL, server.url)
        monkeypatch.setenv("TFHUB_CACHE_DIR", str(tmp_path / "tfhub"))
        yield server


def assert_equal_weights(one, other):
    for expected, received in zip(one.get_weights(), other.get_weights(), strict=True):
        np.testing.assert_array_equal(expected, received)


def test_downloads_only_needed_files(hub, files, encoder):
    hub.models["org/bert"] = files
    loaded = kb.load_pretrained("hf://org/bert")
    assert_equal_weights(encoder, loaded.encoder)
    assert loaded.vocabulary == VOCABULARY and sorted(hub.downloads) == sorted(set(NEEDED) & set(files))
    kb.load_pretrained(f"{hugging_face_hub.WEB}org/bert")  # the address of the page
    kb.BertEncoder.from_pretrained(f"hf://org/bert@{COMMIT}")
    assert len(hub.downloads) == len(set(NEEDED) & set(files))  # from the cache
    hub.limit = 0  # the network fails
    assert_equal_weights(encoder, kb.load_pretrained("hf://org/bert").encoder)
    with pytest.raises(kb.InputError, match="^`source`.*hf://org/other .*hf download org/other"):
        kb.load_weights(encoder, "hf://org/other")


def test_vectorizer_needs_no_weights(hub, files):
    hub.models["org/bert"] = files
    for limit in (None, 0):  # then without a network
        hub.limit = limit
        vectorizer = kb.BertTextVectorization.from_pretrained("hf://org/bert")
        assert vectorizer.get_vocabulary() == VOCABULARY
    assert "model.safetensors" not in hub.downloads and "vocab.txt" in hub.downloads
    with pytest.raises(kb.InputError, match="^`source`.*hf://org/bert "):  # the weights are not in the cache
        kb.load_pretrained("hf://org/bert")


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        (["model.safetensors.index.json", "model-00001-of-00002.safetensors", "model-00002-of-00002.safetensors"], 3),
        (["pytorch_model.bin.index.json", "pytorch_model-00001-of-00001.bin"], 2),
        (["pytorch_model.bin"], 1),
        (["model.keras", "vocab.txt"], 2),
        (["model.weights.h5", "tokenizer.json", "task.json", "assets/tokenizer/vocabulary.txt"], 4),
        (["modules.json", "1_Pooling/config.json", "model.safetensors", "tokenizer.json"], 4),
        (["modules.json", "1_Pooling/config.json", "0_Transformer/pytorch_model.bin", "0_Transformer/vocab.txt"], 4),
        (["bert_config.json", "bert_model.ckpt.index", "bert_model.ckpt.data-00000-of-00001", "vocab.txt"], 4),
        (["saved_model.pb", "variables/variables.index", "assets/vocab.txt"], 3),
        (["tf_model.h5", "flax_model.msgpack", "vocab.txt"], 0),
        (["model-00001-of-00002.safetensors"], 0),  # an incomplete repository
    ],
)
def test_needed_files_of_each_format(names, expected):
    found = needed_patterns([*names, "README.md", "pytorch_model.h5", "onnx/model.onnx", "weights [old].bin"])
    assert found == (sorted(names) if expected else []) and len(found) == expected


@pytest.mark.parametrize(
    ("source", "match"),
    [
        ("hf://org/none", "no such model, or it is private.*hf auth login"),
        ("hf://org/bert@v9", "no such revision"),
        ("hf://org/private", "gated.*HF_TOKEN"),
        ("hf://org/weightless", "no model.safetensors.*README.md"),
        ("kaggle://org/bert/keras/none", "404"),
        ("org/bert", "Did you mean hf://org/bert"),
        ("bert-base-uncasd", "Did you mean .*bert-base-uncased"),
    ],
)
def test_rejects_what_cannot_be_loaded(hub, files, source, match):
    hub.models |= {"org/bert": files, "org/private": files, "org/weightless": JUNK}
    hub.private.add("org/private")
    with pytest.raises(kb.InputError, match=f"^`source`.*{source}.*{match}") as error:
        kb.load_pretrained(source)
    assert "\n" not in str(error.value) and hub.downloads == []


@pytest.mark.parametrize(
    ("source", "form"),
    [
        ("hf://org/bert/model.safetensors", "hf://NAME@REVISION"),
        ("hf://", "hf://NAME@REVISION"),
        ("hf://org/bert@", "hf://NAME@REVISION"),
        ("https://huggingface.co/org/bert/blob/main/config.json", "hf://NAME@REVISION"),
        ("kaggle://org/bert", "kaggle://OWNER/MODEL/FRAMEWORK/VARIATION"),
        ("https://www.kaggle.com/models/org/bert", "kaggle://OWNER/MODEL/FRAMEWORK/VARIATION"),
    ],
)
def test_rejects_invalid_addresses(source, form):
    with pytest.raises(kb.InputError, match=f"^`source` must be {form.split('@')[0]}.*Received: source={source}$"):
        locate(source)


def test_sends_the_access_token(hub, files, monkeypatch):
    hub.models["org/private"] = files
    hub.private.add("org/private")
    monkeypatch.setenv("HF_TOKEN", "secret")
    assert kb.load_pretrained("hf://org/private").vocabulary == VOCABULARY
    assert set(hub.tokens) == {"Bearer secret"}


def test_published_names_are_verified(hub, files, encoder, monkeypatch):
    hub.models["google-bert/bert-base-uncased"] = files
    for source in ("bert-base-uncased", "google-bert/bert-base-uncased", "hf://google-bert/bert-base-uncased"):
        with pytest.raises(kb.InputError, match=f"SHA-256 68d45e23.*hf://google-bert/bert-base-uncased.*{COMMIT}"):
            kb.load_pretrained(source)
    assert_equal_weights(encoder, kb.load_pretrained("hf://google-bert/bert-base-uncased@main").encoder)
    known = {name: {"sha256": hashlib.sha256(files[name]).hexdigest()} for name in ("model.safetensors", "vocab.txt")}
    monkeypatch.setattr(hugging_face_hub, "files_at", lambda url: known)
    assert_equal_weights(encoder, kb.load_pretrained("bert-base-uncased").encoder)
    known["vocab.txt"] = known["model.safetensors"]
    for load in (kb.load_pretrained, kb.BertTextVectorization.from_pretrained):
        with pytest.raises(kb.InputError, match="published vocab.txt"):
            load("bert-base-uncased")


def test_every_published_name_has_an_address():
    addresses = {info.name: info.source for info in kb.list_pretrained() if not info.bundled}
    assert {model.name for model in list_published()} <= set(addresses)
    assert addresses["bert-base-uncased"] == "hf://google-bert/bert-base-uncased"
    assert addresses["distilbert-base-uncased"] == "hf://distilbert/distilbert-base-uncased"
    assert addresses["albert-base-v2"] == "hf://albert/albert-base-v2"
    assert addresses["bert_tiny_en_uncased"] == "kaggle://keras/bert/keras/bert_tiny_en_uncased/3"
    known = ("hf://", "https://tfhub.dev/tensorflow/", "kaggle://keras/")
    assert all(address.startswith(known) for address in addresses.values())


def test_keras_hub_names_are_those_of_keras_hub():
    keras_hub = pytest.importorskip("keras_hub")
    presets = {}
    for name in ("Bert", "DistilBert", "Albert"):
        for cls in (getattr(keras_hub.models, f"{name}Backbone"), getattr(keras_hub.models, f"{name}TextClassifier")):
            presets |= {each: value["kaggle_handle"] for each, value in cls.presets.items()}
    names = {info.name: info.source for info in kb.list_pretrained() if info.source.startswith("kaggle://")}
    assert len(names) == 17 and names == {name: presets[name] for name in names}


def test_interrupted_download_continues(hub, files, encoder):
    hub.models["org/bert"] = files
    hub.limit = 7  # the listings, and some of the files
    with pytest.raises(kb.InputError, match="^`source`.*hf://org/bert "):
        kb.load_pretrained("hf://org/bert")
    hub.limit = None
    assert_equal_weights(encoder, kb.load_pretrained("hf://org/bert").encoder)


def test_offline_mode(hub, files, encoder, monkeypatch):
    hub.models["org/bert"] = files
    kb.load_pretrained("hf://org/bert")
    asked = len(hub.tokens)
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    assert_equal_weights(encoder, kb.load_pretrained("hf://org/bert").encoder)
    with pytest.raises(kb.InputError, match="hf://org/other .*HF_HUB_OFFLINE"):
        kb.load_pretrained("hf://org/other")
    assert len(hub.tokens) == asked


def test_kaggle(hub, files, encoder, capfd):
    hub.models |= {"org/bert/keras/tiny/2": {"config.json": b"[]"}, "org/bert/keras/tiny/11": files}
    for source in ("kaggle://org/bert/keras/tiny", "https://www.kaggle.com/models/org/bert/keras/tiny/11"):
        assert_equal_weights(encoder, kb.load_pretrained(source).encoder)
    assert sorted(hub.downloads) == sorted(files) and capfd.readouterr().out == ""
    assert locate("kaggle://org/bert/keras/tiny/2").name == "2"
    hub.limit = 0  # the network fails: the newest version in the cache
    assert_equal_weights(encoder, kb.load_pretrained("kaggle://org/bert/keras/tiny").encoder)
    for source in ("kaggle://org/bert/keras/tiny/3", "kaggle://org/bert/keras/other"):
        with pytest.raises(kb.InputError, match=f"^`source`.*{source} .*Without a network"):
            kb.load_pretrained(source)


def test_tfhub_handle(hub, encoder, vectorizer, tmp_path):
    folder = kb.export_saved_model(encoder, tmp_path / "model", vectorizer, interface="tfhub")
    with tarfile.open(fileobj=(archive := io.BytesIO()), mode="w:gz") as tar:
        tar.add(folder, arcname=".")
    hub.models["example/bert/1"] = {"archive": archive.getvalue()}
    source = f"{hub.url}/example/bert/1"
    assert_equal_weights(encoder, kb.load_pretrained(source).encoder)
    assert len(kb.Predictor(source)(["a fine film"])[0]["embedding"]) == 32 and check(source).passed
    hub.limit = 0
    assert kb.BertTextVectorization.from_pretrained(source).get_vocabulary() == VOCABULARY  # from the cache
    with pytest.raises(kb.InputError, match="^`source`.*example/other/1 .*Without network"):
        kb.load_pretrained(f"{hub.url}/example/other/1")


@pytest.mark.parametrize(
    "arguments",
    [
        ("inspect", "{model}"),
        ("convert", "{model}", "--to", "keras", "--out", "{out}"),
        ("embed", "--model", "{model}", "a fine film"),
        ("predict", "--model", "{model}", "a fine film"),
        pytest.param(("check", "{model}"), marks=pytest.mark.slow),
        pytest.param(("check", "{model}", "--encoder", "{model}"), marks=pytest.mark.slow),
        pytest.param(
            ("finetune", "--encoder", "{model}", "--dataset", "{data}", "--epochs", "1", "--out", "{out}"),
            marks=pytest.mark.slow,
        ),
        pytest.param(
            (
                "pretrain",
                "--encoder",
                "{model}",
                "--data",
                "{data}",
                "--steps",
                "1",
                "--sequence-length",
                "16",
                "--out",
                "{out}",
            ),
            marks=pytest.mark.slow,
        ),
    ],
    ids=lambda arguments: arguments[0],
)
def test_commands_take_names(arguments, hub, files, tmp_path, capfd):
    data = tmp_path / "train.tsv"
    data.write_text("sentence\tlabel\na fine film\t1\nfilms\t0\n" * 8)
    (tmp_path / "corpus.txt").write_text("a fine film\nfilms\n\na film\na fine film\n\n" * 8)
    values = {"data": tmp_path / "corpus.txt" if arguments[0] == "pretrain" else tmp_path, "out": tmp_path / "out"}
    (tmp_path / "dev.tsv").write_text(data.read_text())
    words = [word.format(model="hf://org/bert", **values) for word in arguments]
    assert main([*words, "--json"]) == 2  # there is no such model yet
    line = capfd.readouterr().err.splitlines()[-1]
    assert line.startswith("error: `source` must be ") and "hf://org/bert" in line and not (tmp_path / "out").exists()
    hub.models["org/bert"] = files
    assert main([*words, "--json"]) == 0, capfd.readouterr().err
    assert json.loads(capfd.readouterr().out.splitlines()[-1])


def test_inspect_lists_all_names(capfd):
    assert main(["inspect", "--list", "--json"]) == 0
    listed = json.loads(capfd.readouterr().out)["models"]
    assert [each["name"] for each in listed] == [info.name for info in kb.list_pretrained()]
    assert {each["name"]: each["parameters"] for each in listed}["distilbert-base-uncased"] == 66_362_880
    assert main(["inspect"]) == 2 and "--list" in capfd.readouterr().err
    assert main(["inspect", "bert-base-uncased", "--list"]) == 2


def test_inspect_of_a_published_name_downloads_nothing(capfd):
    assert main(["inspect", "bert-base-uncased", "--json"]) == 0
    facts = json.loads(capfd.readouterr().out)
    assert facts["parameters"] == 109_482_240 and facts["urls"][-1].endswith("google-bert/bert-base-uncased")
