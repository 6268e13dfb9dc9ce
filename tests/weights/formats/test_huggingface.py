"""Hugging Face's folders with random weights: transformers computes the same outputs, also after a round trip."""

import json

import numpy as np
import pytest

import keras_bert as kb
from keras_bert.inference.sentence_pairs import class_names, predict_sentence_pairs
from keras_bert.parity import check
from keras_bert.weights.formats.huggingface import save_huggingface
from keras_bert.weights.load import build_model, load_weights, open_source

pytestmark = pytest.mark.peers
torch, transformers = pytest.importorskip("torch"), pytest.importorskip("transformers")

SIZES = {"vocab_size": 60, "max_position_embeddings": 20}
WIDTHS = {"hidden_size": 16, "num_hidden_layers": 3, "num_attention_heads": 2, "intermediate_size": 32}
CONFIGS = {
    "Bert": lambda: transformers.BertConfig(**SIZES, **WIDTHS, hidden_act="gelu_new", layer_norm_eps=1e-6),
    "Albert": lambda: transformers.AlbertConfig(**SIZES, **WIDTHS, embedding_size=8),
    "DistilBert": lambda: transformers.DistilBertConfig(**SIZES, dim=16, n_layers=3, n_heads=2, hidden_dim=32),
}
TASKS = ("ForSequenceClassification", "ForQuestionAnswering", "ForTokenClassification")
ARCHITECTURES = [
    (name, what)
    for name in CONFIGS
    for what in ("Model", "ForPreTraining", "ForMaskedLM", *TASKS)
    if (name, what) != ("DistilBert", "ForPreTraining")
]
SENTENCE_TASKS = (("next_sentence", "next"), ("sentence_order", "order"))
IDS = np.array([[2, 7, 9, 11, 3], [2, 8, 3, 0, 0]], "int32")
TYPES = np.array([[0, 0, 1, 1, 1], [0, 1, 1, 0, 0]], "int32")
INPUTS = {"input_word_ids": IDS, "input_mask": np.int32(IDS > 0), "input_type_ids": TYPES}
NOT_PADDING = IDS > 0
TOLERANCE = 5e-5


def make(name, what, **settings):
    """Build a model of transformers and change all its initial weights."""
    config = CONFIGS[name]()
    for key, value in settings.items():
        setattr(config, key, value)
    torch.manual_seed(0)
    model = getattr(transformers, name + what)(config).eval()
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.add_(0.2 * torch.randn_like(parameter))
    return model


def transformers_outputs(model) -> dict:
    inputs = {"input_ids": torch.tensor(IDS).long(), "attention_mask": torch.tensor(INPUTS["input_mask"]).long()}
    if "DistilBert" not in type(model).__name__:
        inputs["token_type_ids"] = torch.tensor(TYPES).long()
    with torch.no_grad():
        outputs = model(**inputs, output_hidden_states=True)
    return {key: value.numpy() for key, value in outputs.items() if torch.is_tensor(value)} | {
        f"encoder_outputs_{i}": state.numpy() for i, state in enumerate(outputs.hidden_states[1:])
    }


def load_and_run(source):
    """Build a model from a source's config and parts; return it and its outputs by the names of transformers."""
    encoder = kb.BertEncoder(source.config)
    heads = {
        "masked_lm": lambda: kb.BertPretrainer(
            encoder, next((t for part, t in SENTENCE_TASKS if part in source.parts), None)
        ),
        "classifier": lambda: kb.BertClassifier(encoder, 3),
        "spans": lambda: kb.BertSpanLabeler(encoder),
        "tokens": lambda: kb.BertTokenClassifier(encoder, 3),
    }
    model = next((made() for part, made in heads.items() if part in source.parts), encoder)
    report = load_weights(model, source)
    assert report.untouched == [] and report.skipped == []
    found = {key: np.asarray(value) for key, value in encoder(INPUTS).items()}
    if "pooled_output" in found:
        found["pooler_output"] = found.pop("pooled_output")
    if "masked_lm" in source.parts:
        made = model({**INPUTS, "masked_lm_positions": np.tile(np.arange(5), (2, 1))})
        found["logits"] = found["prediction_logits"] = np.asarray(made["mlm_logits"])
        for name, called in (("nsp_logits", "seq_relationship_logits"), ("sop_logits", "sop_logits")):
            if name in made:
                found[called] = np.asarray(made[name])
    elif "spans" in source.parts:
        found |= {key: np.asarray(value) for key, value in model(INPUTS).items()}
    elif model is not encoder:
        found["logits"] = np.asarray(model(INPUTS))
    return model, found


