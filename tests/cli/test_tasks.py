"""finetune, evaluate and predict, for every task, by the command line."""

import importlib.util
import json
from pathlib import Path

import numpy as np
import pytest

import keras_bert as kb

HERE = Path(__file__).parents[1] / "tasks"
SMALL = ["--size", "tiny", "--vocab-size", 200, "--epochs", 1, "--batch-size", 16, "--held-out", 0.2]


def module(name):
    spec = importlib.util.spec_from_file_location(name, HERE / f"{name}.py")
    made = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(made)
    return made


def facts_of(said) -> dict:
    assert said.status == 0, said.err
    return json.loads(said.out.splitlines()[-1])


def table(path, header, *rows):
    path.write_text("\n".join([header, *rows]) + "\n")


@pytest.fixture
def train(call, tmp_path):
    """Fine-tune on a folder for a task, evaluate on its dev file, and give both facts and the model."""

    def run(task, dev):
        out = tmp_path / "out"
        wanted = ["finetune", *SMALL, "--task", task, "--dataset", tmp_path, "--sequence-length", 32, "--out", out]
        trained = facts_of(call(*wanted, "--json"))
        return trained, facts_of(call("evaluate", "--model", out, "--data", tmp_path / dev, "--json")), out

    return run


def test_classes_by_name_of_pairs(call, train, tmp_path):
    rows = [f"the {i} cat\tthe {i} dog\t{'yes' if i % 2 else 'no'}" for i in range(30)]
    for name in ("train.tsv", "dev.tsv"):
        table(tmp_path / name, "sentence1\tsentence2\tlabel", *rows)
    trained, evaluated, out = train("classification", "dev.tsv")
    assert evaluated["accuracy"] == pytest.approx(trained["accuracy"]) and evaluated["examples"] == 30
    said = facts_of(call("predict", "--model", out, "the cat\tthe dog", "--json"))["predictions"][0]
    assert said["label"] in ("no", "yes") and sum(said["probabilities"].values()) == pytest.approx(1)
    mixed = call("predict", "--model", out, "the cat\tthe dog", "the cat")
    assert mixed.status == 2 and "all single texts or all pairs" in mixed.err
    for text, received in (("the cat\t", "an empty text"), ("a\tb\tc", "2 tabs")):
        said = call("predict", "--model", out, text)
        assert said.status == 2 and f"Received: {received}, number 1" in said.err
    single = call("predict", "--model", out, "the cat")
    assert single.status == 2 and "must be pairs" in single.err and "Received: single texts" in single.err


def test_labels(call, train, tmp_path):
    rows = [f"text {i}\t{'love, war' if i % 3 == 0 else 'war' if i % 2 else ''}" for i in range(30)]
    for name in ("train.tsv", "dev.tsv"):
        table(tmp_path / name, "sentence\tlabels", *rows)
    trained, evaluated, out = train("multi-label", "dev.tsv")
    for name in ("accuracy", "f1", "macro_f1", "exact_match"):
        assert evaluated[name] == pytest.approx(trained[name])
    said = facts_of(call("predict", "--model", out, "text", "--json"))["predictions"][0]
    assert set(said["probabilities"]) == {"love", "war"}
    assert said["labels"] == [name for name, share in said["probabilities"].items() if share > 0.5]


def test_numbers(call, train, tmp_path):
    for name in ("train.tsv", "dev.tsv"):
        table(tmp_path / name, "sentence1\tsentence2\tscore", *(f"a {i}\tb {i}\t{i / 10}" for i in range(30)))
    trained, evaluated, out = train("regression", "dev.tsv")
    assert evaluated["mean_absolute_error"] == pytest.approx(trained["mean_absolute_error"])
    assert "held_out_mean_absolute_error" in trained
    assert isinstance(facts_of(call("predict", "--model", out, "a\tb", "--json"))["predictions"][0]["value"], float)
    table(tmp_path / "single.tsv", "sentence\tscore", "a\t1")
    single = call("evaluate", "--model", out, "--data", tmp_path / "single.tsv")
    assert single.status == 2 and "Received: single texts" in single.err
    named = call("finetune", *SMALL, "--task", "regression", "--dataset", tmp_path, "--labels", "a,b", "--out", "no")
    assert named.status == 2 and "numbers have no names" in named.err


