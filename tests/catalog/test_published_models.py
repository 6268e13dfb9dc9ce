"""The published models: the table is sound, and a folder's files are told from others by their bytes."""

import hashlib
import json
import re

import pytest

import keras_bert as kb
from keras_bert.catalog import identify, list_published
from keras_bert.catalog.published_models import WEIGHTS, _table, files_at
from keras_bert.cli.main import main
from keras_bert.weights.formats.huggingface import save_huggingface
from keras_bert.weights.load import _handle

HUB, ARCHIVE = "https://huggingface.co/nobody/bert", "https://storage.googleapis.com/nobody/bert.zip"
MODELS = {model.name: model for model in list_published()}


@pytest.fixture
def table(tmp_path, monkeypatch):
    """`table(place=files)` makes these all that is published, of a model `bert_of_nobody`."""

    def forget():
        _table.cache_clear()
        list_published.cache_clear()

    def write(places):
        known = {
            place: {
                "files": {
                    name: {"sha256": hashlib.sha256(content).hexdigest(), **({"bytes": len(content)} if sized else {})}
                    for name, content in files.items()
                }
            }
            for place, (files, sized) in places.items()
        }
        model = {
            "name": "bert_of_nobody",
            "by": "Nobody 2020",
            "config": {"vocab_size": 6},
            "parameters": 1,
            "places": list(places),
        }
        (tmp_path / "table.json").write_text(json.dumps({"models": [model], "places": known}))
        monkeypatch.setattr("keras_bert.catalog.published_models.TABLE", tmp_path / "table.json")
        forget()

    yield write
    monkeypatch.undo()
    forget()


@pytest.fixture
def folder(tmp_path, table):
    """A folder of a published model of two places."""
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


def test_published_files_are_named(folder):
    found = identify(folder)
    assert (found.model, found.by, found.place, found.has_weights) == ("bert_of_nobody", "Nobody 2020", HUB, True)
    assert set(found.files) == {"model.safetensors", "config.json", "vocab.txt"}
    assert str(found).startswith("published: bert_of_nobody, Nobody 2020; as at https://huggingface.co/nobody/bert: ")
    assert identify(folder.parent / "archive").place == ARCHIVE


def test_one_byte_makes_other_weights(folder):
    content = bytearray((folder / "model.safetensors").read_bytes())
    content[70] ^= 1
    (folder / "model.safetensors").write_bytes(content)
    found = identify(folder)
    assert found.files == {"config.json": "published", "model.safetensors": "other bytes", "vocab.txt": "published"}
    assert not found.has_weights and str(found).startswith("not the published bert_of_nobody, Nobody 2020: model.safe")


def test_a_download_cut_short_says_how_far_it_came(folder):
    (folder / "model.safetensors").write_bytes((folder / "model.safetensors").read_bytes()[:600])
    assert identify(folder).files["model.safetensors"] == "600 of 693 bytes"
    data = folder.parent / "archive" / "bert_model.ckpt.data-00000-of-00001"
    data.write_bytes(data.read_bytes()[:100])  # of which no size is known
    assert identify(data.parent).files[data.name] == "other bytes"


def test_published_weights_beside_another_vocabulary(folder):
    (folder / "vocab.txt").write_bytes(b"[PAD]\r\n")
    found = identify(folder)
    assert found.has_weights and str(found).endswith("; not as there: vocab.txt (other bytes)")


def test_what_nobody_published(folder, tmp_path):
    (folder / "model.safetensors").write_bytes(b"my own")
    (folder / "config.json").write_bytes(b"my own")
    assert identify(folder) is None  # the vocabulary alone says nothing
    (tmp_path / "empty").mkdir()
    assert identify(tmp_path / "empty") is None
    with pytest.raises(kb.InputError, match="a folder is expected. Received: .*nowhere"):
        identify(tmp_path / "nowhere")


