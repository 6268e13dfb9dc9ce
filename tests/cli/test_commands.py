"""What each command answers, against the library or arithmetic."""

import json
import math

import numpy as np
import pytest
from keras import ops

from keras_bert.cli.embed import embed
from keras_bert.models.pooling import POOLS
from keras_bert.weights import load_pretrained


def facts_of(said) -> dict:
    assert said.status == 0, said.err
    return json.loads(said.out.splitlines()[-1])


def test_tokenize_gives_the_line_numbers(call, models):
    facts = facts_of(call("tokenize", "--vocab", models.vocab, "the [MASK] film!", "--json"))
    lines = models.vocab.read_text(encoding="utf-8").split("\n")
    row = facts["texts"][0]
    assert "[MASK]" in row["tokens"]
    assert [lines[i] for i in row["ids"]] == row["tokens"]


def test_tokenize_shows_brackets_as_they_are(call, models):
    said = call("tokenize", "--vocab", models.vocab, "[MASK] [b]film[/b]")
    assert "[MASK] [b]film[/b]" in said.out


def test_predict_by_the_folder_and_by_the_export_agree(call, models):
    texts = ["a fine film", "no fun at all, and far too long for what it has to say to anybody", "x"]
    ours = facts_of(call("predict", "--model", models.classifier, *texts, "--json"))["predictions"]
    served = facts_of(call("predict", "--model", models.served, *texts, "--json"))["predictions"]
    logits = ops.convert_to_numpy(models.model(models.vectorizer(texts)))
    expected = np.exp(logits) / np.exp(logits).sum(-1, keepdims=True)
    for answer in (ours, served):
        assert [row["label"] for row in answer] == [["negative", "positive"][i] for i in logits.argmax(-1)]
        np.testing.assert_allclose([[*row["probabilities"].values()] for row in answer], expected, atol=1e-5)


def test_predict_reads_standard_input(call, models, monkeypatch):
    stdin = type("Stdin", (), {"buffer": __import__("io").BytesIO("a fine film\r\nça alors\n".encode())})
    monkeypatch.setattr("sys.stdin", stdin)
    facts = facts_of(call("predict", "--model", models.classifier, "-", "--json"))
    assert [row["text"] for row in facts["predictions"]] == ["a fine film", "ça alors"]


def test_evaluate_counts(call, models):
    facts = facts_of(call("evaluate", "--model", models.classifier, "--data", models.data, "--json"))
    rows = [line.split("\t") for line in models.data.read_text(encoding="utf-8").splitlines()[1:]]
    said = ops.convert_to_numpy(models.model(models.vectorizer([text for text, _ in rows]))).argmax(-1)
    assert facts["examples"] == len(rows)
    assert facts["accuracy"] == pytest.approx(np.mean(said == [int(label) for _, label in rows]))
    assert np.sum(facts["confusion"]) == len(rows)
    assert np.trace(facts["confusion"]) == round(facts["accuracy"] * len(rows))


def test_fill_mask_is_the_softmax_at_the_gap(call, models):
    facts = facts_of(call("fill-mask", "--model", models.encoder, "--top-k", "3", "a [MASK] film, a [MASK]", "--json"))
    masks = facts["texts"][0]["masks"]
    pretrained = load_pretrained(models.encoder)
    tokens = pretrained.vectorizer.get_vocabulary()
    ids = [
        "[CLS]",
        *facts_of(call("tokenize", "--vocab", models.vocab, "a [MASK] film, a [MASK]", "--json"))["texts"][0]["tokens"],
    ]
    assert [mask["position"] for mask in masks] == [i for i, token in enumerate(ids) if token == "[MASK]"]
    row = np.array([[tokens.index(token) for token in [*ids, "[SEP]"]]])
    positions = np.array([[mask["position"] for mask in masks]])
    inputs = {"input_word_ids": row, "input_mask": np.ones_like(row), "input_type_ids": np.zeros_like(row)}
    logits = pretrained.model({**inputs, "masked_lm_positions": positions})["mlm_logits"]
    shares = ops.convert_to_numpy(ops.softmax(logits))[0]
    for mask, expected in zip(masks, shares, strict=True):
        assert [each["token"] for each in mask["predictions"]] == [tokens[i] for i in np.argsort(-expected)[:3]]
        probabilities = [each["probability"] for each in mask["predictions"]]
        np.testing.assert_allclose(probabilities, np.sort(expected)[:-4:-1], rtol=1e-4)