def test_spans(call, train, tmp_path):
    spans = module("test_spans")
    spans.write(tmp_path / "train.json", 30, 1, none=0.3)
    spans.write(tmp_path / "dev.json", 12, 2, none=0.3)
    trained, evaluated, out = train("spans", "dev.json")
    for name in ("exact_match", "f1", "answerable_f1", "unanswerable_f1"):
        assert evaluated[name] == pytest.approx(trained[name])
    scores = trained["history"]["val_selection_metric"]  # what decides is told
    assert scores[trained["epoch"] - 1] == max(scores) and all(0 <= score <= 100 for score in scores)
    text = "Who lives?\tAnna lives in Rome ."
    said = facts_of(call("predict", "--model", out, text, "--json"))["predictions"][0]
    assert said["answer"] is None or said["answer"] == text.split("\t")[1][said["start"] : said["end"]] != ""
    assert kb.load_pretrained(out).no_answer is True
    wrong = call("predict", "--model", out, "Who lives?")
    assert wrong.status == 2 and "(question, context)" in wrong.err


@pytest.mark.parametrize("no_answer", [True, False, None])
def test_no_answer_is_said_by_a_model_that_learned_to(no_answer, call, models, tmp_path):
    """A head that points at [CLS], or away from it; only questions without an answer teach that [CLS] means none."""
    model, text = kb.BertSpanLabeler(models.model.encoder), "who is it?\ta good film with good actors"
    ids = models.vectorizer(tuple([part] for part in text.split("\t")))
    row = np.asarray(models.model.encoder(ids)["sequence_output"])  # [1, T, H]
    for sign in (1, -1):
        head = np.repeat(sign * row[0, 0][:, None], 2, 1)  # [H, 2]: the layer's own row, which all others are behind
        model.head.set_weights([head, np.zeros(2, np.float32)])
        folder = kb.save_pretrained(model, tmp_path / "spans", models.vectorizer, no_answer=no_answer)
        said = facts_of(call("predict", "--model", folder, text, "--json"))["predictions"][0]
        shown = call("predict", "--model", folder, text).out
        assert (said["null_score"] > said["score"]) == (sign > 0)
        if no_answer and sign > 0:
            assert (said["answer"], said["start"], said["end"]) == (None, None, None) and "no answer" in shown
        else:
            assert said["answer"] == text.split("\t")[1][said["start"] : said["end"]] != ""
            assert said["answer"] in shown and "no answer" not in shown


def test_tokens(call, train, tmp_path):
    tags = module("test_tokens")
    tags.write(tmp_path / "train.txt", 30, 1)
    tags.write(tmp_path / "dev.txt", 12, 2)
    trained, evaluated, out = train("tokens", "dev.txt")
    assert evaluated["f1"] == pytest.approx(trained["f1"]) and evaluated["examples"] == 12
    said = facts_of(call("predict", "--model", out, "John lives in London", "--json"))["predictions"][0]
    assert said["words"] == ["John", "lives", "in", "London"] and len(said["tags"]) == 4
    (tmp_path / "more.txt").write_text("Rome B-CITY\n")
    unknown = call("evaluate", "--model", out, "--data", tmp_path / "more.txt")
    assert unknown.status == 2 and "more.txt must be among B-LOC" in unknown.err and "'B-CITY'" in unknown.err


@pytest.mark.parametrize(("kind", "outputs"), [("spans", {"start_logits", "end_logits"}), ("tokens", {"logits"})])
def test_answers_and_tags_leave_as_onnx_alone(kind, outputs, call, models, tmp_path):
    import onnx

    encoder = models.model.encoder
    model = kb.BertSpanLabeler(encoder) if kind == "spans" else kb.BertTokenClassifier(encoder, 3)
    folder, out = kb.save_pretrained(model, tmp_path / "model", models.vectorizer), tmp_path / "out"
    refused = call("export", "--model", folder, "--out", out)
    assert refused.status == 2 and "--format onnx" in refused.err and not out.exists()
    facts_of(call("export", "--model", folder, "--format", "onnx", "--out", out, "--json"))
    assert {output.name for output in onnx.load(out / "model.onnx").graph.output} == outputs


