"""Results of the commands, compared with the library or with NumPy."""

import io
import json
import math

import numpy as np
import pytest
from keras import ops

import keras_bert as kb
from keras_bert.cli.embed import embed
from keras_bert.models.pooling import POOLS
from keras_bert.weights import load_pretrained
from tests.cli.command_line import assert_error, results_of


def test_tokenize_ids_are_line_numbers(call, models):
    results = results_of(call("tokenize", "--vocab", models.vocab, "the [MASK] film!", "--json"))
    lines = models.vocab.read_text(encoding="utf-8").split("\n")
    row = results["texts"][0]
    assert "[MASK]" in row["tokens"]
    assert [lines[i] for i in row["ids"]] == row["tokens"]


def test_tokenize_prints_brackets_literally(call, models):
    result = call("tokenize", "--vocab", models.vocab, "[MASK] [b]film[/b]")
    assert "[MASK] [b]film[/b]" in result.out


def test_predict_with_folder_and_export(call, models):
    texts = ["a fine film", "no fun at all, and far too long for what it has to say to anybody", "x"]
    trained = results_of(call("predict", "--model", models.classifier, *texts, "--json"))["predictions"]
    served = results_of(call("predict", "--model", models.served, *texts, "--json"))["predictions"]
    logits = ops.convert_to_numpy(models.model(models.vectorizer(texts)))
    expected = np.exp(logits) / np.exp(logits).sum(-1, keepdims=True)
    for answer in (trained, served):
        assert [row["label"] for row in answer] == [["negative", "positive"][i] for i in logits.argmax(-1)]
        np.testing.assert_allclose([[*row["probabilities"].values()] for row in answer], expected, atol=1e-5)


def test_predict_reads_standard_input(call, models, monkeypatch):
    stdin = type("Stdin", (), {"buffer": io.BytesIO("a fine film\r\nça alors\n".encode())})
    monkeypatch.setattr("sys.stdin", stdin)
    results = results_of(call("predict", "--model", models.classifier, "-", "--json"))
    assert [row["text"] for row in results["predictions"]] == ["a fine film", "ça alors"]


def test_evaluate_accuracy_and_confusion(call, models):
    results = results_of(call("evaluate", "--model", models.classifier, "--data", models.data, "--json"))
    rows = [line.split("\t") for line in models.data.read_text(encoding="utf-8").splitlines()[1:]]
    result = ops.convert_to_numpy(models.model(models.vectorizer([text for text, _ in rows]))).argmax(-1)
    assert results["examples"] == len(rows)
    assert results["accuracy"] == pytest.approx(np.mean(result == [int(label) for _, label in rows]))
    assert np.sum(results["confusion"]) == len(rows)
    assert np.trace(results["confusion"]) == round(results["accuracy"] * len(rows))


def test_fill_mask_is_softmax_at_masks(call, models):
    results = results_of(
        call("fill-mask", "--model", models.encoder, "--top-k", "3", "a [MASK] film, a [MASK]", "--json")
    )
    masks = results["texts"][0]["masks"]
    pretrained = load_pretrained(models.encoder)
    tokens = pretrained.vectorizer.get_vocabulary()
    ids = [
        "[CLS]",
        *results_of(call("tokenize", "--vocab", models.vocab, "a [MASK] film, a [MASK]", "--json"))["texts"][0][
            "tokens"
        ],
    ]
    assert [mask["position"] for mask in masks] == [i for i, token in enumerate(ids) if token == "[MASK]"]
    row = np.array([[tokens.index(token) for token in [*ids, "[SEP]"]]])
    positions = np.array([[mask["position"] for mask in masks]])
    inputs = {"input_word_ids": row, "input_mask": np.ones_like(row), "input_type_ids": np.zeros_like(row)}
    logits = pretrained.model({**inputs, "masked_lm_positions": positions})["mlm_logits"]
    probabilities = ops.convert_to_numpy(ops.softmax(logits))[0]
    for mask, expected in zip(masks, probabilities, strict=True):
        assert [each["token"] for each in mask["predictions"]] == [tokens[i] for i in np.argsort(-expected)[:3]]
        found = [each["probability"] for each in mask["predictions"]]
        np.testing.assert_allclose(found, np.sort(expected)[:-4:-1], rtol=1e-4)


