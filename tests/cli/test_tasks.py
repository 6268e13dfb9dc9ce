"""`finetune`, `evaluate` and `predict` for every task."""

import importlib.util
import json
from pathlib import Path

import numpy as np
import pytest

import keras_bert as kb
from tests.cli.command_line import assert_error, results_of

pytestmark = pytest.mark.slow

HERE = Path(__file__).parents[1] / "tasks"
SMALL = ["--size", "tiny", "--vocab-size", 200, "--epochs", 1, "--batch-size", 16, "--held-out", 0.2]


def module(name):
    spec = importlib.util.spec_from_file_location(name, HERE / f"{name}.py")
    made = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(made)
    return made


def table(path, header, *rows):
    path.write_text("\n".join([header, *rows]) + "\n")


@pytest.fixture
def train(call, tmp_path):
    """Return a function that fine-tunes on `tmp_path` and evaluates on its dev file; it returns both results."""

    def run(task, dev):
        out = tmp_path / "out"
        arguments = ["finetune", *SMALL, "--task", task, "--dataset", tmp_path, "--sequence-length", 32, "--out", out]
        trained = results_of(call(*arguments, "--json"))
        return trained, results_of(call("evaluate", "--model", out, "--data", tmp_path / dev, "--json")), out

    return run


def test_classification_of_pairs(call, train, tmp_path):
    rows = [f"the {i} cat\tthe {i} dog\t{'yes' if i % 2 else 'no'}" for i in range(30)]
    for name in ("train.tsv", "dev.tsv"):
        table(tmp_path / name, "sentence1\tsentence2\tlabel", *rows)
    trained, evaluated, out = train("classification", "dev.tsv")
    assert evaluated["accuracy"] == pytest.approx(trained["accuracy"]) and evaluated["examples"] == 30
    result = results_of(call("predict", "--model", out, "the cat\tthe dog", "--json"))["predictions"][0]
    assert result["label"] in ("no", "yes") and sum(result["probabilities"].values()) == pytest.approx(1)
    mixed = call("predict", "--model", out, "the cat\tthe dog", "the cat")
    assert_error(mixed, "`texts`", "number 2")
    for text in ("the cat\t", "a\tb\tc"):
        assert_error(call("predict", "--model", out, text), "`texts`", "number 1")
    assert_error(call("predict", "--model", out, "the cat"), "`texts`")


def test_multi_label(call, train, tmp_path):
    rows = [f"text {i}\t{'love, war' if i % 3 == 0 else 'war' if i % 2 else ''}" for i in range(30)]
    for name in ("train.tsv", "dev.tsv"):
        table(tmp_path / name, "sentence\tlabels", *rows)
    trained, evaluated, out = train("multi-label", "dev.tsv")
    for name in ("accuracy", "f1", "macro_f1", "exact_match"):
        assert evaluated[name] == pytest.approx(trained[name])
    result = results_of(call("predict", "--model", out, "text", "--json"))["predictions"][0]
    assert set(result["probabilities"]) == {"love", "war"}
    assert result["labels"] == [name for name, probability in result["probabilities"].items() if probability > 0.5]


def test_regression(call, train, tmp_path):
    for name in ("train.tsv", "dev.tsv"):
        table(tmp_path / name, "sentence1\tsentence2\tscore", *(f"a {i}\tb {i}\t{i / 10}" for i in range(30)))
    trained, evaluated, out = train("regression", "dev.tsv")
    assert (
        evaluated["mean_absolute_error"] == pytest.approx(trained["mean_absolute_error"])
        and "held_out_mean_absolute_error" in trained
    )
    assert isinstance(results_of(call("predict", "--model", out, "a\tb", "--json"))["predictions"][0]["value"], float)
    table(tmp_path / "single.tsv", "sentence\tscore", "a\t1")
    assert_error(call("evaluate", "--model", out, "--data", tmp_path / "single.tsv"), "`texts`")
    named = call("finetune", *SMALL, "--task", "regression", "--dataset", tmp_path, "--labels", "a,b", "--out", "no")
    assert_error(named, "`label_names`")


