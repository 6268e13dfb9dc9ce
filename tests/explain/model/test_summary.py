"""`kb.explain.summary`: facts, costs, files, and the drawing of the architecture."""

import json

import keras
import pytest

import keras_bert as kb
from keras_bert.errors import InputError
from keras_bert.models.summary import model_summary
from tests.explain.readable import assert_readable
from tests.helpers import tiny_config


def models():
    encoder = kb.BertEncoder(tiny_config(num_layers=3))
    shared = tiny_config(num_layers=3, share_blocks=True, embedding_size=8)
    return {
        "encoder": encoder,
        "classifier": kb.BertClassifier(encoder, 3),
        "pretrainer": kb.BertPretrainer(encoder),
        "tagger": kb.BertTokenClassifier(encoder, 4),
        "albert": kb.BertEncoder(shared),
        "distilbert": kb.BertEncoder(tiny_config(pooler=False, type_vocab_size=0)),
    }


@pytest.fixture(scope="module")
def summaries():
    return {name: kb.explain.summary(model) for name, model in models().items()}


def test_facts(summaries):
    facts = summaries["classifier"].facts
    assert facts == json.loads(json.dumps(facts))
    assert facts["architecture"]["parameters"] == facts["parameters"] == facts["bytes"]["int8"]
    assert facts["bytes"]["float32"] == facts["costs"]["memory"]["weights"] == 4 * facts["parameters"]
    assert str(summaries["classifier"]).splitlines()[-2].startswith(f"{facts['parameters']:,} parameters")


def test_folder_and_preset(tmp_path):
    vectorizer = kb.BertTextVectorization(["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "film"])
    model = kb.BertClassifier(kb.BertEncoder(tiny_config(vocab_size=6)))
    folder = kb.save_pretrained(model, tmp_path / "model", vectorizer)
    facts = kb.explain.summary(folder).facts
    assert facts["files"] == {path.name: path.stat().st_size for path in folder.iterdir()}
    assert facts["parameters"] == model.count_params()
    tiny = "small_bert/bert_en_uncased_L-2_H-128_A-2"
    assert kb.explain.summary(tiny).facts["parameters"] == 4_385_920
    assert kb.explain.summary(kb.BertConfig.from_preset(tiny)).facts["parameters"] == 4_385_920


@pytest.mark.parametrize("name", ["encoder", "classifier", "pretrainer", "tagger", "albert", "distilbert"])
def test_drawing(summaries, name):
    figure = summaries[name].figure()
    assert_readable(figure.figure)
    parts, tree = figure.data["parts"], summaries[name].facts["architecture"]
    assert sum(part["parameters"] for part in parts) == tree["parameters"]
    blocks = next(part for part in parts if part["type"] == "TransformerBlock")
    assert blocks["count"] == summaries[name].facts["config"]["num_layers"]
    shown = [text.get_text() for text in figure.figure.axes[0].texts]
    assert f"{blocks['parameters']:,}" in shown
    assert all(part["type"] in figure.alt for part in parts)


def test_heads_read_what_the_model_reads(summaries):
    """The masked-LM head stands beside the pooler, the sentence head above it."""
    boxes = {text.get_text(): text.get_position() for text in summaries["pretrainer"].figure().figure.axes[0].texts}
    assert boxes["MaskedLMHead"][1] == boxes["Pooler"][1] and boxes["MaskedLMHead"][0] > boxes["Pooler"][0]
    assert boxes["Dense"][1] > boxes["Pooler"][1] and boxes["Dense"][0] == boxes["Pooler"][0]


@pytest.mark.parametrize(
    "suffix, first", [("svg", b"<?xml"), ("png", b"\x89PNG"), ("html", b"<!doctype html>"), ("json", b"{")]
)
def test_save(summaries, tmp_path, suffix, first):
    content = summaries["pretrainer"].save(tmp_path / f"model.{suffix}").read_bytes()
    assert content.lstrip().startswith(first)
    if suffix == "html":
        page = content.decode()
        assert "://" not in page and page.count("<svg") == 1
        assert all(array["name"] in page for array in summaries["pretrainer"].facts["arrays"])
    if suffix == "json":
        assert json.loads(content) == summaries["pretrainer"].facts


def test_names_are_escaped(tmp_path):
    model = kb.BertEncoder(tiny_config(), name="<b>&name")
    page = kb.explain.summary(model).save(tmp_path / "model.html").read_text(encoding="utf-8")
    assert "<b>&name" not in page and "&lt;b&gt;&amp;name" in page


def test_speed():
    facts = kb.explain.summary(models()["encoder"], batch_size=2, sequence_length=8, speed=True).facts
    assert facts["speed"]["batch_size"] == 2 and facts["speed"]["sequence_length"] == 8
    assert facts["speed"]["tokens_per_second"] > 0 and facts["speed"]["milliseconds_per_text"] > 0


def test_other_keras_models():
    model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(3)])
    facts = kb.explain.summary(model).facts
    assert facts["parameters"] == model_summary(model)["parameters"] == 15 and facts["costs"] is None
    with pytest.raises(InputError, match="`speed`.*Received: "):
        kb.explain.summary(model, speed=True)


@pytest.mark.parametrize(
    "options, argument",
    [
        ({"batch_size": 0}, "batch_size"),
        ({"sequence_length": 0}, "sequence_length"),
        ({"sequence_length": 513}, "sequence_length"),
    ],
)
def test_rejects_wrong_arguments(options, argument):
    config = tiny_config(max_position_embeddings=512)
    with pytest.raises(InputError, match=f"`{argument}`.*Received: "):
        kb.explain.summary(config, **options)