@pytest.mark.parametrize("pool", ["mean", "max", "cls", "pooled"])
def test_embed(call, models, pool):
    results = results_of(
        call("embed", "--model", models.encoder, "--pool", pool, "a film", "a much longer text", "--json")
    )
    assert np.shape(results["embeddings"]) == (2, results["size"]) == (2, 32)
    np.testing.assert_allclose(np.diag(results["cosine"]), 1, atol=1e-5)
    pretrained = load_pretrained(models.encoder)
    alone = pretrained.encoder(pretrained.vectorizer(["a film"]))
    length = int(ops.convert_to_numpy(pretrained.vectorizer(["a film"])["input_mask"]).sum())
    tokens = ops.convert_to_numpy(alone["sequence_output"])[0, :length]
    pooled = ops.convert_to_numpy(alone["pooled_output"])[0]
    expected = {"mean": tokens.mean(0), "max": tokens.max(0), "cls": tokens[0], "pooled": pooled}
    np.testing.assert_allclose(results["embeddings"][0], expected[pool], atol=1e-5)


def test_embed_accepts_every_pool():
    (option,) = (parameter for parameter in embed.params if parameter.name == "pool")
    assert tuple(option.type.choices) == POOLS


def test_embed_finds_nearest_lines(call, models, tmp_path):
    sentences = ["the plot is thin", "a film", "no fun at all", "a much longer text about a film", "x"]
    (tmp_path / "lines.txt").write_text("\ufeff" + "\n \n".join(sentences) + "\n", encoding="utf-8")
    arguments = ["--nearest", tmp_path / "lines.txt", "--top-k", 3, "a film", "fun [b]it[/b] is"]
    result = call("embed", "--model", models.encoder, *arguments, "--json")
    found = results_of(result)["nearest"]
    assert [row["text"] for row in found] == ["a film", "fun [b]it[/b] is"] and "fun [b]it[/b] is" in result.err
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


def test_embed_top_k_larger_than_file(call, models, tmp_path):
    (tmp_path / "lines.txt").write_text("a film\nno fun")
    result = call("embed", "--model", models.encoder, "--nearest", tmp_path / "lines.txt", "a film")
    assert result.status == 0 and "1.000" in result.out and "no fun" in result.out


def test_inspect_preset(call):
    results = results_of(call("inspect", "bert_en_uncased_L-2_H-128_A-2", "--json"))
    assert results["parameters"] == 4_385_920  # 4.4 million in google-research/bert's README
    assert results["parameters"] == sum(math.prod(array["shape"]) for array in results["arrays"])
    assert results["layers"]["TransformerBlock"] == results["layers"]["MultiHeadAttention"] == 2


def test_inspect_folder(call, models):
    results = results_of(call("inspect", models.classifier, "--json"))
    assert results["config"]["hidden_size"] == 32
    assert results["files"]["model.keras"] == (models.classifier / "model.keras").stat().st_size
    assert results["parameters"] == models.model.count_params()


def test_inspect_writes_a_picture(call, models, tmp_path):
    results = results_of(call("inspect", models.encoder, "--out", tmp_path / "model.svg", "--batch-size", 2, "--json"))
    assert results["costs"]["batch_size"] == 2 and results["trainable"] == results["parameters"]
    assert results["architecture"]["type"] == "BertPretrainer" and results["speed"] is None
    assert "MaskedLMHead" in (tmp_path / "model.svg").read_text(encoding="utf-8")


@pytest.mark.slow
def test_inspect_measures_formats_and_speed(call, models):
    results = results_of(call("inspect", models.encoder, "--formats", "--speed", "--sequence-length", 16, "--json"))
    assert set(results["formats"]) == {"keras", "huggingface", "saved_model", "onnx float32", "onnx int8"}
    written = {name: size for name, size in results["formats"].items() if size is not None}
    assert "keras" in written and set(results["notes"]) == set(results["formats"]) - set(written)
    assert all(size > results["parameters"] for size in written.values())
    assert results["speed"]["tokens_per_second"] > 0


