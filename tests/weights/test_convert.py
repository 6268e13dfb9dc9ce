"""`convert` verifies what it wrote, and writes nothing if the check fails."""

import numpy as np
import pytest

import keras_bert as kb
from keras_bert.weights import convert
from keras_bert.weights.changes import CHANGES
from keras_bert.weights.formats.huggingface import HuggingFace
from keras_bert.weights.load import open_source
from tests.helpers import randomize, tiny_config

VOCABULARY = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *(f"w{i}" for i in range(95))]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    classifier = randomize(kb.BertClassifier(kb.BertEncoder(tiny_config()), num_classes=2))
    vectorizer = kb.BertTextVectorization(VOCABULARY, lowercase=False, sequence_length=16)
    return kb.save_pretrained(classifier, tmp_path_factory.mktemp("saved") / "model", vectorizer, ["no", "yes"])


def test_keeps_heads_labels_and_vocabulary(folder, tmp_path):
    facts = convert(folder, to="huggingface", out=tmp_path / "hf")
    assert (facts["to"], facts["kind"], facts["skipped"]) == ("huggingface", "classifier", [])
    back = convert(tmp_path / "hf", to="keras", out=tmp_path / "keras")
    assert back["tensors"] == facts["tensors"] and back["parameters"] == facts["parameters"]
    first, last = kb.load_pretrained(folder), kb.load_pretrained(tmp_path / "keras")
    assert (last.labels, last.vocabulary, last.lowercase) == (["no", "yes"], VOCABULARY, False)
    for weight, expected in zip(last.model.weights, first.model.weights, strict=True):
        np.testing.assert_array_equal(weight, expected)


def test_reports_skipped_heads(folder, tmp_path):
    facts = convert(folder, to="tfhub", out=tmp_path / "hub")
    assert facts["skipped"] == ["classifier"] and set(open_source(tmp_path / "hub").parts) == {"encoder"}


def test_rejects_changed_tensor(folder, tmp_path, monkeypatch):
    def write_changed(self, model, path, vectorizer=None, labels=None):
        copy = kb.BertClassifier.from_config(model.get_config())
        copy.set_weights(model.get_weights())
        copy.head.bias.assign_add([0.0, 1e-6])
        return write(self, copy, path, vectorizer, labels)

    write = HuggingFace.write
    monkeypatch.setattr(HuggingFace, "write", write_changed)
    with pytest.raises(kb.InputError, match="^`to`.*Received: to='huggingface' .*classifier/bias"):
        convert(folder, to="huggingface", out=tmp_path / "out")
    assert list(tmp_path.iterdir()) == []


def test_rejects_lost_head(folder, tmp_path, monkeypatch):
    write = HuggingFace.write
    monkeypatch.setattr(HuggingFace, "write", lambda self, model, path, *rest: write(self, model.encoder, path, *rest))
    with pytest.raises(kb.InputError, match="^`to`.*Received: to='huggingface' .*classifier/kernel"):
        convert(folder, to="huggingface", out=tmp_path / "out")
    assert list(tmp_path.iterdir()) == []


