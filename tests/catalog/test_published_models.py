"""The table of published models, and the identification of folders by the hashes of their files."""

import hashlib
import json
import re

import pytest

import keras_bert as kb
from keras_bert.catalog import identify, list_published
from keras_bert.catalog.listing import resolve
from keras_bert.catalog.published_models import WEIGHTS, _table, files_at
from keras_bert.cli.main import main
from keras_bert.weights.formats.huggingface import save_huggingface

HUB, ARCHIVE = "https://huggingface.co/example/bert", "https://storage.googleapis.com/example/bert.zip"
MODELS = {model.name: model for model in list_published()}


@pytest.fixture
def table(tmp_path, monkeypatch):
    """Return a function `table({url: (files, with_sizes)})` that replaces the table by one model, `example_bert`."""

    def clear_cache():
        _table.cache_clear()
        list_published.cache_clear()

    def write(urls):
        known = {
            url: {
                "files": {
                    name: {"sha256": hashlib.sha256(content).hexdigest(), **({"bytes": len(content)} if sized else {})}
                    for name, content in files.items()
                }
            }
            for url, (files, sized) in urls.items()
        }
        model = {
            "name": "example_bert",
            "publisher": "Example 2020",
            "config": {"vocab_size": 6},
            "parameters": 1,
            "urls": list(urls),
        }
        (tmp_path / "table.json").write_text(json.dumps({"models": [model], "urls": known}))
        monkeypatch.setattr("keras_bert.catalog.published_models.TABLE", tmp_path / "table.json")
        clear_cache()

    yield write
    monkeypatch.undo()
    clear_cache()


@pytest.fixture
def folder(tmp_path, table):
    """A folder with the files of a model that is published at two addresses."""
    files = {"model.safetensors": b"weights" * 99, "config.json": b"{}", "vocab.txt": b"[PAD]\n"}
    checkpoint = {
        "bert_config.json": b"{ }",
        "bert_model.ckpt.data-00000-of-00001": b"data" * 99,
        "vocab.txt": b"[PAD]\n",
    }
    table({HUB: (files, True), ARCHIVE: (checkpoint, False)})
    for name, content in files.items():
        (tmp_path / "hub" / name).parent.mkdir(exist_ok=True)
        (tmp_path / "hub" / name).write_bytes(content)
    for name, content in checkpoint.items():
        (tmp_path / "archive" / name).parent.mkdir(exist_ok=True)
        (tmp_path / "archive" / name).write_bytes(content)
    return tmp_path / "hub"


def test_identifies_published_files(folder):
    found = identify(folder)
    assert (found.model, found.publisher, found.url, found.has_published_weights) == (
        "example_bert",
        "Example 2020",
        HUB,
        True,
    )
    assert set(found.files) == {"model.safetensors", "config.json", "vocab.txt"}
    assert str(found).startswith(
        "published: example_bert, Example 2020; identical to https://huggingface.co/example/bert: "
    )
    assert identify(folder.parent / "archive").url == ARCHIVE


def test_detects_one_changed_byte(folder):
    content = bytearray((folder / "model.safetensors").read_bytes())
    content[70] ^= 1
    (folder / "model.safetensors").write_bytes(content)
    found = identify(folder)
    assert found.files == {
        "config.json": "published",
        "model.safetensors": "different content",
        "vocab.txt": "published",
    }
    assert not found.has_published_weights and str(found).startswith(
        "not the published example_bert, Example 2020: model.safe"
    )


def test_reports_size_of_truncated_file(folder):
    (folder / "model.safetensors").write_bytes((folder / "model.safetensors").read_bytes()[:600])
    assert identify(folder).files["model.safetensors"] == "600 of 693 bytes"
    data = folder.parent / "archive" / "bert_model.ckpt.data-00000-of-00001"
    data.write_bytes(data.read_bytes()[:100])  # its size is not in the table
    assert identify(data.parent).files[data.name] == "different content"


def test_identifies_weights_with_another_vocabulary(folder):
    (folder / "vocab.txt").write_bytes(b"[PAD]\r\n")
    found = identify(folder)
    assert found.has_published_weights and str(found).endswith("; different: vocab.txt (different content)")


def test_returns_none_for_unpublished_files(folder, tmp_path):
    (folder / "model.safetensors").write_bytes(b"my own")
    (folder / "config.json").write_bytes(b"my own")
    assert identify(folder) is None  # many models share a vocabulary
    (tmp_path / "empty").mkdir()
    assert identify(tmp_path / "empty") is None
    with pytest.raises(kb.InputError, match="`folder` .*nowhere"):
        identify(tmp_path / "nowhere")