@pytest.mark.slow
@pytest.mark.parametrize(
    "interface, signatures", [("text", {"serving_default", "tokenize", "encode", "pool", "labels"}), ("tfhub", None)]
)
def test_export_then_check(call, models, tmp_path, interface, signatures):
    out = tmp_path / "exported"
    results = results_of(call("export", "--model", models.classifier, "--interface", interface, "--out", out, "--json"))
    assert results["bytes"] == sum(path.stat().st_size for path in out.rglob("*") if path.is_file())
    if interface == "tfhub":
        checked = results_of(call("check", out, "--encoder", models.classifier, "--json"))
        assert checked["passed"] and checked["parameters"] == models.model.encoder.count_params()
        assert len(checked["max_abs_difference"]["encoder_outputs"]) == 2
        other = tmp_path / "other"
        _save_shifted(models, other)
        differs = call("check", out, "--encoder", other, "--json")
        assert differs.status == 1 and json.loads(differs.out)["passed"] is False
    else:
        import tensorflow as tf

        assert set(tf.saved_model.load(str(out)).signatures) == signatures


@pytest.mark.slow
def test_export_in_bfloat16_is_smaller_and_predicts(call, models, tmp_path):
    out = tmp_path / "exported"
    results_of(call("export", "--model", models.classifier, "--dtype", "bfloat16", "--out", out, "--json"))
    weights = [next((folder / "variables").glob("*.data*")).stat().st_size for folder in (out, models.served)]
    assert weights[0] < 0.6 * weights[1]
    texts = ["a fine film", "no fun"]
    result = results_of(call("predict", "--model", out, *texts, "--json"))["predictions"]
    expected = ops.convert_to_numpy(ops.softmax(models.model(models.vectorizer(texts))))
    np.testing.assert_allclose([[*row["probabilities"].values()] for row in result], expected, atol=0.03)


@pytest.mark.parametrize("dtype, tolerance", [("float32", 1e-5), ("int8", 0.05)])
def test_export_to_onnx(call, models, tmp_path, dtype, tolerance):
    import onnxruntime

    out = tmp_path / "exported"
    arguments = ["export", "--model", models.classifier, "--format", "onnx", "--dtype", dtype, "--out", out, "--json"]
    for _ in range(2):  # the second run replaces the first one's folder
        results = results_of(call(*arguments))
    assert sorted(results["files"]) == ["config.json", "model.onnx", "vocab.txt"]
    assert results["bytes"] == sum(path.stat().st_size for path in out.iterdir())
    settings = json.loads((out / "config.json").read_text())
    assert settings["labels"] == ["negative", "positive"] and settings["sequence_length"] == 16
    assert (out / "vocab.txt").read_text() == models.vocab.read_text()
    inputs = {key: ops.convert_to_numpy(value) for key, value in models.vectorizer(["a fine film", "no fun"]).items()}
    session = onnxruntime.InferenceSession(out / "model.onnx", providers=["CPUExecutionProvider"])
    expected = ops.convert_to_numpy(ops.softmax(models.model(inputs)))
    np.testing.assert_allclose(session.run(["probabilities"], inputs)[0], expected, atol=tolerance)


def test_export_encoder_to_onnx(call, models, tmp_path):
    import onnxruntime

    results_of(call("export", "--model", models.encoder, "--format", "onnx", "--out", tmp_path / "out", "--json"))
    session = onnxruntime.InferenceSession(tmp_path / "out" / "model.onnx", providers=["CPUExecutionProvider"])
    assert {output.name for output in session.get_outputs()} == {"sequence_output", "pooled_output"}


def test_export_to_litert_then_predict(call, models, tmp_path):
    out = tmp_path / "exported"
    arguments = ["--format", "litert", "--sequence-length", "12", "--out", out, "--json"]
    results = results_of(call("export", "--model", models.classifier, *arguments))
    assert sorted(results["files"]) == ["config.json", "model.tflite", "vocab.txt"]
    assert (results["format"], results["interface"]) == ("litert", "ids")
    assert json.loads((out / "config.json").read_text())["sequence_length"] == 12
    texts = ["a fine film", "no fun"]
    found = results_of(call("predict", "--model", out, *texts, "--json"))["predictions"]
    expected = ops.convert_to_numpy(ops.softmax(models.model(models.vectorizer(texts, sequence_length=12))))
    np.testing.assert_allclose([[*row["probabilities"].values()] for row in found], expected, atol=1e-5)


