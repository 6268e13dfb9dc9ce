"""`distill` from text and from labeled sentences."""

import pytest

from keras_bert.weights import load_pretrained
from tests.cli.command_line import assert_error, results_of

pytestmark = pytest.mark.slow


def test_from_text(call, models, tmp_path):
    arguments = ["distill", "--teacher", models.encoder, "--data", "sample", "--steps", 2, "--sequence-length", 16]
    results = results_of(call(*arguments, "--out", tmp_path / "small", "--json"))
    assert results["parameters"] < results["teacher_parameters"]
    assert {"mlm_loss", "mlm_accuracy", "teacher_mlm_loss", "teacher_mlm_accuracy"} <= set(results)
    student, teacher = load_pretrained(tmp_path / "small"), load_pretrained(models.encoder)
    assert (student.encoder.config.num_layers, teacher.encoder.config.num_layers) == (1, 2)
    assert student.vocabulary == teacher.vocabulary and student.kind == "pretrainer"


def test_from_labels(call, models, tmp_path):
    arguments = ["distill", "--teacher", models.classifier, "--student", models.encoder, "--dataset", models.dataset]
    results = results_of(call(*arguments, "--epochs", 1, "--held-out", 0.2, "--out", tmp_path / "small", "--json"))
    assert results["examples"] == 20 and 0 <= results["accuracy"] <= 1 and 0 <= results["teacher_accuracy"] <= 1
    found = results_of(call("evaluate", "--model", tmp_path / "small", "--data", models.dataset / "dev.tsv", "--json"))
    assert found["accuracy"] == pytest.approx(results["accuracy"])
    assert load_pretrained(tmp_path / "small").labels == ["negative", "positive"]


def test_rejects_wrong_options(call, models, tmp_path):
    encoder, classifier = ["--teacher", models.encoder], ["--teacher", models.classifier]
    text, labeled = ["--data", "sample"], ["--dataset", models.dataset]
    for options, words in (
        (encoder, ["--data", "--dataset"]),
        ([*encoder, *text], ["--data", "--steps"]),
        ([*encoder, *text, "--steps", 1, "--student", models.encoder], ["--student"]),
        ([*classifier, *labeled], ["--dataset", "--student"]),
        ([*classifier, *text, "--steps", 1], ["`--teacher`", str(models.classifier)]),
        ([*encoder, "--student", models.encoder, *labeled], ["`--teacher`", str(models.encoder)]),
        ([*encoder, *text, "--steps", 1, "--layers", 2], ["num_layers=2"]),
    ):
        assert_error(call("distill", *options, "--out", tmp_path / "out"), *words)
        assert not list(tmp_path.iterdir())
