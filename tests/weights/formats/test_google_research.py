"""google-research checkpoints: round trip, and a NumPy forward pass on the checkpoint's own tensors."""

import json

import numpy as np
import pytest
import tensorflow as tf

import keras_bert as kb
from keras_bert.weights.formats.google_research import save_google_research
from keras_bert.weights.load import load_weights, open_source
from tests.helpers import randomize

SIZES = {
    **dict(vocab_size=60, hidden_size=16, num_layers=3, num_heads=2, intermediate_size=32),
    **dict(max_position_embeddings=20, hidden_dropout=0.0, attention_dropout=0.0),
}
VARIANTS = {"BERT": {}, "ALBERT": {"embedding_size": 8, "share_blocks": True}}
TASKS = {"BERT": "next", "ALBERT": "order"}
IDS = np.array([[2, 7, 9, 11, 3], [2, 8, 3, 0, 0]], "int32")
TYPES = np.array([[0, 0, 1, 1, 1], [0, 1, 1, 0, 0]], "int32")
ROWS = {"input_word_ids": IDS, "input_mask": np.int32(IDS > 0), "input_type_ids": TYPES}


def make(variant, kind):
    encoder = kb.BertEncoder(kb.BertConfig(**SIZES, **VARIANTS[variant]))
    made = {
        "encoder": lambda: encoder,
        "pretrainer": lambda: kb.BertPretrainer(encoder, TASKS[variant]),
        "classifier": lambda: kb.BertClassifier(encoder, 3),
        "spans": lambda: kb.BertSpanLabeler(encoder),
    }
    return randomize(made[kind]())


def tensors_of(folder) -> dict:
    reader = tf.train.load_checkpoint(str(folder / "bert_model.ckpt"))
    return {name: reader.get_tensor(name) for name in reader.get_variable_to_shape_map()}


def forward_pass(t: dict, variant: str) -> dict:
    """BERT's or ALBERT's forward pass in NumPy, as in `modeling.py`, on the checkpoint's own tensors."""

    def dense(x, name):
        return x @ t[f"{name}/kernel"] + t[f"{name}/bias"]

    def norm(x, name):
        centered = x - x.mean(-1, keepdims=True)
        scale = np.sqrt((centered**2).mean(-1, keepdims=True) + 1e-12)
        return centered / scale * t[f"{name}/gamma"] + t[f"{name}/beta"]

    def gelu(x):
        return 0.5 * x * (1 + np.tanh(np.sqrt(2 / np.pi) * (x + 0.044715 * x**3)))

    def attention(x, name):
        heads = [dense(x, f"{name}/{part}").reshape(2, 5, 2, 8).transpose(0, 2, 1, 3) for part in PARTS]
        scores = heads[0] @ heads[1].transpose(0, 1, 3, 2) / np.sqrt(8) - 1e4 * (IDS == 0)[:, None, None]
        weights = np.exp(scores - scores.max(-1, keepdims=True))
        weights /= weights.sum(-1, keepdims=True)
        return (weights @ heads[2]).transpose(0, 2, 1, 3).reshape(2, 5, 16)

    PARTS = ("query", "key", "value")
    x = t["bert/embeddings/word_embeddings"][IDS] + t["bert/embeddings/token_type_embeddings"][TYPES]
    x = norm(x + t["bert/embeddings/position_embeddings"][:5], "bert/embeddings/LayerNorm")
    if variant == "ALBERT":
        x = dense(x, "bert/encoder/embedding_hidden_mapping_in")
    for i in range(3):
        if variant == "ALBERT":
            at = "bert/encoder/transformer/group_0/inner_group_0"
            x = norm(
                x + dense(attention(x, f"{at}/attention_1/self"), f"{at}/attention_1/output/dense"), f"{at}/LayerNorm"
            )
            inner = dense(gelu(dense(x, f"{at}/ffn_1/intermediate/dense")), f"{at}/ffn_1/intermediate/output/dense")
            x = norm(x + inner, f"{at}/LayerNorm_1")
        else:
            at = f"bert/encoder/layer_{i}"
            x = norm(
                x + dense(attention(x, f"{at}/attention/self"), f"{at}/attention/output/dense"),
                f"{at}/attention/output/LayerNorm",
            )
            x = norm(
                x + dense(gelu(dense(x, f"{at}/intermediate/dense")), f"{at}/output/dense"), f"{at}/output/LayerNorm"
            )
    pooled = np.tanh(dense(x[:, 0], "bert/pooler/dense"))
    found = {"sequence_output": x, "pooled_output": pooled}
    if "cls/predictions/output_bias" in t:
        y = norm(gelu(dense(x, "cls/predictions/transform/dense")), "cls/predictions/transform/LayerNorm")
        found["mlm_logits"] = y @ t["bert/embeddings/word_embeddings"].T + t["cls/predictions/output_bias"]
        found["nsp_logits" if variant == "BERT" else "sop_logits"] = (
            pooled @ t["cls/seq_relationship/output_weights"].T + t["cls/seq_relationship/output_bias"]
        )
    if "output_weights" in t:
        found["logits"] = pooled @ t["output_weights"].T + t["output_bias"]
    if "cls/squad/output_weights" in t:
        both = x @ t["cls/squad/output_weights"].T + t["cls/squad/output_bias"]
        found["start_logits"], found["end_logits"] = both[..., 0], both[..., 1]
    return found