@pytest.mark.parametrize("format_name", ["onnx", "litert", pytest.param("saved_model", marks=pytest.mark.slow)])
def test_export_of_sentence_vectors(call, models, tmp_path, format_name):
    out = tmp_path / "exported"
    pooling = ["--pool", "mean", "--normalize", "--format", format_name]
    results_of(call("export", "--model", models.encoder, *pooling, "--out", out, "--json"))
    texts = ["a fine film", "no fun"]
    found = results_of(call("predict", "--model", out, *texts, "--json"))["predictions"]
    expected = results_of(call("embed", "--model", models.encoder, *texts, "--json"))["embeddings"]
    expected = np.array(expected) / np.linalg.norm(expected, axis=-1, keepdims=True)
    np.testing.assert_allclose([row["embedding"] for row in found], expected, atol=1e-5)


@pytest.mark.slow
def test_export_preprocessing(call, models, tmp_path):
    import tensorflow as tf

    results_of(
        call("export", "--model", models.encoder, "--interface", "preprocess", "--out", tmp_path / "out", "--json")
    )
    preprocess = tf.saved_model.load(str(tmp_path / "out"))
    expected = models.vectorizer(["a fine film"])["input_word_ids"]
    np.testing.assert_array_equal(preprocess(tf.constant(["a fine film"]))["input_word_ids"], expected)


def _save_shifted(models, folder):
    import keras_bert as kb

    trained = load_pretrained(models.classifier)
    bias = trained.encoder.blocks[0].output_dense.bias
    bias.assign(bias + np.linspace(0, 0.1, bias.shape[0]))  # a constant would be removed by the LayerNorm
    kb.save_pretrained(trained.model, folder, trained.vectorizer)


def test_evaluate_prints_what_the_library_returns(call, models):
    """The same names and numbers on the terminal, with `--json` and from `kb.evaluate`."""
    arguments = ["evaluate", "--model", models.classifier, "--data", models.data, "--bootstrap", 100, "--seed", 3]
    printed, results = call(*arguments), results_of(call(*arguments, "--json"))
    assert printed.out == f"{models.data}\n{kb.format_metrics(results)}\n"
    rows = [line.split("\t") for line in models.data.read_text(encoding="utf-8").splitlines()[1:]]
    texts, labels = [text for text, _ in rows], [int(label) for _, label in rows]
    names = ["negative", "positive"]
    found = kb.evaluate(models.model, models.vectorizer(texts), labels, label_names=names, bootstrap=100, seed=3)
    assert list(found) == list(results)
    for name, value in found.items():
        if isinstance(value, float):
            assert results[name] == pytest.approx(value, abs=1e-5)
            if name in found["intervals"]:
                np.testing.assert_allclose(results["intervals"][name], found["intervals"][name], atol=1e-5)
    assert (found["classes"], found["confusion"]) == (results["classes"], results["confusion"])


def test_evaluate_rejects_bootstrap(call, models):
    for value in (-1, 50):
        result = call("evaluate", "--model", models.classifier, "--data", models.data, "--bootstrap", value)
        assert_error(result, "bootstrap")


@pytest.mark.parametrize("format_name", ["onnx", "saved_model"])
def test_export_of_layers(call, models, tmp_path, format_name):
    outputs = ("--output", "attentions", "--output", "hidden_states")
    out = tmp_path / "out"
    assert call("export", "--model", models.classifier, "--format", format_name, *outputs, "--out", out).status == 0
    if format_name == "onnx":
        import onnx

        names = {output.name for output in onnx.load(out / "model.onnx").graph.output}
    else:
        import tensorflow as tf

        names = set(tf.saved_model.load(str(out)).signatures["encode"].structured_outputs)
    layers = {f"attentions.{i}" for i in range(2)} | {f"hidden_states.{i}" for i in range(3)}
    assert {name for name in names if "." in name} == layers