def test_keras_format_requires_vocabulary(folder, tmp_path):
    convert(folder, to="huggingface", out=tmp_path / "hf")
    (tmp_path / "hf" / "vocab.txt").unlink()
    with pytest.raises(kb.InputError, match="^`vectorizer`.*Received: vectorizer=None"):
        convert(tmp_path / "hf", to="keras", out=tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_rejects_file_as_out(folder, tmp_path):
    (tmp_path / "file").write_text("mine")
    with pytest.raises(kb.InputError, match="`out`"):
        convert(folder, to="huggingface", out=tmp_path / "file")
    assert (tmp_path / "file").read_text() == "mine"


DISTILBERT = {"type_vocab_size": 0, "pooler": False}
HEADS = {
    "classifier": lambda encoder: kb.BertClassifier(encoder, 3),
    "multi-label": lambda encoder: kb.BertClassifier(encoder, 3, problem_type="multi_label"),
    "tokens": lambda encoder: kb.BertTokenClassifier(encoder, 3),
    "spans": kb.BertSpanLabeler,
    "order": lambda encoder: kb.BertPretrainer(encoder, "order"),
    "encoder": lambda encoder: encoder,
}


def save(folder, head="encoder", added_tokens=(), **config):
    """Write a model with random weights, and return it and its folder."""
    model = randomize(HEADS[head](kb.BertEncoder(tiny_config(num_layers=1, **config))))
    vectorizer = kb.BertTextVectorization(VOCABULARY, lowercase=False, added_tokens=added_tokens)
    labels = ["a", "b", "c"] if hasattr(model, "num_classes") else None
    return model, kb.save_pretrained(model, folder / "model", vectorizer, labels)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("to", "head", "config", "changes"),
    [
        ("google_research", "encoder", {"activation": "gelu"}, {"activation": ("gelu", "gelu_tanh")}),
        ("google_research", "spans", {"activation": "gelu"}, {"activation": ("gelu", "gelu_tanh")}),
        ("google_research", "encoder", {"layer_norm_epsilon": 1e-3}, {"layer_norm_epsilon": (1e-3, 1e-12)}),
        ("google_research", "encoder", {"pooler": False}, {"pooler": (False, True)}),
        ("google_research", "encoder", {"type_vocab_size": 0}, {"type_vocab_size": (0, 2)}),
        ("google_research", "encoder", DISTILBERT, {"pooler": (False, True), "type_vocab_size": (0, 2)}),
        ("tfhub", "encoder", {"pooler": False}, {"pooler": (False, True)}),
        ("huggingface", "encoder", {**DISTILBERT, "layer_norm_epsilon": 1e-3}, {"layer_norm_epsilon": (1e-3, 1e-12)}),
        ("huggingface", "encoder", {"type_vocab_size": 0}, {"type_vocab_size": (0, 2)}),
        ("tfhub", "classifier", DISTILBERT, {"pooler": (False, True)}),
    ],
)
def test_changes_only_what_is_allowed(to, head, config, changes, tmp_path):
    model, source = save(tmp_path, head, **config)
    names = list(changes)
    with pytest.raises(kb.InputError, match=f"^`to`.*cannot express {names[0]}=.*--allow-change {names[-1]}"):
        convert(source, to, tmp_path / "out", allow_changes=["heads"])
    assert not (tmp_path / "out").exists()
    facts = convert(source, to, tmp_path / "out", allow_changes=["added_tokens", *names])
    assert facts["changes"] == {name: {"from": old, "to": new} for name, (old, new) in changes.items()}
    found = kb.load_pretrained(tmp_path / "out")
    assert {name: getattr(found.encoder.config, name) for name in names} == {name: changes[name][1] for name in names}
    # The reported cost is the difference of the outputs of the written model.
    encoder, texts = getattr(model, "encoder", model), ["w3 w4", "w7 w8 w9 w10"]
    inputs = found.vectorizer(texts)
    one, other = (np.asarray(each(inputs)["sequence_output"]) for each in (encoder, found.encoder))
    largest, reported = np.abs(one - other)[np.asarray(inputs["input_mask"]) == 1].max(), facts["difference"]
    if {"activation", "layer_norm_epsilon"}.isdisjoint(names):
        assert largest < 1e-6 and reported["sequence_output"]["max"] < 1e-6  # a new pooler or segment changes nothing
    else:
        assert largest > 1e-4 and 0.1 < reported["sequence_output"]["max"] / largest < 10
    assert ("pooled_output" in reported) == encoder.config.pooler and ("logits" in reported) == (head == "spans")
    if "pooler" in names:
        np.testing.assert_allclose(found.encoder(inputs)["pooled_output"], np.tanh(other[:, 0]), atol=1e-6)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("to", "head", "config"),
    [
        ("google_research", "tokens", {}),
        ("google_research", "multi-label", {}),
        ("google_research", "order", {}),
        ("google_research", "classifier", DISTILBERT),
        ("huggingface", "order", {}),
        ("huggingface", "classifier", {"pooler": False}),
    ],
)
def test_heads_are_left_out_only_if_allowed(to, head, config, tmp_path):
    model, source = save(tmp_path, head, **config)
    other = ["pooler", "type_vocab_size"]
    with pytest.raises(kb.InputError, match="^`to`.*--allow-change heads"):
        convert(source, to, tmp_path / "out", allow_changes=other)
    facts = convert(source, to, tmp_path / "out", allow_changes=[*other, "heads"])
    assert facts["kind"] == "encoder" and set(open_source(tmp_path / "out").parts) == {"encoder"}
    assert facts["skipped"] and facts["changes"]["heads"] == {"from": facts["skipped"], "to": []}


def test_added_tokens_are_split_only_if_allowed(tmp_path):
    _, source = save(tmp_path, added_tokens=["w5"])
    with pytest.raises(kb.InputError, match="^`to`.*added_tokens=w5.*--allow-change added_tokens"):
        convert(source, "google_research", tmp_path / "out")
    facts = convert(source, "google_research", tmp_path / "out", allow_changes="added_tokens")
    assert facts["changes"] == {"added_tokens": {"from": ["w5"], "to": []}} and facts["difference"] is None
    assert kb.load_pretrained(tmp_path / "out").vocabulary == VOCABULARY


def test_makes_no_change_that_the_format_does_not_need(tmp_path):
    model, source = save(tmp_path, activation="gelu", layer_norm_epsilon=1e-3, pooler=False)
    facts = convert(source, "huggingface", tmp_path / "out", allow_changes=CHANGES)
    assert facts["changes"] == {} and facts["difference"] is None
    assert open_source(tmp_path / "out").config == model.config
    with pytest.raises(kb.InputError, match="^`allow_changes`.*gelu"):
        convert(source, "google_research", tmp_path / "other", allow_changes=["gelu"])


@pytest.mark.slow
def test_minilm_through_each_format_and_back(minilm, tmp_path):
    convert(minilm, "huggingface", tmp_path / "direct")
    expected = (tmp_path / "direct" / "model.safetensors").read_bytes()
    for to in ("tfhub", "keras", "google_research"):
        allowed = ["activation"] if to == "google_research" else []
        facts = convert(minilm, to, tmp_path / to, allow_changes=allowed)
        convert(tmp_path / to, "huggingface", tmp_path / f"{to}_back")
        assert (tmp_path / f"{to}_back" / "model.safetensors").read_bytes() == expected
        assert list(facts["changes"]) == allowed
    # The cost of the tanh approximation, with values of 0.3 on average.
    assert 1e-4 < facts["difference"]["sequence_output"]["max"] < 1e-2