def test_spans(call, train, tmp_path):
    spans = module("test_spans")
    spans.write(tmp_path / "train.json", 30, 1, none=0.3)
    spans.write(tmp_path / "dev.json", 12, 2, none=0.3)
    trained, evaluated, out = train("spans", "dev.json")
    for name in ("exact_match", "f1", "answerable_f1", "unanswerable_f1"):
        assert evaluated[name] == pytest.approx(trained[name])
    scores = trained["history"]["val_selection_metric"]
    assert scores[trained["epoch"] - 1] == max(scores) and all(0 <= score <= 100 for score in scores)
    text = "Who lives?\tAnna lives in Rome ."
    result = results_of(call("predict", "--model", out, text, "--json"))["predictions"][0]
    assert result["answer"] is None or result["answer"] == text.split("\t")[1][result["start"] : result["end"]] != ""
    assert kb.load_pretrained(out).no_answer is True
    assert_error(call("predict", "--model", out, "Who lives?"), "`texts`", "'Who lives?'")


@pytest.mark.parametrize("no_answer", [True, False, None])
def test_no_answer(no_answer, call, models, tmp_path):
    """A head that points at [CLS] predicts no answer only if the model was trained with such questions."""
    model, text = kb.BertSpanLabeler(models.model.encoder), "who is it?\ta good film with good actors"
    ids = models.vectorizer(tuple([part] for part in text.split("\t")))
    row = np.asarray(models.model.encoder(ids)["sequence_output"])  # [1, T, H]
    for sign in (1, -1):
        head = np.repeat(sign * row[0, 0][:, None], 2, 1)  # [H, 2]: the row of [CLS]
        model.head.set_weights([head, np.zeros(2, np.float32)])
        folder = kb.save_pretrained(model, tmp_path / "spans", models.vectorizer, no_answer=no_answer)
        result = results_of(call("predict", "--model", folder, text, "--json"))["predictions"][0]
        shown = call("predict", "--model", folder, text).out
        assert (result["null_score"] > result["score"]) == (sign > 0)
        if no_answer and sign > 0:
            assert (result["answer"], result["start"], result["end"]) == (None, None, None)
            assert shown.splitlines()[1].split("\t")[:4] == ["who is it?", "", "", ""]
        else:
            assert result["answer"] == text.split("\t")[1][result["start"] : result["end"]] != ""
            assert result["answer"] in shown


def test_tokens(call, train, tmp_path):
    tags = module("test_tokens")
    tags.write(tmp_path / "train.txt", 30, 1)
    tags.write(tmp_path / "dev.txt", 12, 2)
    trained, evaluated, out = train("tokens", "dev.txt")
    assert evaluated["f1"] == pytest.approx(trained["f1"]) and evaluated["examples"] == 12
    result = results_of(call("predict", "--model", out, "John lives in London", "--json"))["predictions"][0]
    assert result["words"] == ["John", "lives", "in", "London"] and len(result["tags"]) == 4
    (tmp_path / "more.txt").write_text("Rome B-CITY\n")
    unknown = call("evaluate", "--model", out, "--data", tmp_path / "more.txt")
    assert_error(unknown, "more.txt", "B-LOC", "B-CITY")


def test_parts_of_speech_from_conll_u(call, models, tmp_path):
    """The column of the tags by name, a malformed line, and metrics per tag in place of those of entities."""
    row = "\t_" * 5
    words = "".join(f"{i}\t{w}\t{w}\tX\t{t}{row}\n" for i, w, t in ((1, "good", "JJ"), (2, "film", "NN")))
    for part in ("train", "dev"):
        malformed = "1\tbroken\n" if part == "train" else ""
        (tmp_path / f"en_x-ud-{part}.conllu").write_text(f"# text\n{words}\n" * 6 + malformed)
    arguments = ["finetune", "--encoder", models.encoder, "--dataset", tmp_path, "--task", "tokens", "--epochs", 1]
    arguments += ["--tag-column", "xpos", "--out", tmp_path / "out"]
    assert_error(call(*arguments), "en_x-ud-train.conllu", "line 25", "--skip-malformed")
    shown = call(*arguments, "--skip-malformed", "--json")
    trained = results_of(shown)
    assert set(trained["tags"]) == {"JJ", "NN"} and not {"f1", "types"} & set(trained)
    assert shown.err.count("warning: ") == 1 and "1 malformed line was skipped" in shown.err
    data = ["--model", tmp_path / "out", "--data", tmp_path / "en_x-ud-dev.conllu"]
    assert results_of(call("evaluate", *data, "--tag-column", 5, "--json"))["accuracy"] == trained["accuracy"]
    assert_error(call("evaluate", *data), "`tags`", "must be among JJ, NN", "'X'")
    assert_error(call("evaluate", *data, "--tag-column", "pos"), "`tag_column`", "xpos")