def outputs(model) -> dict:
    encoder = getattr(model, "encoder", model)
    found = {name: np.asarray(value) for name, value in encoder(ROWS).items()}
    if isinstance(model, kb.BertPretrainer):
        found |= model({**ROWS, "masked_lm_positions": np.tile(np.arange(5), (2, 1))})
    elif isinstance(model, kb.BertClassifier):
        found["logits"] = model(ROWS)
    elif model is not encoder:
        found |= model(ROWS)
    return {name: np.asarray(value) for name, value in found.items()}


@pytest.mark.parametrize("variant", VARIANTS)
@pytest.mark.parametrize("kind", ["encoder", "pretrainer", "classifier", "spans"])
def test_round_trip(variant, kind, tmp_path):
    model = make(variant, kind)
    folder = save_google_research(model, tmp_path / "out")
    expected = forward_pass(tensors_of(folder), variant)
    received = outputs(model)
    for name, value in expected.items():
        np.testing.assert_allclose(received[name], value, atol=5e-5, rtol=0, err_msg=name)
    assert len(expected) == {"encoder": 2, "pretrainer": 4, "classifier": 3, "spans": 4}[kind]

    other = make(variant, kind)
    report = load_weights(other, folder)
    assert report.untouched == [] and report.skipped == [] and report.parameters == model.count_params()
    for weight, copy in zip(model.weights, other.weights, strict=True):
        np.testing.assert_array_equal(weight, copy)
    again = save_google_research(other, tmp_path / "again")
    before, after = tensors_of(folder), tensors_of(again)
    assert before.keys() == after.keys() and all(np.array_equal(before[name], after[name]) for name in before)
    assert open_source(folder).config == getattr(model, "encoder", model).config


@pytest.mark.parametrize("variant", VARIANTS)
def test_skips_head_of_another_sentence_task(variant, tmp_path):
    folder = save_google_research(make(variant, "pretrainer"), tmp_path / "out")
    part, other = {"BERT": ("next_sentence", "order"), "ALBERT": ("sentence_order", "next")}[variant]
    assert open_source(folder).parts.keys() == {"encoder", "masked_lm", part}
    model = kb.BertPretrainer(kb.BertEncoder(open_source(folder).config), other)
    report = load_weights(model, folder)
    assert report.skipped == [part] and len(report.untouched) == 2


def test_reads_config_vocabulary_and_weights_only(tmp_path):
    model = make("BERT", "pretrainer")
    vocabulary = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *(f"w{i}" for i in range(55))]
    folder = save_google_research(
        model, tmp_path / "cased_L-3_H-16_A-2", kb.BertTextVectorization(vocabulary, lowercase=False)
    )
    assert {file.name.split(".data")[0] for file in folder.iterdir()} == {
        *("bert_config.json", "vocab.txt", "bert_model.ckpt.index", "bert_model.ckpt"),
    }
    settings = json.loads((folder / "bert_config.json").read_text())
    assert settings["hidden_act"] == "gelu" and settings["num_attention_heads"] == 2
    found = kb.load_pretrained(folder)
    assert found.kind == "pretrainer" and found.vocabulary == vocabulary and found.lowercase is False
    assert found.encoder.config == model.encoder.config

    # A checkpoint from training also contains the optimizer's moments and the step, which are not weights.
    extra = {"global_step": np.int64(7), "bert/pooler/dense/kernel/adam_m": np.zeros((16, 16), "float32")}
    both = {**tensors_of(folder), **extra}
    for file in folder.glob("bert_model.ckpt*"):
        file.unlink()
    tf.raw_ops.SaveV2(
        prefix=str(folder / "model.ckpt-7"),
        tensor_names=list(both),
        shape_and_slices=[""] * len(both),
        tensors=list(both.values()),
    )
    assert open_source(folder).parts.keys() == {"encoder", "masked_lm", "next_sentence"}