def test_features(call, models, tmp_path):
    """The head alone has learned, from the encoder's vectors; exported, the whole says the same."""
    rows = [f"{'a good film' if i % 2 else 'who is it'}\t{'yes' if i % 2 else 'no'}" for i in range(40)]
    for name in ("train.tsv", "dev.tsv"):
        table(tmp_path / name, "sentence\tlabel", *rows)
    wanted = ["finetune", "--encoder", models.encoder, "--dataset", tmp_path, "--task", "features", "--pool", "mean"]
    out = tmp_path / "out"
    shown = call(*wanted, "--learning-rate", 0.03, "--epochs", 50, "--held-out", 0.2, "--out", out, "--json")
    trained, said = facts_of(shown), kb.load_pretrained(out)
    assert trained["accuracy"] == 1.0 and len(trained["history"]["loss"]) == 50
    losses = trained["history"]["val_loss"]
    assert losses[trained["epoch"] - 1] == min(losses) and shown.err.count("\n") < 40  # of 50 epochs some are shown
    assert (said.kind, said.labels, said.model.pool) == ("feature_classifier", ["no", "yes"], "mean")
    before = kb.load_pretrained(models.encoder).encoder
    for ours, theirs in zip(said.encoder.weights, before.weights, strict=True):
        np.testing.assert_array_equal(ours, theirs)
    evaluated = facts_of(call("evaluate", "--model", out, "--data", tmp_path / "dev.tsv", "--json"))
    assert evaluated["accuracy"] == 1.0
    assert call("export", "--model", out, "--out", tmp_path / "served").status == 0
    asked = [
        facts_of(call("predict", "--model", folder, "a good film", "who is it", "--json"))["predictions"]
        for folder in (out, tmp_path / "served")
    ]
    assert all([each["label"] for each in said] == ["yes", "no"] for said in asked)
    for ours, exported in zip(*asked, strict=True):
        assert ours["probabilities"] == pytest.approx(exported["probabilities"], abs=1e-5)
    said = call("export", "--model", out, "--format", "onnx", "--out", tmp_path / "onnx")
    assert said.status == 2 and "BertFeatureClassifier" in said.err and not (tmp_path / "onnx").exists()


@pytest.mark.parametrize(
    ("given", "why"),
    [
        (["--task", "features", "--freeze", "all"], "frozen with --task features. Received: --freeze"),
        (["--task", "features", "--layer-decay", "0.9"], "frozen with --task features. Received: --layer-decay"),
        (["--task", "features", "--resume"], "frozen with --task features. Received: --resume"),
        (["--pool", "max"], "not an option of --task classification. Received: --pool"),
    ],
)
def test_options_of_another_task(given, why, call, models, tmp_path):
    said = call("finetune", "--encoder", models.encoder, "--dataset", "sample", *given, "--out", tmp_path / "out")
    assert said.status == 2 and why in said.err and not (tmp_path / "out").exists()


@pytest.mark.parametrize("task", ["classification", "spans", "tokens"])
def test_one_example_leaves_none_to_train_on(task, call, models, tmp_path):
    question = {"id": "q", "question": "Who?", "answers": [{"text": "Anna", "answer_start": 0}]}
    text = json.dumps({"data": [{"paragraphs": [{"context": "Anna lives", "qas": [question]}]}]})
    for part in ("train", "dev"):
        table(tmp_path / f"{part}.tsv", "sentence\tlabel", "a film\t0")
        (tmp_path / f"{part}.txt").write_text("John B-PER\nlives O\n")
        (tmp_path / f"{part}.json").write_text(text)
    wanted = ["finetune", "--encoder", models.encoder, "--task", task, "--dataset", tmp_path, "--labels", "O,B-PER"]
    said = call(*(wanted[:-2] if task == "spans" else wanted), "--out", tmp_path / "out")
    assert said.status == 2 and said.out == "" and "at least two" in said.err and "Received: 1" in said.err
    assert not (tmp_path / "out").exists() and not (tmp_path / "out.work").exists()