def test_inspect_reports_match(table, tmp_path, capfd):
    vectorizer = kb.BertTextVectorization(["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "film"])
    config = kb.BertConfig(vocab_size=6, hidden_size=8, num_layers=1, num_heads=2, intermediate_size=16)
    folder = save_huggingface(kb.BertEncoder(config), tmp_path / "bert", vectorizer)
    weights = (folder / "model.safetensors").read_bytes()
    names = ("model.safetensors", "config.json", "vocab.txt")
    table({HUB: ({name: (folder / name).read_bytes() for name in names}, True)})

    def inspect():
        capfd.readouterr()
        status = main(["inspect", str(folder), "--json"])
        captured = capfd.readouterr()
        return status, captured.out, captured.err

    status, out, err = inspect()
    assert status == 0 and "published: example_bert, Example 2020" in err
    assert json.loads(out)["published"]["files"] == dict.fromkeys(sorted(names), "published")
    (folder / "model.safetensors").write_bytes(weights[:-1] + bytes([weights[-1] ^ 1]))
    status, out, err = inspect()
    assert status == 0 and "not the published example_bert" in err
    assert json.loads(out)["published"]["files"]["model.safetensors"] == "different content"
    (folder / "model.safetensors").write_bytes(weights[:-8])
    status, out, err = inspect()
    assert status == 2 and out == "" and len(err.splitlines()) == 1
    assert f"{len(weights) - 8:,} of {len(weights):,} bytes" in err


def test_inspect_lists_urls_of_preset(capfd):
    assert main(["inspect", "bert_en_uncased_L-2_H-128_A-2", "--json"]) == 0
    facts = json.loads(capfd.readouterr().out)
    assert facts["published"] is None
    assert facts["urls"][1:] == [
        "https://storage.googleapis.com/bert_models/2020_02_20/uncased_L-2_H-128_A-2.zip",
        "https://huggingface.co/google/bert_uncased_L-2_H-128_A-2",
    ]


def test_table_is_consistent():
    assert len(MODELS) == len(list_published()) == 45 and set(kb.PRESETS) == set(MODELS)
    urls = [url for model in list_published() for url in model.urls]
    assert len(urls) == len(set(urls)) and set(_table()["urls"]) <= set(urls)
    seen = {}
    for url in _table()["urls"]:
        for name, known in files_at(url).items():
            assert re.fullmatch("[0-9a-f]{64}", known["sha256"]), (url, name)
            # A hash has one file name and one size. Models may share vocabularies and configs, but not weights.
            assert seen.setdefault(known["sha256"], (name, known.get("bytes"))) == (name, known.get("bytes"))
            assert name not in WEIGHTS or sum(known in files_at(other).values() for other in urls) == 1
    hashed = [m.name for m in list_published() if any(name in WEIGHTS for url in m.urls for name in files_at(url))]
    assert len(hashed) == 10


def test_names_are_those_of_the_presets():
    for name in kb.PRESETS:
        assert MODELS[name].config == kb.BertConfig.from_preset(name)
    for name in [name for name in kb.PRESETS if name.startswith(("bert_", "small_bert/"))]:
        assert resolve(name) == MODELS[name].urls[0]
        assert MODELS[name].urls[0].startswith(f"https://tfhub.dev/tensorflow/{name}/")


@pytest.mark.parametrize("model", list_published(), ids=lambda model: model.name)
def test_parameter_counts(model):
    config = model.config
    hidden, inner, width = config.hidden_size, config.intermediate_size, config.embedding_size or config.hidden_size
    tables = (config.vocab_size + config.max_position_embeddings + config.type_vocab_size + 2) * width  # 2: LayerNorm
    projection = (width + 1) * hidden if config.embedding_size else 0
    block = 4 * (hidden + 1) * hidden + 2 * 2 * hidden + (hidden + 1) * inner + (inner + 1) * hidden
    blocks = (1 if config.share_blocks else config.num_layers) * block
    assert model.parameters == tables + projection + blocks + (hidden + 1) * hidden * config.pooler
    sizes = re.search(r"L-(\d+)_H-(\d+)_A-(\d+)$", model.name)
    assert sizes is None or tuple(map(int, sizes.groups())) == (config.num_layers, hidden, config.num_heads)


@pytest.mark.parametrize("kind", ["en_uncased", "en_cased", "multi_cased", "zh"])
def test_vocabulary_hashes(kind, shared_data):
    content = (shared_data / "vocab" / f"bert_{kind}.txt").read_bytes()
    for url in MODELS[f"bert_{kind}_L-12_H-768_A-12"].urls:
        if "vocab.txt" in files_at(url):
            known = files_at(url)["vocab.txt"]
            assert known == {"sha256": hashlib.sha256(content).hexdigest(), "bytes": len(content)}