@pytest.mark.parametrize("pool", ["mean", "max", "cls", "pooled"])
def test_embed(call, models, pool):
    facts = facts_of(call("embed", "--model", models.encoder, "--pool", pool, "a film", "a much longer text", "--json"))
    assert np.shape(facts["embeddings"]) == (2, facts["size"]) == (2, 32)
    np.testing.assert_allclose(np.diag(facts["cosine"]), 1, atol=1e-5)
    pretrained = load_pretrained(models.encoder)
    alone = pretrained.encoder(pretrained.vectorizer(["a film"]))
    length = int(ops.convert_to_numpy(pretrained.vectorizer(["a film"])["input_mask"]).sum())
    tokens = ops.convert_to_numpy(alone["sequence_output"])[0, :length]
    pooled = ops.convert_to_numpy(alone["pooled_output"])[0]
    expected = {"mean": tokens.mean(0), "max": tokens.max(0), "cls": tokens[0], "pooled": pooled}
    np.testing.assert_allclose(facts["embeddings"][0], expected[pool], atol=1e-5)


def test_embed_takes_every_pooling_of_the_library():
    (option,) = (parameter for parameter in embed.params if parameter.name == "pool")
    assert tuple(option.type.choices) == POOLS


def test_embed_finds_the_nearest_lines(call, models, tmp_path):
    sentences = ["the plot is thin", "a film", "no fun at all", "a much longer text about a film", "x"]
    (tmp_path / "lines.txt").write_text("\ufeff" + "\n \n".join(sentences) + "\n", encoding="utf-8")
    wanted = ["--nearest", tmp_path / "lines.txt", "--top-k", 3, "a film", "fun [b]it[/b] is"]
    said = call("embed", "--model", models.encoder, *wanted, "--json")
    found = facts_of(said)["nearest"]
    assert [row["text"] for row in found] == ["a film", "fun [b]it[/b] is"] and "fun [b]it[/b] is" in said.err
    trained = load_pretrained(models.encoder)

    def vector(text):
        inputs = trained.vectorizer([text])
        length = int(np.sum(inputs["input_mask"]))
        mean = ops.convert_to_numpy(trained.encoder(inputs)["sequence_output"])[0, :length].mean(0)
        return mean / np.sqrt((mean**2).sum())

    for row in found:
        cosines = np.array([vector(row["text"]) @ vector(sentence) for sentence in sentences])
        best = np.argsort(-cosines)[:3]
        assert [line["text"] for line in row["lines"]] == [sentences[i] for i in best]
        assert [line["line"] for line in row["lines"]] == [2 * i + 1 for i in best]  # blank lines between
        np.testing.assert_allclose([line["cosine"] for line in row["lines"]], cosines[best], atol=1e-5)
    assert found[0]["lines"][0]["cosine"] == pytest.approx(1)


def test_embed_shows_no_more_lines_than_there_are(call, models, tmp_path):
    (tmp_path / "lines.txt").write_text("a film\nno fun")
    said = call("embed", "--model", models.encoder, "--nearest", tmp_path / "lines.txt", "a film")
    assert said.status == 0 and "1.000" in said.out and "no fun" in said.out


def test_inspect_a_preset(call):
    facts = facts_of(call("inspect", "bert_en_uncased_L-2_H-128_A-2", "--json"))
    assert facts["parameters"] == 4_385_920  # as the paper's table and google-research/bert have it: 4.4 million
    assert facts["parameters"] == sum(math.prod(array["shape"]) for array in facts["arrays"])
    assert facts["layers"]["TransformerBlock"] == facts["layers"]["MultiHeadAttention"] == 2


def test_inspect_a_folder(call, models):
    facts = facts_of(call("inspect", models.classifier, "--json"))
    assert facts["config"]["hidden_size"] == 32
    assert facts["files"]["model.keras"] == (models.classifier / "model.keras").stat().st_size
    assert facts["parameters"] == models.model.count_params()