@pytest.mark.parametrize("lowercase", [True, False])
def test_stores_lowercase(lowercase, tmp_path):
    vectorizer = kb.BertTextVectorization(["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"], lowercase=lowercase)
    for name in ("out", "cased_out"):
        assert (
            open_source(save_google_research(make("BERT", "encoder"), tmp_path / name, vectorizer)).lowercase
            is lowercase
        )


def test_rejects_unsupported_models(tmp_path):
    for changes, word in (
        ({"activation": "gelu"}, "activation='gelu'"),
        ({"layer_norm_epsilon": 1e-6}, "layer_norm_epsilon=1e-06"),
        ({"pooler": False}, "pooler=False"),
        ({"embedding_size": 8}, "share_blocks=False"),
    ):
        with pytest.raises(kb.InputError, match=word):
            save_google_research(
                kb.BertEncoder(kb.BertConfig(**{**SIZES, "num_layers": 1, **changes})), tmp_path / "no"
            )
    for variant, task, part in (("BERT", "order", "sentence_order"), ("ALBERT", "next", "next_sentence")):
        encoder = kb.BertEncoder(kb.BertConfig(**{**SIZES, **VARIANTS[variant], "num_layers": 1}))
        with pytest.raises(kb.InputError, match=f"`model` .*{part}"):
            save_google_research(kb.BertPretrainer(encoder, task), tmp_path / "no")
    for problem in ("multi_label", "regression"):
        other = kb.BertClassifier(kb.BertEncoder(kb.BertConfig(**SIZES)), 3, problem_type=problem)
        with pytest.raises(kb.InputError, match=f"`model` .*problem_type='{problem}'"):
            save_google_research(other, tmp_path / "out")
    with pytest.raises(kb.InputError, match="^`model`.*Received: BertTokenClassifier"):
        save_google_research(kb.BertTokenClassifier(kb.BertEncoder(kb.BertConfig(**SIZES)), 3), tmp_path / "no")
    assert not list(tmp_path.iterdir())


def test_damaged_files_give_one_line(tmp_path):
    folder = save_google_research(make("BERT", "encoder"), tmp_path / "out")
    (data,) = folder.glob("*.data*")
    data.write_bytes(data.read_bytes()[:5000])
    with pytest.raises(kb.InputError, match="^`path`.*Received: path=") as error:
        open_source(folder)
    assert "\n" not in str(error.value)
    (folder / "bert_model.ckpt.index").unlink()
    with pytest.raises(kb.InputError, match="^`path`.*Received: path="):
        open_source(folder)
    (folder / "bert_config.json").write_text("{}")
    with pytest.raises(kb.InputError, match="^`path`.*vocab_size.*Received: path=.*bert_config.json"):
        open_source(folder)


def test_rejects_inconsistent_config(tmp_path):
    folder = save_google_research(make("BERT", "encoder"), tmp_path / "out")
    settings = json.loads((folder / "bert_config.json").read_text())
    for change, words in (
        (
            {"intermediate_size": 64},
            r"^`source`.*layer_0/intermediate/dense/kernel .*\(16, 64\).*Received: shape=\(16, 32\)",
        ),
        ({"num_hidden_layers": 4}, "^`source`.*Received: .*bert/encoder/layer_3/attention"),
        ({"num_hidden_layers": 2}, r"^`source`.*Received: source=.*\(16 .*layer_2"),
        ({"hidden_act": "swish"}, "`hidden_act` .*'swish'"),
    ):
        (folder / "bert_config.json").write_text(json.dumps({**settings, **change}))
        with pytest.raises(kb.InputError, match=words):
            open_source(folder)


def test_rejects_model_with_other_activation(tmp_path):
    folder = save_google_research(make("BERT", "encoder"), tmp_path / "out")
    with pytest.raises(kb.InputError, match="^`model`.*activation='gelu_tanh'.*Received: activation='gelu'"):
        load_weights(kb.BertEncoder(kb.BertConfig(**SIZES, activation="gelu")), folder)