def assert_close(expected: dict, found: dict) -> None:
    compared = set(expected) & set(found)
    assert {"encoder_outputs_0", "encoder_outputs_2"} < compared
    if any("logits" in name for name in expected):
        assert {name for name in expected if "logits" in name} <= compared
    for name in compared:
        value, other = expected[name], found[name]
        if value.shape[:2] == IDS.shape:  # outputs at padding are undefined
            value, other = value[NOT_PADDING], other[NOT_PADDING]
        np.testing.assert_allclose(other, value, atol=TOLERANCE, rtol=0, err_msg=name)


@pytest.mark.parametrize(("name", "what"), ARCHITECTURES)
def test_round_trip(name, what, tmp_path):
    model = make(name, what, **({"num_labels": 3} if what.endswith("Classification") else {}))
    model.save_pretrained(tmp_path / "original")
    expected = transformers_outputs(model)
    made, found = load_and_run(open_source(tmp_path / "original"))
    assert_close(expected, found)

    back = save_huggingface(made, tmp_path / "back")
    from safetensors.numpy import load_file

    before, after = (load_file(folder / "model.safetensors") for folder in (tmp_path / "original", back))
    assert before.keys() == after.keys()
    for tensor, value in before.items():
        np.testing.assert_array_equal(after[tensor], value)
    again, info = type(model).from_pretrained(back, output_loading_info=True)
    assert not info["missing_keys"] and not info["unexpected_keys"]
    for key, value in transformers_outputs(again.eval()).items():
        np.testing.assert_array_equal(value, expected[key])


def test_rejects_sentence_task_of_another_model(tmp_path):
    for name, task in (("Bert", "order"), ("Albert", "next")):
        make(name, "Model").save_pretrained(tmp_path / name)
        model = kb.BertPretrainer(kb.BertEncoder(open_source(tmp_path / name).config), task)
        with pytest.raises(kb.InputError, match=f"`model` .*{name}ForPreTraining"):
            save_huggingface(model, tmp_path / "no")
    assert not (tmp_path / "no").exists()


def test_writes_dropout_and_rejects_epsilon_of_distilbert(tmp_path):
    make("DistilBert", "Model").save_pretrained(tmp_path / "original")
    config = open_source(tmp_path / "original").config
    other = kb.BertEncoder(kb.BertConfig(**{**config.to_dict(), "layer_norm_epsilon": 1e-6}))
    with pytest.raises(kb.InputError, match="^`model`.*layer_norm_epsilon=1e-12.*Received: layer_norm_epsilon=1e-06$"):
        save_huggingface(other, tmp_path / "no")
    assert not (tmp_path / "no").exists()
    for name in CONFIGS:
        make(name, "Model").save_pretrained(tmp_path / name)
        classifier = kb.BertClassifier(kb.BertEncoder(open_source(tmp_path / name).config), 3, dropout=0.3)
        folder = save_huggingface(classifier, tmp_path / "out")
        assert transformers.AutoModelForSequenceClassification.from_pretrained(folder).dropout.p == 0.3


@pytest.mark.parametrize("what", ["ForSequenceClassification", "ForTokenClassification"])
@pytest.mark.parametrize("name", CONFIGS)
def test_classifier_dropout_round_trip(name, what, tmp_path):
    field = {"Bert": "classifier_dropout", "DistilBert": "seq_classif_dropout"}.get(name, "classifier_dropout_prob")
    encoders = {"dropout" if name == "DistilBert" else "hidden_dropout_prob": 0.25}
    model = make(name, what, num_labels=3, **encoders)
    model.save_pretrained(tmp_path)
    settings = json.loads((tmp_path / "config.json").read_text())
    settings.pop(field, None)
    default = {"Bert": 0.25, "DistilBert": 0.2, "Albert": 0.1}[name]
    cases = [({}, default), ({field: 0.4}, 0.4), ({field: 0.0}, 0.0), ({field: None}, 0.25)]
    if (name, what) == ("DistilBert", "ForTokenClassification"):
        cases = [(changes, 0.25) for changes, _ in cases]  # its config has no field: the encoder's rate
    for changes, rate in cases:
        (tmp_path / "config.json").write_text(json.dumps({**settings, **changes}))
        made = build_model(open_source(tmp_path))
        assert made.dropout_rate == rate and made.encoder.config.hidden_dropout == 0.25
        back = save_huggingface(made, tmp_path / "back")
        assert type(model).from_pretrained(back).dropout.p == build_model(open_source(back)).dropout_rate == rate
        if changes != {field: None} or name == "Bert":  # transformers accepts None in BERT only
            assert type(model).from_pretrained(tmp_path).dropout.p == rate