def test_inspect_says_it(table, tmp_path, capfd):
    vectorizer = kb.BertTextVectorization(["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "film"])
    config = kb.BertConfig(vocab_size=6, hidden_size=8, num_layers=1, num_heads=2, intermediate_size=16)
    folder = save_huggingface(kb.BertEncoder(config), tmp_path / "bert", vectorizer)
    weights = (folder / "model.safetensors").read_bytes()
    names = ("model.safetensors", "config.json", "vocab.txt")
    table({HUB: ({name: (folder / name).read_bytes() for name in names}, True)})

    def inspect():
        capfd.readouterr()
        status = main(["inspect", str(folder), "--json"])
        said = capfd.readouterr()
        return status, said.out, said.err

    status, out, err = inspect()
    assert status == 0 and "published: bert_of_nobody, Nobody 2020" in err
    assert json.loads(out)["published"]["files"] == dict.fromkeys(sorted(names), "published")
    (folder / "model.safetensors").write_bytes(weights[:-1] + bytes([weights[-1] ^ 1]))
    status, out, err = inspect()
    assert status == 0 and "not the published bert_of_nobody" in err
    assert json.loads(out)["published"]["files"]["model.safetensors"] == "other bytes"
    (folder / "model.safetensors").write_bytes(weights[:-8])
    status, out, err = inspect()
    assert status == 2 and out == "" and len(err.splitlines()) == 1
    assert f"{len(weights) - 8:,} of {len(weights):,} bytes" in err


def test_inspect_says_where_a_preset_is_had(capfd):
    assert main(["inspect", "bert_en_uncased_L-2_H-128_A-2", "--json"]) == 0
    facts = json.loads(capfd.readouterr().out)
    assert facts["published"] is None
    assert facts["places"][1:] == [
        "https://storage.googleapis.com/bert_models/2020_02_20/uncased_L-2_H-128_A-2.zip",
        "https://huggingface.co/google/bert_uncased_L-2_H-128_A-2",
    ]


def test_the_table_is_sound():
    assert len(MODELS) == len(list_published()) == 45 and set(kb.PRESETS) <= set(MODELS)
    places = [place for model in list_published() for place in model.places]
    assert len(places) == len(set(places)) and set(_table()["places"]) <= set(places)
    seen = {}
    for place in _table()["places"]:
        for name, known in files_at(place).items():
            assert re.fullmatch("[0-9a-f]{64}", known["sha256"]), (place, name)
            # One hash is one file of one size: a vocabulary or a config may be of several models, weights are not.
            assert seen.setdefault(known["sha256"], (name, known.get("bytes"))) == (name, known.get("bytes"))
            assert name not in WEIGHTS or sum(known in files_at(other).values() for other in places) == 1
    hashed = [m.name for m in list_published() if any(name in WEIGHTS for p in m.places for name in files_at(p))]
    assert len(hashed) == 10  # as README.md says


def test_handles_are_those_that_are_fetched():
    for name in kb.PRESETS:
        assert MODELS[name].places[0] == _handle(name)
        assert MODELS[name].config == kb.BertConfig.from_preset(name)


@pytest.mark.parametrize("model", list_published(), ids=lambda model: model.name)
def test_sizes(model):
    config = model.config
    hidden, inner, width = config.hidden_size, config.intermediate_size, config.embedding_size or config.hidden_size
    tables = (config.vocab_size + config.max_position_embeddings + config.type_vocab_size + 2) * width  # 2: LayerNorm
    projection = (width + 1) * hidden if config.embedding_size else 0
    block = 4 * (hidden + 1) * hidden + 2 * 2 * hidden + (hidden + 1) * inner + (inner + 1) * hidden
    blocks = (1 if config.share_blocks else config.num_layers) * block
    assert model.parameters == tables + projection + blocks + (hidden + 1) * hidden * config.pooler
    said = re.search(r"L-(\d+)_H-(\d+)_A-(\d+)$", model.name)
    assert said is None or tuple(map(int, said.groups())) == (config.num_layers, hidden, config.num_heads)


@pytest.mark.parametrize("kind", ["en_uncased", "en_cased", "multi_cased", "zh"])
def test_the_vocabularies_have_these_hashes(kind, shared_data):
    content = (shared_data / "vocab" / f"bert_{kind}.txt").read_bytes()
    for place in MODELS[f"bert_{kind}_L-12_H-768_A-12"].places:
        if "vocab.txt" in files_at(place):
            known = files_at(place)["vocab.txt"]
            assert known == {"sha256": hashlib.sha256(content).hexdigest(), "bytes": len(content)}