@pytest.mark.parametrize(("kind", "outputs"), [("spans", {"start_logits", "end_logits"}), ("tokens", {"logits"})])
def test_spans_and_tokens_export_as_onnx_only(kind, outputs, call, models, tmp_path):
    import onnx

    encoder = models.model.encoder
    model = kb.BertSpanLabeler(encoder) if kind == "spans" else kb.BertTokenClassifier(encoder, 3)
    folder, out = kb.save_pretrained(model, tmp_path / "model", models.vectorizer), tmp_path / "out"
    refused = call("export", "--model", folder, "--out", out)
    assert_error(refused, "`--model`", "--format onnx")
    assert not out.exists()
    results_of(call("export", "--model", folder, "--format", "onnx", "--out", out, "--json"))
    assert {output.name for output in onnx.load(out / "model.onnx").graph.output} == outputs


def test_features(call, models, tmp_path):
    """Only the head is trained; the exported model predicts the same."""
    rows = [f"{'a good film' if i % 2 else 'who is it'}\t{'yes' if i % 2 else 'no'}" for i in range(40)]
    for name in ("train.tsv", "dev.tsv"):
        table(tmp_path / name, "sentence\tlabel", *rows)
    arguments = ["finetune", "--encoder", models.encoder, "--dataset", tmp_path, "--task", "features", "--pool", "mean"]
    out = tmp_path / "out"
    shown = call(*arguments, "--learning-rate", 0.03, "--epochs", 50, "--held-out", 0.2, "--out", out, "--json")
    trained, result = results_of(shown), kb.load_pretrained(out)
    assert trained["accuracy"] == 1.0 and len(trained["history"]["loss"]) == 50
    losses = trained["history"]["val_loss"]
    assert losses[trained["epoch"] - 1] == min(losses) and shown.err.count("\n") < 50  # not every epoch is shown
    assert (result.kind, result.labels, result.model.pool) == ("feature_classifier", ["no", "yes"], "mean")
    before = kb.load_pretrained(models.encoder).encoder
    for after, expected in zip(result.encoder.weights, before.weights, strict=True):
        np.testing.assert_array_equal(after, expected)
    evaluated = results_of(call("evaluate", "--model", out, "--data", tmp_path / "dev.tsv", "--json"))
    assert evaluated["accuracy"] == 1.0
    assert call("export", "--model", out, "--out", tmp_path / "served").status == 0
    predicted = [
        results_of(call("predict", "--model", folder, "a good film", "who is it", "--json"))["predictions"]
        for folder in (out, tmp_path / "served")
    ]
    assert all([each["label"] for each in result] == ["yes", "no"] for result in predicted)
    for trained, exported in zip(*predicted, strict=True):
        assert trained["probabilities"] == pytest.approx(exported["probabilities"], abs=1e-5)
    result = call("export", "--model", out, "--format", "onnx", "--out", tmp_path / "onnx")
    assert result.status == 2 and "BertFeatureClassifier" in result.err and not (tmp_path / "onnx").exists()


@pytest.mark.parametrize(
    ("given", "option"),
    [
        (["--task", "features", "--freeze", "all"], "--freeze"),
        (["--task", "features", "--layer-decay", "0.9"], "--layer-decay"),
        (["--task", "features", "--resume"], "--resume"),
        (["--pool", "max"], "--pool"),
    ],
)
def test_rejects_options_of_another_task(given, option, call, models, tmp_path):
    result = call("finetune", "--encoder", models.encoder, "--dataset", "sample", *given, "--out", tmp_path / "out")
    assert_error(result, option)
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("task", ["classification", "spans", "tokens"])
def test_rejects_single_example(task, call, models, tmp_path):
    question = {"id": "q", "question": "Who?", "answers": [{"text": "Anna", "answer_start": 0}]}
    text = json.dumps({"data": [{"paragraphs": [{"context": "Anna lives", "qas": [question]}]}]})
    for part in ("train", "dev"):
        table(tmp_path / f"{part}.tsv", "sentence\tlabel", "a film\t0")
        (tmp_path / f"{part}.txt").write_text("John B-PER\nlives O\n")
        (tmp_path / f"{part}.json").write_text(text)
    arguments = ["finetune", "--encoder", models.encoder, "--task", task, "--dataset", tmp_path, "--labels", "O,B-PER"]
    result = call(*(arguments[:-2] if task == "spans" else arguments), "--out", tmp_path / "out")
    assert_error(result, "`dataset`", "Received: 1")
    assert not (tmp_path / "out").exists() and not (tmp_path / "out.work").exists()