@pytest.mark.parametrize(
    "interface, signatures", [("text", {"serving_default", "tokenize", "encode", "pool"}), ("tfhub", None)]
)
def test_export_then_check(call, models, tmp_path, interface, signatures):
    out = tmp_path / "exported"
    facts = facts_of(call("export", "--model", models.classifier, "--interface", interface, "--out", out, "--json"))
    assert facts["bytes"] == sum(path.stat().st_size for path in out.rglob("*") if path.is_file())
    if interface == "tfhub":
        checked = facts_of(call("check", out, "--encoder", models.classifier, "--json"))
        assert checked["passed"] and checked["parameters"] == models.model.encoder.count_params()
        assert len(checked["max_abs_difference"]["encoder_outputs"]) == 2
        other = tmp_path / "other"
        _shifted(models, other)
        differs = call("check", out, "--encoder", other, "--json")
        assert differs.status == 1 and json.loads(differs.out)["passed"] is False
    else:
        import tensorflow as tf

        assert set(tf.saved_model.load(str(out)).signatures) == signatures


def test_export_in_bfloat16_is_smaller_and_predicts(call, models, tmp_path):
    out = tmp_path / "exported"
    facts_of(call("export", "--model", models.classifier, "--dtype", "bfloat16", "--out", out, "--json"))
    weights = [next((folder / "variables").glob("*.data*")).stat().st_size for folder in (out, models.served)]
    assert weights[0] < 0.6 * weights[1]
    texts = ["a fine film", "no fun"]
    said = facts_of(call("predict", "--model", out, *texts, "--json"))["predictions"]
    expected = ops.convert_to_numpy(ops.softmax(models.model(models.vectorizer(texts))))
    np.testing.assert_allclose([[*row["probabilities"].values()] for row in said], expected, atol=0.03)


@pytest.mark.parametrize("dtype, apart", [("float32", 1e-5), ("int8", 0.05)])
def test_export_to_onnx(call, models, tmp_path, dtype, apart):
    import onnxruntime

    out = tmp_path / "exported"
    wanted = ["export", "--model", models.classifier, "--format", "onnx", "--dtype", dtype, "--out", out, "--json"]
    for _ in range(2):  # the second replaces the first
        facts = facts_of(call(*wanted))
    assert sorted(facts["files"]) == ["config.json", "model.onnx", "vocab.txt"]
    assert facts["bytes"] == sum(path.stat().st_size for path in out.iterdir())
    settings = json.loads((out / "config.json").read_text())
    assert settings["labels"] == ["negative", "positive"] and settings["sequence_length"] == 16
    assert (out / "vocab.txt").read_text() == models.vocab.read_text()
    inputs = {key: ops.convert_to_numpy(value) for key, value in models.vectorizer(["a fine film", "no fun"]).items()}
    session = onnxruntime.InferenceSession(out / "model.onnx", providers=["CPUExecutionProvider"])
    expected = ops.convert_to_numpy(ops.softmax(models.model(inputs)))
    np.testing.assert_allclose(session.run(["probabilities"], inputs)[0], expected, atol=apart)


def test_export_of_an_encoder_to_onnx(call, models, tmp_path):
    import onnxruntime

    facts_of(call("export", "--model", models.encoder, "--format", "onnx", "--out", tmp_path / "out", "--json"))
    session = onnxruntime.InferenceSession(tmp_path / "out" / "model.onnx", providers=["CPUExecutionProvider"])
    assert {output.name for output in session.get_outputs()} == {"sequence_output", "pooled_output"}


def test_export_preprocessing(call, models, tmp_path):
    import tensorflow as tf

    facts_of(
        call("export", "--model", models.encoder, "--interface", "preprocess", "--out", tmp_path / "out", "--json")
    )
    preprocess = tf.saved_model.load(str(tmp_path / "out"))
    ours = models.vectorizer(["a fine film"])["input_word_ids"]
    np.testing.assert_array_equal(preprocess(tf.constant(["a fine film"]))["input_word_ids"], ours)


def _shifted(models, folder):
    import keras_bert as kb

    trained = load_pretrained(models.classifier)
    bias = trained.encoder.blocks[0].output_dense.bias
    bias.assign(bias + np.linspace(0, 0.1, bias.shape[0]))  # the same for all would fall to the LayerNorm
    kb.save_pretrained(trained.model, folder, trained.vectorizer)