@pytest.mark.parametrize("rate", ["much", 1.0, -0.1, True, [0.1], float("nan")])
def test_rejects_invalid_dropout(rate, tmp_path):
    make("Bert", "ForSequenceClassification").save_pretrained(tmp_path)
    settings = json.loads((tmp_path / "config.json").read_text())
    (tmp_path / "config.json").write_text(json.dumps({**settings, "classifier_dropout": rate}))
    with pytest.raises(kb.InputError, match="`classifier_dropout`") as error:
        open_source(tmp_path)
    assert "\n" not in str(error.value) and f"classifier_dropout={rate!r} in " in str(error.value)


def test_sentence_order_of_albert(tmp_path):
    make("Albert", "ForPreTraining").save_pretrained(tmp_path)
    vocabulary = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *(f"w{i}" for i in range(55))]
    (tmp_path / "vocab.txt").write_text("\n".join(vocabulary) + "\n")
    pretrained = kb.load_pretrained(tmp_path)
    assert pretrained.model.sentence_task == "order" and class_names(pretrained) == ("in order", "swapped")
    predicted = predict_sentence_pairs(pretrained, ["w1 w2", "w9"], ["w3", "w4 w5 w6"])
    model = transformers.AutoModelForPreTraining.from_pretrained(tmp_path).eval()
    ids = {name: torch.tensor(np.asarray(value)).long() for name, value in pretrained.vectorizer(
        (["w1 w2", "w9"], ["w3", "w4 w5 w6"])).items()}  # fmt: skip
    with torch.no_grad():
        expected = model(ids["input_word_ids"], ids["input_mask"], ids["input_type_ids"]).sop_logits.numpy()
    np.testing.assert_allclose(predicted, expected, atol=TOLERANCE)


@pytest.mark.parametrize("old", [False, True], ids=["zip", "before PyTorch 1.6"])
@pytest.mark.parametrize("dtype", ["float32", "bfloat16", "float16"])
def test_reads_pytorch_bin(old, dtype, tmp_path):
    model = make("Bert", "ForPreTraining").to(getattr(torch, dtype))
    tensors = model.state_dict()  # contains the tied table and bias twice
    tensors["bert.embeddings.position_ids"] = torch.arange(20)[None]
    model.config.save_pretrained(tmp_path)
    torch.save(tensors, tmp_path / "pytorch_model.bin", _use_new_zipfile_serialization=not old)
    made, found = load_and_run(open_source(tmp_path))
    assert_close(transformers_outputs(model.float()), found)


def test_reads_old_layer_norm_names(tmp_path):
    model = make("Bert", "Model")
    model.save_pretrained(tmp_path)
    (tmp_path / "model.safetensors").unlink()
    older = {
        f"bert.{name}".replace("LayerNorm.weight", "LayerNorm.gamma").replace("LayerNorm.bias", "LayerNorm.beta"): value
        for name, value in model.state_dict().items()
    }
    torch.save(older, tmp_path / "pytorch_model.bin")
    assert_close(transformers_outputs(model), load_and_run(open_source(tmp_path))[1])


def test_vocabulary_and_labels_round_trip(tmp_path):
    labels = {0: "bad", 1: "neutral", 2: "good"}
    model = make("Bert", "ForSequenceClassification", num_labels=3, id2label=labels)
    model.save_pretrained(tmp_path / "original")
    vocabulary = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *(f"w{i}" for i in range(55))]
    (tmp_path / "original" / "vocab.txt").write_text("\n".join(vocabulary) + "\n")
    (tmp_path / "original" / "tokenizer_config.json").write_text(json.dumps({"do_lower_case": False}))
    found = kb.load_pretrained(tmp_path / "original")
    assert (found.kind, found.labels, found.lowercase) == ("classifier", list(labels.values()), False)
    assert found.vectorizer(["w7 W7"])["input_word_ids"].numpy().tolist() == [[2, 12, 1, 3]]
    back = save_huggingface(found.model, tmp_path / "back", found.vectorizer, found.labels)
    tokenizer = transformers.AutoTokenizer.from_pretrained(back)
    assert tokenizer("w7 W7")["input_ids"] == [2, 12, 1, 3]
    assert transformers.AutoConfig.from_pretrained(back).id2label == labels
    assert kb.load_pretrained(back).labels == found.labels


@pytest.mark.parametrize(
    ("name", "what"), [("Bert", "Model"), ("Bert", "ForMaskedLM"), ("DistilBert", "Model"), ("Albert", "Model")]
)
def test_check_runs_transformers(name, what, tmp_path):
    make(name, what).save_pretrained(tmp_path)
    report = check(tmp_path)
    assert report.passed and report.reference.startswith("transformers ") and report.weights.count > 20
    assert ("pooled_output" in report.parity.max_abs_difference) == (
        (name, what) in {("Bert", "Model"), ("Albert", "Model")}
    )
    assert len(report.parity.max_abs_difference["encoder_outputs"]) == 3
    config = open_source(tmp_path).config
    other = kb.BertEncoder(config)
    assert not check(tmp_path, encoder=other).passed
